"""A party's photos as one ZIP file, written while it is read: never more than a piece of it in memory."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import RawIOBase
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE_BYTES = 256 * 1024
_EARLIEST = (1980, 1, 1, 0, 0, 0)


class Entry(NamedTuple):
    """One file of the archive; `taken_at` is local time, and `open` is called when its turn comes."""

    name: str
    taken_at: datetime
    open: Callable[[], BinaryIO]


class _Outlet(RawIOBase):
    """What the ZIP writer writes to: it cannot seek, and what came in is taken out piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer", /) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def stream_zip(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Give the bytes of a ZIP file with these entries, stored as they are: a JPEG does not get smaller."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            date_time = max(_EARLIEST, entry.taken_at.timetuple()[:6])
            info = zipfile.ZipInfo(entry.name, date_time)
            info.external_attr = 0o644 << 16
            with entry.open() as source, archive.open(info, "w") as target:
                while piece := source.read(_PIECE_BYTES):
                    target.write(piece)
                    yield outlet.take()
            yield outlet.take()
    yield outlet.take()
