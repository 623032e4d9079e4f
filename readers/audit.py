"""A read-only account of one edge's directory and lamp log, for those who verify the promises."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from readers.store import read_only
from wallet.evidence import EdgeEvidence, Lamp, SeenEntry
from wallet.journal import GENESIS, chain

STORE_FILE = "edge.sqlite"


def seen_entries(directory: Path) -> Iterator[SeenEntry]:
    """Yield every journal entry of the edge in `directory`, epoch by epoch, in the order of numbers.

    Raises:
        FileNotFoundError: there is no edge's file.
        StoreDamaged: the file is no database.
    """
    epoch, number, head = "", 0, GENESIS
    with closing(read_only.connect(directory / STORE_FILE)) as db:
        for line in read_only.entries(db):
            entry = line.entry
            if entry.epoch != epoch:
                epoch, number, head = entry.epoch, 0, GENESIS
            follows = entry.number == number + 1 and entry.previous == head
            number, head = entry.number, chain(entry.previous, entry)
            yield SeenEntry(entry, follows and head == line.head)


def lamp_lines(path: Path) -> Iterator[Lamp]:
    """Yield the lights of a lamp log. A last line that a crash cut short was never shown.

    Raises:
        ValueError: another line can't be read.
    """
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield msgspec.json.decode(line, type=Lamp)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}: line {number} is not a light that was shown: {error}") from None


def evidence(edge: str, venue: str, directory: Path, lamp_log: Path | None) -> EdgeEvidence:
    """Return all that the edge can show; the edge may be running meanwhile.

    A lamp log that is not there is told as none, which is not the same as one without a light.

    Raises:
        FileNotFoundError: there is no edge's file.
        StoreDamaged: the file is no database.
        ValueError: the lamp log holds something else than lights.
    """
    # Lights first: an entry stands before its light, so that no light can lack an entry written later.
    lamps = tuple(lamp_lines(lamp_log)) if lamp_log and lamp_log.exists() else None
    entries = tuple(seen_entries(directory))
    with closing(read_only.connect(directory / STORE_FILE)) as db:
        return EdgeEvidence(
            edge=edge,
            venue=venue,
            entries=entries,
            acknowledged={mark.epoch: mark.acknowledged for mark in read_only.marks(db)},
            lamps=lamps,
            documents=read_only.versions(db),
            position=read_only.position(db),
        )
