import os
import signal
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from photopass.blobs import FolderBlobs, MemoryBlobs
from photopass.cards import card_svg
from photopass.claims import Plan
from photopass.groups import LinkCause, PhotoLink
from photopass.names import Rendition, original_of, rendition_name
from photopass.ports import PhotoRecords
from photopass.refusals import PhotoReason, PhotoRefusal, Unacceptable
from photopass.service import Album, Original, photo_id_of
from tests.support.photo_records import MemoryRecords
from tests.support.pictures import jpeg, picture, png
from wallet.resort import Resort

RESORT = Resort("lagoon", "Lagoon", "Europe/Madrid", "EUR")
TAKEN = datetime(2027, 3, 2, 12, tzinfo=UTC)
PLAN = Plan("party-a", TAKEN - timedelta(days=1), TAKEN + timedelta(days=1))


class Desk:
    """An album with its store and records."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.blobs = MemoryBlobs(lambda: self.now_s)
        self.records = MemoryRecords()
        self.album = Album(self.blobs, self.records)

    def add(self, data: bytes, *parties: str, taken_at: datetime = TAKEN) -> str:
        links = [PhotoLink("", f"token-{each[-1]}", each, LinkCause.TAP, taken_at) for each in parties]
        return self.records.add(self.album.take_in(data), "photo-plaza", taken_at, *links)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def shown(answer: object) -> bytes:
    assert not isinstance(answer, PhotoRefusal), answer
    with answer as file:
        return file.read()


def test_records_in_memory_are_records():
    records: PhotoRecords = MemoryRecords()
    assert records.photo("none") is None


@pytest.mark.parametrize("look", ["preview", "thumbnail"])
def test_who_sees_what(desk: Desk, look: str):
    photo_id = desk.add(jpeg(picture(2000, 1500)), "party-a", "party-b")
    original = desk.records.photos[photo_id].original
    plain = shown(desk.blobs.open(rendition_name(original, Rendition(f"{look}-1"))))
    marked = shown(desk.blobs.open(rendition_name(original, Rendition(f"{look}-marked-1"))))
    assert plain != marked
    see = getattr(desk.album, look)
    for viewer in ("party-a", "party-b", None):
        assert shown(see(photo_id, viewer, RESORT)) == marked
    desk.records.owned.append(PLAN)
    assert shown(see(photo_id, "party-a", RESORT)) == plain
    assert shown(see(photo_id, "party-b", RESORT)) == marked
    assert shown(see(photo_id, None, RESORT)) == plain
    assert see(photo_id, "party-c", RESORT) == PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)
    assert see("no-such-photo", None, RESORT) == PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)


def test_originals_are_for_owners_of_a_plan(desk: Desk):
    photo_id = desk.add(jpeg(gps=True), "party-a", "party-b")
    without = desk.album.original(photo_id, "party-a", TAKEN, RESORT)
    assert without == PhotoRefusal(PhotoReason.PLAN_NOT_OWNED)
    desk.records.owned.append(PLAN)
    got = desk.album.original(photo_id, "party-a", TAKEN, RESORT)
    assert isinstance(got, Original)
    assert b"SecretCam" not in shown(got.file)
    assert got.media_type == "image/jpeg"
    assert got.file_name.startswith("2027-03-02_13-00-00_photo-plaza_")
    other = desk.album.original(photo_id, "party-b", TAKEN, RESORT)
    assert other == PhotoRefusal(PhotoReason.PLAN_NOT_OWNED)
    stranger = desk.album.original(photo_id, "party-c", TAKEN, RESORT)
    assert stranger == PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)
    late = desk.album.original(photo_id, "party-a", TAKEN + timedelta(days=31), RESORT)
    assert late == PhotoRefusal(PhotoReason.DOWNLOAD_OVER, {"until_day": "2027-04-01"})


def test_who_is_unlinked_sees_nothing_and_the_others_as_before(desk: Desk):
    photo_id = desk.add(jpeg(), "party-a", "party-b")
    before = shown(desk.album.preview(photo_id, "party-b", RESORT))
    stranger, other = desk.records.links
    desk.records.links[:] = [replace(stranger, unlinked_at=TAKEN, unlinked_by="staff:1"), other]
    assert isinstance(desk.album.preview(photo_id, "party-a", RESORT), PhotoRefusal)
    assert desk.album.of_party("party-a", RESORT) == []
    assert shown(desk.album.preview(photo_id, "party-b", RESORT)) == before


def test_the_same_file_at_the_same_point_is_the_same_photo(desk: Desk):
    first, second = desk.album.take_in(jpeg()), desk.album.take_in(jpeg())
    assert first == second
    assert photo_id_of("plaza", first.digest) == photo_id_of("plaza", second.digest)
    assert photo_id_of("plaza", first.digest) != photo_id_of("falls", first.digest)
    assert photo_id_of("plaza", first.digest) != photo_id_of("plaza", desk.album.take_in(png()).digest)


def test_a_file_that_is_refused_leaves_nothing(desk: Desk):
    with pytest.raises(Unacceptable):
        desk.album.take_in(jpeg()[:-2])
    assert list(desk.blobs.names_put_before(0)) == []


def test_a_missing_rendition_is_made_anew(desk: Desk):
    photo_id = desk.add(jpeg(), "party-a")
    before = shown(desk.album.thumbnail(photo_id, "party-a", RESORT))
    original = desk.records.photos[photo_id].original
    for rendition in Rendition:
        desk.blobs.delete(rendition_name(original, rendition))
    assert shown(desk.album.thumbnail(photo_id, "party-a", RESORT)) == before


def test_an_archive_holds_what_may_be_downloaded(desk: Desk):
    desk.records.owned.append(PLAN)
    first, second = jpeg(picture(800, 600)), png(picture(300, 200))
    ids = [desk.add(first, "party-a"), desk.add(second, "party-a", "party-b")]
    desk.add(jpeg(picture(10, 10)), "party-b")
    desk.add(jpeg(picture(20, 10)), "party-a", taken_at=TAKEN + timedelta(days=5))  # after the plan
    pieces = desk.album.archive("party-a", TAKEN, RESORT)
    assert not isinstance(pieces, PhotoRefusal)
    with zipfile.ZipFile(BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {each.date_time for each in archive.infolist()} == {(2027, 3, 2, 13, 0, 0)}
        held = {name: archive.read(name) for name in archive.namelist()}
    expected = {desk.records.photos[photo_id].original for photo_id in ids}
    assert {shown(desk.blobs.open(name)) for name in expected} == set(held.values())
    assert {name.rpartition(".")[2] for name in held} == {"jpg", "png"}


def test_an_archive_is_made_piece_by_piece(desk: Desk):
    desk.records.owned.append(PLAN)
    dice = os.urandom(1200 * 900 * 3)
    for number in range(3):
        noise = Image.frombytes("RGB", (1200, 900), dice).rotate(number * 90)
        desk.add(jpeg(noise, quality=95), "party-a")
    pieces = desk.album.archive("party-a", TAKEN, RESORT)
    assert not isinstance(pieces, PhotoRefusal)
    sizes = [len(piece) for piece in pieces]
    assert sum(sizes) > 2_000_000
    assert max(sizes) < 300_000


def test_an_archive_of_nothing_says_why(desk: Desk):
    assert desk.album.archive("party-a", TAKEN, RESORT) == PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)
    desk.add(jpeg(), "party-a")
    assert desk.album.archive("party-a", TAKEN, RESORT) == PhotoRefusal(PhotoReason.PLAN_NOT_OWNED)


def test_the_sweep_removes_what_no_record_names_and_nothing_else(desk: Desk):
    kept = desk.records.photos[desk.add(jpeg(), "party-a")].original
    orphan = desk.album.take_in(png()).original
    assert desk.album.sweep(3600) == []
    desk.now_s += 3601
    assert {original_of(name) for name in desk.album.sweep(3600)} == {orphan}
    assert {original_of(name) for name in desk.blobs.names_put_before(0)} == {kept}
    assert desk.album.sweep(3600) == []


def test_a_photo_put_on_record_while_the_sweep_looks_is_not_lost(desk: Desk):
    upload = jpeg()
    orphan = desk.album.take_in(upload).original
    desk.now_s += 3601

    class Slow(MemoryRecords):
        def recorded(self, originals):
            answer = super().recorded(originals)
            desk.records.add(desk.album.take_in(upload), "photo-plaza", TAKEN)  # the retry comes just now
            return answer

    assert Album(desk.blobs, Slow()).sweep(3600) == []
    assert desk.blobs.exists(orphan)


KILLED = """
import os, signal, sys
from pathlib import Path
from photopass.blobs import FolderBlobs
from photopass.service import Album
from tests.support.photo_records import MemoryRecords

puts = int(sys.argv[2])

class Dying(FolderBlobs):
    def put(self, name, data):
        global puts
        if puts == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        puts -= 1
        super().put(name, data)

Album(Dying(Path(sys.argv[1])), MemoryRecords()).take_in(sys.stdin.buffer.read())
os.kill(os.getpid(), signal.SIGKILL)  # the command that records it was never sent
"""


@pytest.mark.parametrize("puts", [0, 1, 3, 5])
def test_killed_between_bytes_and_record_nothing_is_lost_or_left(tmp_path: Path, puts: int):
    upload = jpeg(picture(200, 100))
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(puts)],
        input=upload,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    blobs, records = FolderBlobs(tmp_path), MemoryRecords()
    album = Album(blobs, records)
    assert len(list(blobs.names_put_before(0))) == puts
    # The retry of the same upload finds or makes what it needs, and nothing is left over when it is recorded.
    photo_id = records.add(album.take_in(upload), "photo-plaza", TAKEN)
    for path in tmp_path.rglob("*-1"):
        os.utime(path, (0, 0))
    os.utime(next(tmp_path.rglob(records.photos[photo_id].original)), (0, 0))
    assert album.sweep(3600) == []
    assert shown(album.preview(photo_id, None, RESORT))
    # Had there been no retry, the sweep would have taken the orphan away.
    assert len(Album(blobs, MemoryRecords()).sweep(3600)) == 5
    assert list(blobs.names_put_before(0)) == []


def test_a_card_s_picture_leads_to_the_code():
    svg = card_svg("7Q2M-9XKD-40PT", "https://resort.example/app/photos")
    assert svg.startswith("<svg")
    assert svg != card_svg("7Q2M-9XKD-40PV", "https://resort.example/app/photos")
    assert "<script" not in svg
