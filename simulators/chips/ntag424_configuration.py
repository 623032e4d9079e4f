"""SetConfiguration and GetVersion of an NTAG 424 DNA (NT4H2421Gx, 10.5.1 and 10.5.2)."""

from dataclasses import replace

from simulators.chips.ntag424_memory import Configuration, Memory
from simulators.chips.ntag424_status import Refusal, Status, require

PICC, SECURE_MESSAGING, CAPABILITIES, FAILURES, HARDWARE = 0x00, 0x04, 0x05, 0x0A, 0x0B
RANDOM_UID = 0x02
_DATA_BYTES = {PICC: 1, SECURE_MESSAGING: 2, CAPABILITIES: 10, FAILURES: 5, HARDWARE: 1}
_NO_CHAINED_WRITING, _LRP = 0x04, 0x02
_PRODUCTION = bytes.fromhex("CF00000000 0121")  # batch CF000000 0, FabKey 0, calendar week 1 of 2021


def configure(current: Configuration, option: int, data: bytes) -> Configuration:
    """Return the configuration after SetConfiguration.

    LRP can't be enabled here: it is refused as a parameter, where a real chip would change over for good.

    Raises:
        Refusal: LENGTH_ERROR or PARAMETER_ERROR (table 52).
    """
    require(option in _DATA_BYTES, Status.PARAMETER_ERROR)
    require(len(data) == _DATA_BYTES[option], Status.LENGTH_ERROR)
    if option == PICC:
        require(not data[0] & ~RANDOM_UID, Status.PARAMETER_ERROR)
        return replace(current, random_uid=current.random_uid or bool(data[0]))  # never back (table 50)
    if option == SECURE_MESSAGING:
        locked = bool(int.from_bytes(data, "little") & _NO_CHAINED_WRITING)
        return replace(current, no_chained_writing=current.no_chained_writing or locked)
    if option == CAPABILITIES:
        require(not data[4] & _LRP, Status.PARAMETER_ERROR)
        return replace(current, pd_capabilities=bytes(4) + data[8:10])
    if option == FAILURES:
        return _failures(current, data)
    return replace(current, strong_modulation=bool(data[0] & 1))


def _failures(current: Configuration, data: bytes) -> Configuration:
    if not data[0] & 1:
        return replace(current, count_failures=False)
    limit, decrement = int.from_bytes(data[1:3], "little"), int.from_bytes(data[3:5], "little")
    if limit == 0:
        raise Refusal(Status.PARAMETER_ERROR)
    return replace(current, count_failures=True, failure_limit=limit, failure_decrement=decrement)


def version_frames(memory: Memory) -> tuple[bytes, bytes, bytes]:
    """Return hardware, software and production data (tables 54, 56, 58); a random UID shows as zeros."""
    modulation = 0x02 if memory.configuration.strong_modulation else 0x82
    hardware = bytes([0x04, 0x04, modulation, 0x30, 0x00, 0x11, 0x05])
    uid = bytes(len(memory.uid)) if memory.configuration.random_uid else memory.uid
    return hardware, bytes.fromhex("04040201021105"), uid + _PRODUCTION
