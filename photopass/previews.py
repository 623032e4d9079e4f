"""Takes an uploaded image apart with suspicion, and makes previews and thumbnails, plain and watermarked."""

from functools import lru_cache
from io import BytesIO

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont, ImageOps

from photopass.names import Rendition
from photopass.refusals import PhotoReason, Unacceptable
from photopass.strip import JPEG_START, PNG_START, strip_jpeg, strip_png

UPLOAD_BYTES_MAX = 25 * 1024 * 1024
JPEG_PIXELS_MAX = 80_000_000
"""Beyond any camera at a photo point; a JPEG is decoded at the size that is needed, so it stays cheap."""
PNG_PIXELS_MAX = 40_000_000
"""A PNG is always decoded whole: 160 MB of memory at most."""
PREVIEW_PX = 1024
THUMBNAIL_PX = 320
_QUALITY = 85
_MARK = "PREVIEW"


class Accepted(Struct, frozen=True):
    """An upload that is an image: its bytes as guests get them, and its size as it is looked at."""

    data: bytes
    media_type: str
    width_px: int
    height_px: int


def accept(upload: bytes) -> Accepted:
    """Return the image of an upload, without metadata. The same bytes give the same result.

    Raises:
        Unacceptable: empty, larger than 25 MiB, neither JPEG nor PNG, damaged, not complete, too many pixels.
    """
    if not upload:
        raise Unacceptable(PhotoReason.FILE_EMPTY)
    if len(upload) > UPLOAD_BYTES_MAX:
        raise Unacceptable(PhotoReason.FILE_TOO_LARGE, max_mib=str(UPLOAD_BYTES_MAX // 1024**2))
    if upload.startswith(JPEG_START):
        strip, media_type = strip_jpeg, "image/jpeg"
    elif upload.startswith(PNG_START):
        strip, media_type = strip_png, "image/png"
    else:
        raise Unacceptable(PhotoReason.NOT_AN_IMAGE)
    stripped = strip(upload)
    # Pillow sees the stripped file alone: whatever metadata could do to a parser, it does not do here.
    width_px, height_px = _open(stripped.data).size
    if stripped.orientation >= 5:
        width_px, height_px = height_px, width_px
    return Accepted(stripped.data, media_type, width_px, height_px)


def render(data: bytes) -> dict[Rendition, bytes]:
    """Return the JPEG renditions of an accepted image, upright and without metadata.

    Raises:
        Unacceptable: the pixels cannot be decoded to the end.
    """
    image = _open(data)
    image.draft("RGB", (PREVIEW_PX, PREVIEW_PX))
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow tells of broken pixels by any of these, depending on the format.
        raise Unacceptable(PhotoReason.IMAGE_DAMAGED) from error
    preview = _on_white(upright)
    preview.thumbnail((PREVIEW_PX, PREVIEW_PX))
    thumbnail = preview.copy()
    thumbnail.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    return {
        Rendition.PREVIEW: _jpeg(preview),
        Rendition.PREVIEW_MARKED: _jpeg(watermark(preview)),
        Rendition.THUMBNAIL: _jpeg(thumbnail),
        Rendition.THUMBNAIL_MARKED: _jpeg(watermark(thumbnail)),
    }


def watermark(image: Image.Image, words: str = _MARK) -> Image.Image:
    """Return the image with `words` tiled all over it: slanted, light, dark-edged to show on any ground."""
    stamp = _stamp(words, max(12, min(image.size) // 12))
    # Large enough to cover the image however it is turned.
    side = int((image.width**2 + image.height**2) ** 0.5) + stamp.height
    tiles = Image.new("RGBA", (side, side))
    for row, y in enumerate(range(0, side, stamp.height)):
        for x in range(-(row % 2) * stamp.width // 2, side, stamp.width):
            tiles.paste(stamp, (x, y))
    turned = tiles.rotate(30, Image.Resampling.BILINEAR)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    mark = turned.crop((left, top, left + image.width, top + image.height))
    return Image.alpha_composite(image.convert("RGBA"), mark).convert("RGB")


@lru_cache(maxsize=32)
def _stamp(words: str, size_px: int) -> Image.Image:
    """Return the words once, with the room around them that they have in the pattern."""
    font = ImageFont.load_default(size_px)
    stamp = Image.new("RGBA", (int(font.getlength(words)) + size_px, size_px * 2))
    ImageDraw.Draw(stamp).text(
        (size_px // 2, size_px // 2),
        words,
        font=font,
        fill=(255, 255, 255, 110),
        stroke_width=max(1, size_px // 20),
        stroke_fill=(0, 0, 0, 90),
    )
    return stamp


def _open(data: bytes) -> Image.Image:
    """Return the image, its pixels not yet decoded, when their number is bearable."""
    try:
        image = Image.open(BytesIO(data), formats=("JPEG", "PNG"))
    except Image.DecompressionBombError:
        raise Unacceptable(
            PhotoReason.IMAGE_TOO_LARGE, pixels="too many", pixels_max=f"{JPEG_PIXELS_MAX:,}"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise Unacceptable(PhotoReason.IMAGE_DAMAGED) from error
    pixels = image.width * image.height
    pixels_max = PNG_PIXELS_MAX if image.format == "PNG" else JPEG_PIXELS_MAX
    if pixels > pixels_max:
        raise Unacceptable(PhotoReason.IMAGE_TOO_LARGE, pixels=f"{pixels:,}", pixels_max=f"{pixels_max:,}")
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    if image.mode == "I;16":
        # Pillow clips sixteen bits to eight instead of scaling them.
        return image.point(lambda value: value / 256, "L").convert("RGB")
    return image.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return out.getvalue()
