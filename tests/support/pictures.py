"""Images for tests: photos with metadata, and files that want to do harm."""

import struct
import zlib
from io import BytesIO

from PIL import ExifTags, Image, ImageDraw

CORNER = (200, 30, 30)
GROUND = (40, 90, 160)


def picture(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Return an image with a red square in its upper left corner."""
    image = Image.new("RGB", (width, height), GROUND)
    ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill=CORNER)
    return image.convert(mode)


def jpeg(
    image: Image.Image | None = None, *, orientation: int = 1, gps: bool = False, **options: object
) -> bytes:
    """Return a JPEG, with EXIF when an orientation or a position is asked for."""
    exif = Image.Exif()
    if orientation != 1:
        exif[ExifTags.Base.Orientation] = orientation
    if gps:
        exif[ExifTags.Base.Make] = "SecretCam"
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (36.0, 43.0, 11.5)
    out = BytesIO()
    if len(exif):
        options["exif"] = exif
    (image or picture()).save(out, "JPEG", **options)
    return out.getvalue()


def png(image: Image.Image | None = None, **options: object) -> bytes:
    """Return a PNG."""
    out = BytesIO()
    (image or picture()).save(out, "PNG", **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb_png(side: int) -> bytes:
    """Return a small PNG that claims side × side pixels, one bit each."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(min(side, 2000))) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bomb_jpeg() -> bytes:
    """Return a JPEG whose header claims 65,500 × 65,500 pixels."""
    data = bytearray(jpeg())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def near(colour: tuple[int, ...], other: tuple[int, ...], tolerance: int = 12) -> bool:
    """Return whether two colours are alike, as JPEG leaves them."""
    return all(abs(one - two) <= tolerance for one, two in zip(colour, other, strict=True))
