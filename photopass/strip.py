"""What a guest gets of an uploaded file: the picture, bit for bit, without whatever else rode along.

Segments are copied, not encoded anew, so nothing of the picture is lost. Kept of a JPEG (ITU-T T.81, annex
B): the coding segments, JFIF, the colour profile, Adobe's colour transform; of a PNG (third edition, chapter
11): the critical chunks, transparency, colour space. Gone are EXIF with its position, XMP, comments, embedded
second images, animation, and all that follows the image's end. Of EXIF the orientation alone is put back, or
the photo would lie on its side.
"""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from photopass.exif import UPRIGHT, read_orientation, write_orientation
from photopass.refusals import PhotoReason, Unacceptable

JPEG_START = b"\xff\xd8"
PNG_START = b"\x89PNG\r\n\x1a\n"

_SOS, _EOI, _APP0, _APP1, _APP15, _COMMENT = 0xDA, 0xD9, 0xE0, 0xE1, 0xEF, 0xFE
_CODING = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)} - {0xC8}
_KEPT_APPS = {_APP0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_EXIF = b"Exif\0\0"
# Within coded data 0xFF stands only before 0 (stuffed) or a restart marker (B.1.1.5).
_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")

_KEPT_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs"}
_CHUNK_IS_OPTIONAL = 0x20


class Stripped(NamedTuple):
    """An image without metadata, and its EXIF orientation (1 to 8; from 5 on it lies on its side)."""

    data: bytes
    orientation: int


def strip_jpeg(data: bytes) -> Stripped:
    """Return the JPEG without metadata.

    Raises:
        Unacceptable: it ends too early, or is no sequence of JPEG segments.
    """
    heads, rest = [JPEG_START], []
    orientation = UPRIGHT
    for marker, segment in _segments(data):
        body = segment[4:]
        if marker == _APP1 and body.startswith(_EXIF):
            orientation = read_orientation(body.removeprefix(_EXIF))
        elif marker == _APP0 and body.startswith(_KEPT_APPS[_APP0]):
            heads.append(segment)  # JFIF wants to be first
        elif marker in _CODING or (marker in _KEPT_APPS and body.startswith(_KEPT_APPS[marker])):
            rest.append(segment)
        elif marker != _COMMENT and not _APP0 <= marker <= _APP15:
            raise Unacceptable(PhotoReason.IMAGE_DAMAGED)
    if orientation != UPRIGHT:
        body = _EXIF + write_orientation(orientation)
        heads.append(bytes((0xFF, _APP1)) + (len(body) + 2).to_bytes(2, "big") + body)
    return Stripped(b"".join((*heads, *rest, bytes((0xFF, _EOI)))), orientation)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, segment) up to the end of the image; a scan's segment includes its coded data."""
    at = len(JPEG_START)
    while True:
        while data[at : at + 2] == b"\xff\xff":  # a marker may be preceded by fill bytes (B.1.1.2)
            at += 1
        if len(data) < at + 2 or data[at] != 0xFF:
            raise Unacceptable(PhotoReason.IMAGE_DAMAGED)
        marker = data[at + 1]
        if marker == _EOI:
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise Unacceptable(PhotoReason.IMAGE_DAMAGED)
        if marker == _SOS:
            after = _AFTER_SCAN.search(data, end)
            if after is None:
                raise Unacceptable(PhotoReason.IMAGE_DAMAGED)
            end = after.end() - 2
        yield marker, data[at:end]
        at = end


def strip_png(data: bytes) -> Stripped:
    """Return the PNG without metadata.

    Raises:
        Unacceptable: it ends too early, a chunk's checksum is wrong, or it needs a chunk that we do not know.
    """
    kept: list[bytes] = []
    orientation = UPRIGHT
    for name, chunk in _chunks(data):
        if name == b"eXIf":
            orientation = read_orientation(chunk[8:-4])
        elif name in _KEPT_CHUNKS:
            kept.append(chunk)
        elif not name[0] & _CHUNK_IS_OPTIONAL:  # without it the pixels mean something else
            raise Unacceptable(PhotoReason.IMAGE_DAMAGED)
    if orientation != UPRIGHT:
        kept.insert(1, _chunk(b"eXIf", write_orientation(orientation)))
    return Stripped(PNG_START + b"".join(kept), orientation)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, chunk) of each chunk, the last one included, each with a right checksum."""
    at = len(PNG_START)
    name = b""
    while name != b"IEND":
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(
            data[end - 4 : end], "big"
        ):
            raise Unacceptable(PhotoReason.IMAGE_DAMAGED)
        yield name, data[at:end]
        at = end


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
