"""ChangeKey's data (NT4H2421Gx, 10.6.1)."""

import zlib

from simulators.chips.ntag424_status import Status, require

_KEY_BYTES, _MASTER_DATA_BYTES, _OTHER_DATA_BYTES = 16, 17, 21


def new_key(number: int, old: bytes, data: bytes) -> tuple[bytes, int]:
    """Return the key and version that ChangeKey's plain data set.

    Raises:
        Refusal: LENGTH_ERROR, or INTEGRITY_ERROR when the CRC32 does not fit, as when the reader's old key is wrong.
    """
    require(len(data) == (_OTHER_DATA_BYTES if number else _MASTER_DATA_BYTES), Status.LENGTH_ERROR)
    mixed, version = data[:_KEY_BYTES], data[_KEY_BYTES]
    if number == 0:
        return mixed, version
    value = bytes(a ^ b for a, b in zip(mixed, old, strict=True))
    # IEEE 802.3's CRC without the complement at the end, LSB first (AN12196, table 26).
    crc = (zlib.crc32(value) ^ 0xFFFFFFFF).to_bytes(4, "little")
    require(crc == data[_KEY_BYTES + 1 :], Status.INTEGRITY_ERROR)
    return value, version
