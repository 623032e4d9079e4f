"""Where the bytes of photos lie: in a folder, or in memory for tests."""

import fcntl
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from photopass.names import check_content, check_name

_UNFINISHED = ".unfinished"


class FolderBlobs:
    """Blobs as files, in sub-folders by the names' first two letters; processes may share one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, name: str, data: bytes) -> None:
        """Keep `data`: written beside its place, flushed to the disk, then moved there in one step."""
        check_content(name, data)
        path = self._path(name)
        self._make(path.parent)
        descriptor, unfinished = tempfile.mkstemp(suffix=_UNFINISHED, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with self._locked(fcntl.LOCK_SH):
                Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def open(self, name: str) -> BinaryIO:
        """Return the file, opened to read."""
        return self._path(name).open("rb")

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""
        return self._path(name).is_file()

    def delete(self, name: str, unless_put_within_s: float = 0) -> bool:
        """Remove the file, unless it is too young; nobody can put it between the look and the removal."""
        path = self._path(name)
        with self._locked(fcntl.LOCK_EX):
            kept_s = self._age_s(path, self._now_s()) if path.exists() else unless_put_within_s
            if kept_s < unless_put_within_s:
                return False
            path.unlink(missing_ok=True)
        return True

    def names_put_before(self, age_s: float) -> Iterator[str]:
        """Return the names of the files of that age; what a killed process left unfinished is removed."""
        now_s = self._now_s()
        for path in sorted(self._folder.glob("??/*")):
            try:
                if self._age_s(path, now_s) < age_s:
                    continue
            except FileNotFoundError:
                continue
            if path.suffix == _UNFINISHED:
                path.unlink(missing_ok=True)
            else:
                yield path.name

    def _path(self, name: str) -> Path:
        return self._folder / check_name(name)[:2] / name

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(self._folder)

    def _now_s(self) -> float:
        """The file system's own clock, which the files' ages are told by: it may be another machine's."""
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
            return os.fstat(file.fileno()).st_mtime

    @staticmethod
    def _age_s(path: Path, now_s: float) -> float:
        return now_s - path.stat().st_mtime

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self._folder / "lock").open("ab") as file:
            fcntl.flock(file, how)
            yield


class MemoryBlobs:
    """Blobs in memory; `now_s` is the clock that their ages are told by."""

    def __init__(self, now_s: Callable[[], float] = lambda: 0.0) -> None:
        self._now_s = now_s
        self._kept: dict[str, tuple[bytes, float]] = {}

    def put(self, name: str, data: bytes) -> None:
        """Keep `data`."""
        check_content(name, data)
        self._kept[name] = (bytes(data), self._now_s())

    def open(self, name: str) -> BinaryIO:
        """Return the bytes as a file."""
        if check_name(name) not in self._kept:
            raise FileNotFoundError(name)
        return io.BytesIO(self._kept[name][0])

    def exists(self, name: str) -> bool:
        """Return whether the name is known."""
        return check_name(name) in self._kept

    def delete(self, name: str, unless_put_within_s: float = 0) -> bool:
        """Forget the bytes, unless they are younger than that."""
        kept = self._kept.get(check_name(name))
        if unless_put_within_s and kept is not None and self._now_s() - kept[1] < unless_put_within_s:
            return False
        self._kept.pop(name, None)
        return True

    def names_put_before(self, age_s: float) -> Iterator[str]:
        """Return the names of that age."""
        now_s = self._now_s()
        return iter([name for name, (_, put_s) in sorted(self._kept.items()) if now_s - put_s >= age_s])


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power loss; the file's own fsync does not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
