"""The ASCII mirror of an NTAG21x: UID and counter shown in the place of user memory (data sheet rev 3.2, 8.7)."""

from simulators.chips.ntag21x_layout import FIRST_USER_PAGE, PAGE, Layout

_UID, _COUNTER = 0x40, 0x80  # MIRROR_CONF, bits 7 and 6 of MIRROR
_SEPARATOR = "x"


def mirror(layout: Layout, config: bytes, uid: bytes, counter: int | None) -> tuple[int, bytes]:
    """Return where in memory the mirror begins and what it shows; nothing when off or beyond the user memory.

    Args:
        config: page CFG0: MIRROR, RFUI, MIRROR_PAGE, AUTH0.
        counter: None when it is off, or guarded from this reader: then it is not mirrored.
    """
    shown = []
    if config[0] & _UID:
        shown.append(uid.hex().upper())
    if config[0] & _COUNTER and counter is not None:
        shown.append(f"{counter:06X}")
    text, page = _SEPARATOR.join(shown).encode("ascii"), config[2]
    start = page * PAGE + (config[0] >> 4 & 3)
    if page < FIRST_USER_PAGE or start + len(text) > (layout.last_user_page + 1) * PAGE:
        return 0, b""
    return start, text
