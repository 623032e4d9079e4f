"""The one thing of EXIF that a photo needs: which way is up (EXIF 2.32, 4.6.4; TIFF 6.0, section 2)."""

import struct

UPRIGHT = 1
_ORIENTATION, _SHORT = 0x0112, 3
_ENTRIES_MAX = 1000


def read_orientation(tiff: bytes) -> int:
    """Return the orientation, 1 to 8, from a TIFF block; 1 when it is damaged or does not say."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, directory)
        for number in range(min(count, _ENTRIES_MAX)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * number)
            if tag == _ORIENTATION and kind == _SHORT and 1 <= value <= 8:
                return int(value)
    except struct.error:
        # Metadata that cannot be read is no reason to refuse a photo.
        return UPRIGHT
    return UPRIGHT


def write_orientation(orientation: int) -> bytes:
    """Return a TIFF block that says the orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
