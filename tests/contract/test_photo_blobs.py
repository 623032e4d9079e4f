"""One suite for every place where the bytes of photos may lie."""

import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

from photopass.blobs import FolderBlobs, MemoryBlobs
from photopass.names import Rendition, original_name, original_of, rendition_name
from photopass.ports import Blobs

DATA = b"the bytes of a photo"
NAME = original_name(DATA)
PREVIEW = rendition_name(NAME, Rendition.PREVIEW)


class Bench(NamedTuple):
    """A store and a way to make what lies in it older."""

    blobs: Blobs
    grow_older: Callable[[str, float], None]


@pytest.fixture(params=["folder", "memory"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if request.param == "folder":

        def set_back(name: str, age_s: float) -> None:
            path = tmp_path / "blobs" / name[:2] / name
            then_s = path.stat().st_mtime - age_s
            os.utime(path, (then_s, then_s))

        return Bench(FolderBlobs(tmp_path / "blobs"), set_back)
    now_s = [1000.0]

    def pass_by(name: str, age_s: float) -> None:
        now_s[0] += age_s

    return Bench(MemoryBlobs(lambda: now_s[0]), pass_by)


def read(blobs: Blobs, name: str) -> bytes:
    with blobs.open(name) as file:
        return file.read()


def test_what_is_put_is_there(bench: Bench):
    assert not bench.blobs.exists(NAME)
    bench.blobs.put(NAME, DATA)
    bench.blobs.put(PREVIEW, b"smaller")
    assert bench.blobs.exists(NAME)
    assert read(bench.blobs, NAME) == DATA
    assert read(bench.blobs, PREVIEW) == b"smaller"


def test_putting_twice_is_no_harm_and_makes_a_rendition_anew(bench: Bench):
    bench.blobs.put(NAME, DATA)
    bench.blobs.put(NAME, DATA)
    bench.blobs.put(PREVIEW, b"old")
    bench.blobs.put(PREVIEW, b"new")
    assert read(bench.blobs, NAME) == DATA
    assert read(bench.blobs, PREVIEW) == b"new"


def test_an_original_has_the_name_of_its_bytes(bench: Bench):
    with pytest.raises(ValueError, match="digest"):
        bench.blobs.put(sha256(b"others").hexdigest(), DATA)
    assert list(bench.blobs.names_put_before(0)) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        NAME.upper(),
        NAME + "\n",
        NAME + "/x",
        NAME[:-1],
        NAME + "0",
        NAME + ".",
        NAME + ".preview-1/../../x",
        NAME + ".preview-1\0",
        NAME + ".unfinished",
        "lock",
    ],
)
def test_only_names_of_blobs_are_names(bench: Bench, name: str):
    with pytest.raises(ValueError):
        bench.blobs.put(name, DATA)
    with pytest.raises(ValueError):
        bench.blobs.open(name)
    with pytest.raises(ValueError):
        bench.blobs.exists(name)
    with pytest.raises(ValueError):
        bench.blobs.delete(name)


def test_every_rendition_has_a_name_that_is_taken(bench: Bench):
    for rendition in Rendition:
        name = rendition_name(NAME, rendition)
        bench.blobs.put(name, rendition.encode())
        assert read(bench.blobs, name) == rendition.encode()
        assert original_of(name) == NAME


def test_what_is_not_there_is_not_found(bench: Bench):
    with pytest.raises(FileNotFoundError):
        bench.blobs.open(NAME)
    assert bench.blobs.delete(NAME)
    assert bench.blobs.delete(NAME, unless_put_within_s=60)


def test_deleting_removes_this_and_nothing_else(bench: Bench):
    bench.blobs.put(NAME, DATA)
    bench.blobs.put(PREVIEW, b"smaller")
    assert bench.blobs.delete(PREVIEW)
    assert not bench.blobs.exists(PREVIEW)
    assert read(bench.blobs, NAME) == DATA


def test_an_open_file_is_read_to_its_end_though_it_is_deleted(bench: Bench):
    bench.blobs.put(NAME, DATA)
    with bench.blobs.open(NAME) as file:
        assert file.read(3) == DATA[:3]
        bench.blobs.delete(NAME)
        assert file.read() == DATA[3:]


def test_names_are_listed_once_old_enough(bench: Bench):
    bench.blobs.put(NAME, DATA)
    assert list(bench.blobs.names_put_before(100)) == []
    bench.grow_older(NAME, 101)
    assert list(bench.blobs.names_put_before(100)) == [NAME]
    assert list(bench.blobs.names_put_before(200)) == []


def test_what_is_put_again_is_young_again_and_not_removed(bench: Bench):
    bench.blobs.put(NAME, DATA)
    bench.grow_older(NAME, 500)
    (old,) = bench.blobs.names_put_before(100)
    bench.blobs.put(NAME, DATA)
    assert not bench.blobs.delete(old, unless_put_within_s=100)
    assert read(bench.blobs, NAME) == DATA
    bench.grow_older(NAME, 101)
    assert bench.blobs.delete(old, unless_put_within_s=100)
    assert not bench.blobs.exists(NAME)


def test_a_reader_sees_all_of_it_or_nothing(bench: Bench):
    versions = [bytes([number]) * 200_000 for number in range(20)]
    torn: list[bytes] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            if bench.blobs.exists(PREVIEW):
                seen = read(bench.blobs, PREVIEW)
                if seen not in versions:
                    torn.append(seen)

    reader = threading.Thread(target=look)
    reader.start()
    for version in versions:
        bench.blobs.put(PREVIEW, version)
    done.set()
    reader.join()
    assert torn == []
    assert read(bench.blobs, PREVIEW) == versions[-1]


def test_a_folder_drops_what_a_killed_process_left_unfinished(tmp_path: Path):
    blobs = FolderBlobs(tmp_path)
    blobs.put(NAME, DATA)
    unfinished = tmp_path / NAME[:2] / "tmpabc.unfinished"
    unfinished.write_bytes(b"half")
    assert list(blobs.names_put_before(3600)) == []
    assert unfinished.exists()
    then_s = unfinished.stat().st_mtime - 3601
    os.utime(unfinished, (then_s, then_s))
    assert list(blobs.names_put_before(3600)) == []
    assert not unfinished.exists()


def test_a_folder_keeps_nothing_of_a_put_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blobs = FolderBlobs(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        blobs.put(NAME, DATA)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not blobs.exists(NAME)


def test_a_folder_is_for_its_owner_alone(tmp_path: Path):
    FolderBlobs(tmp_path / "blobs").put(NAME, DATA)
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "blobs").rglob(NAME)} == {0}
    assert (tmp_path / "blobs").stat().st_mode & 0o077 == 0
