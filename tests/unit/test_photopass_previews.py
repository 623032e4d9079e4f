import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageChops, ImageStat, PngImagePlugin

from photopass.exif import read_orientation, write_orientation
from photopass.names import Rendition
from photopass.previews import UPLOAD_BYTES_MAX, accept, render, watermark
from photopass.refusals import PhotoReason, Unacceptable
from tests.support.pictures import CORNER, GROUND, bomb_jpeg, bomb_png, chunk, jpeg, near, picture, png


def refused(upload: bytes) -> PhotoReason:
    with pytest.raises(Unacceptable) as caught:
        render(accept(upload).data)
    assert caught.value.refusal.sentence("es") != caught.value.refusal.sentence("en")
    return caught.value.refusal.reason


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def test_position_and_camera_are_gone_from_all_that_guests_get():
    upload = jpeg(gps=True, orientation=6, comment=b"at home, 12 Some Street")
    assert opened(upload).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    accepted = accept(upload)
    for data in (accepted.data, *render(accepted.data).values()):
        assert not opened(data).getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert b"SecretCam" not in data
        assert b"Some Street" not in data


def test_the_original_keeps_every_pixel():
    upload = jpeg(gps=True, quality=95, progressive=True)
    assert opened(accept(upload).data).tobytes() == opened(upload).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_previews_stand_upright(orientation: int):
    upright = picture(1600, 1000)
    turn = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Image.Transpose that undoes it
    stored = upright if turn is None else upright.transpose(Image.Transpose(turn))
    accepted = accept(jpeg(stored, orientation=orientation))
    assert (accepted.width_px, accepted.height_px) == (1600, 1000)
    assert opened(accepted.data).getexif().get(ExifTags.Base.Orientation, 1) == orientation
    preview = opened(render(accepted.data)[Rendition.PREVIEW])
    assert preview.size == (1024, 640)
    assert near(preview.getpixel((40, 40)), CORNER)
    assert near(preview.getpixel((980, 600)), GROUND)
    assert near(preview.getpixel((980, 40)), GROUND)


def test_a_png_turned_by_exif_stands_upright_too():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    accepted = accept(png(picture(300, 200).transpose(Image.Transpose.ROTATE_90), exif=exif))
    assert (accepted.width_px, accepted.height_px) == (300, 200)
    assert near(opened(render(accepted.data)[Rendition.PREVIEW]).getpixel((10, 10)), CORNER)


@given(st.binary(max_size=200), st.integers(0, 40))
def test_damaged_exif_reads_as_upright(noise: bytes, cut: int):
    assert 1 <= read_orientation(noise) <= 8
    assert 1 <= read_orientation(b"II*\0" + noise) <= 8
    assert read_orientation(write_orientation(7)[:cut] if cut < 20 else write_orientation(7)) in (1, 7)


def test_sizes_of_the_renditions():
    made = render(accept(jpeg(picture(3000, 2000))).data)
    assert opened(made[Rendition.PREVIEW]).size == (1024, 683)
    assert opened(made[Rendition.THUMBNAIL]).size == (320, 213)
    small = render(accept(jpeg(picture(100, 80))).data)
    assert opened(small[Rendition.PREVIEW]).size == (100, 80)


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (320, 213), (1024, 60), (8, 8)])
@pytest.mark.parametrize("ground", ["black", "white", "grey"])
def test_the_watermark_reaches_every_part(size: tuple[int, int], ground: str):
    plain = Image.new("RGB", size, ground)
    marked = watermark(plain)
    assert marked.size == size
    columns, rows = (max(1, edge // 200) for edge in size)
    for column in range(columns):
        for row in range(rows):
            left, top = size[0] * column // columns, size[1] * row // rows
            box = (left, top, size[0] * (column + 1) // columns, size[1] * (row + 1) // rows)
            change = ImageChops.difference(plain.crop(box), marked.crop(box))
            assert size == (8, 8) or ImageStat.Stat(change.convert("L")).mean[0] > 1


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "I;16", "1", "CMYK"])
def test_every_common_kind_of_pixel_gives_a_preview(mode: str):
    if mode == "CMYK":
        upload = jpeg(picture().convert("CMYK"))
    elif mode == "I;16":
        upload = png(Image.new("I;16", (64, 48), 40000))
    else:
        upload = png(picture(mode="RGB").convert(mode))
    preview = opened(render(accept(upload).data)[Rendition.PREVIEW])
    assert preview.mode == "RGB"
    if mode == "I;16":
        assert near(preview.getpixel((5, 5)), (156, 156, 156))


def test_what_is_see_through_becomes_white():
    accepted = accept(png(Image.new("RGBA", (40, 40), (0, 0, 0, 0))))
    assert near(opened(render(accepted.data)[Rendition.PREVIEW]).getpixel((20, 20)), (255, 255, 255))


def test_what_rides_along_is_cut_off():
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.html", "<script>alert(1)</script>")
    for upload in (jpeg(), png()):
        accepted = accept(upload + archive.getvalue())
        assert not zipfile.is_zipfile(BytesIO(accepted.data))
        assert accepted.data == accept(upload).data


def test_text_in_a_png_is_gone():
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("Comment", "at home, 12 Some Street")
    notes.add_text("Location", "12 Some Street", zip=True)
    upload = png(pnginfo=notes)
    assert opened(upload).info["Location"]
    assert not {"Location", "Comment"} & set(opened(accept(upload).data).info)


def test_an_animation_becomes_its_first_picture():
    upload = png(picture(), save_all=True, append_images=[Image.new("RGB", (640, 480), "black")])
    assert getattr(opened(upload), "n_frames", 1) == 2
    assert getattr(opened(accept(upload).data), "n_frames", 1) == 1


def test_hidden_second_image_of_a_camera_is_gone():
    out = BytesIO()
    picture().save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (640, 480), "black")])
    accepted = accept(out.getvalue())
    assert opened(accepted.data).format == "JPEG"
    assert len(accepted.data) < len(out.getvalue()) - 1000


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (b"", PhotoReason.FILE_EMPTY),
        (b"GIF89a" + bytes(50), PhotoReason.NOT_AN_IMAGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PhotoReason.NOT_AN_IMAGE),
        (b"%PDF-1.7", PhotoReason.NOT_AN_IMAGE),
        (b"\xff\xd8", PhotoReason.IMAGE_DAMAGED),
        (b"\xff\xd8\xff\xd9", PhotoReason.IMAGE_DAMAGED),
        (b"\xff\xd8\xff\xe0\x00\x01", PhotoReason.IMAGE_DAMAGED),
        (b"\x89PNG\r\n\x1a\n", PhotoReason.IMAGE_DAMAGED),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), PhotoReason.IMAGE_DAMAGED),
        (jpeg()[:-400], PhotoReason.IMAGE_DAMAGED),
        (png()[:-30], PhotoReason.IMAGE_DAMAGED),
        (png()[:8] + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""), PhotoReason.IMAGE_DAMAGED),
        (
            png().replace(chunk(b"IEND", b""), chunk(b"ABCD", b"x") + chunk(b"IEND", b"")),
            PhotoReason.IMAGE_DAMAGED,
        ),
        (bomb_jpeg(), PhotoReason.IMAGE_TOO_LARGE),
        (bomb_png(60_000), PhotoReason.IMAGE_TOO_LARGE),
        (bomb_png(9_500), PhotoReason.IMAGE_TOO_LARGE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_hostile_and_broken_files_are_refused(upload: bytes, reason: PhotoReason):
    assert refused(upload) is reason


def test_a_file_too_large_is_refused_unread():
    assert refused(jpeg() + bytes(UPLOAD_BYTES_MAX)) is PhotoReason.FILE_TOO_LARGE


@given(st.data())
def test_no_damage_gets_past_the_refusals(data: st.DataObject):
    whole = bytearray(data.draw(st.sampled_from([jpeg(picture(48, 32), gps=True), png(picture(48, 32))])))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(2, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(2, len(whole)))
    # Anything but Unacceptable would be an error of ours and fails the test.
    with suppress(Unacceptable):
        assert set(render(accept(bytes(whole[:cut])).data)) == set(Rendition)
