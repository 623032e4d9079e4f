"""Answers to select as nfcpy can read them: it takes every interface byte for granted."""

_TA, _TB, _TC = 0x10, 0x20, 0x40
# ISO/IEC 14443-4, 5.2: what an absent byte stands for (FSCI 2 when T0 itself is absent).
_DEFAULT_T0, _DEFAULT_TA, _DEFAULT_TB, _DEFAULT_TC = 0x02, 0x80, 0x40, 0x02


def complete_ats(ats: bytes) -> bytes:
    """Return a legal ATS with TA(1), TB(1) and TC(1) all present and of the same meaning.

    nfcpy 1.0.4 reads TB(1) at a fixed place and raises IndexError on a shorter, equally legal ATS.

    Raises:
        ValueError: the ATS contradicts its own length.
    """
    if not ats or ats[0] != len(ats):
        raise ValueError("The chip's answer to select contradicts its length.")
    t0 = ats[1] if len(ats) > 1 else _DEFAULT_T0
    rest = ats[2:]
    interface = bytearray()
    for flag, default in ((_TA, _DEFAULT_TA), (_TB, _DEFAULT_TB), (_TC, _DEFAULT_TC)):
        if not t0 & flag:
            interface.append(default)
        elif rest:
            interface.append(rest[0])
            rest = rest[1:]
        else:
            raise ValueError("The chip's answer to select lacks a byte that it announces.")
    body = bytes([t0 | _TA | _TB | _TC]) + bytes(interface) + rest
    return bytes([1 + len(body)]) + body
