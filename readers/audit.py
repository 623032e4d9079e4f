"""A read-only account of one edge's directory and lamp log, for those who verify the promises."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from readers.outputs import Lamp
from readers.store import read_only
from wallet.journal import GENESIS, JournalEntry, chain
from wallet.tap import Approved


class Account(Struct, frozen=True):
    """One journal entry as found: `chained` when number and hashes continue those before it.

    `amount_minor` is what an approved tap charged.
    """

    entry: JournalEntry
    head: str
    chained: bool
    approved: bool
    amount_minor: int


class LampLine(Struct, frozen=True):
    """One line of the lamp log; `lamp` is None where the line can't be read."""

    line: int
    lamp: Lamp | None


class Acknowledged(Struct, frozen=True):
    """How far the gateway had acknowledged an epoch, as the edge knows it."""

    epoch: str
    number: int
    head: str
    last_number: int
    last_head: str


class Audit:
    """Reads one edge's file while the edge may be running; writes nothing."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "edge.sqlite"

    def entries(self) -> Iterator[Account]:
        """Yield every entry, epoch by epoch, in the order of numbers.

        Raises:
            FileNotFoundError: there is no edge's file.
            StoreDamaged: the file is no database.
        """
        epoch, number, head = "", 0, GENESIS
        with closing(read_only.connect(self._path)) as db:
            for line in read_only.entries(db):
                entry = line.entry
                if entry.epoch != epoch:
                    epoch, number, head = entry.epoch, 0, GENESIS
                follows = entry.number == number + 1 and entry.previous == head
                number, head = entry.number, chain(entry.previous, entry)
                yield Account(entry, line.head, follows and head == line.head, *_effect(entry))

    def acknowledged(self) -> tuple[Acknowledged, ...]:
        """Return per epoch how far the gateway acknowledged it and where it ends."""
        with closing(read_only.connect(self._path)) as db:
            return tuple(
                Acknowledged(mark.epoch, mark.acknowledged, mark.acknowledged_head, mark.number, mark.head)
                for mark in read_only.marks(db)
            )


def lamp_lines(path: Path) -> Iterator[LampLine]:
    """Yield the lines of a lamp log; one that a crash cut short can't be read."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield LampLine(number, msgspec.json.decode(line, type=Lamp))
            except msgspec.MsgspecError:
                yield LampLine(number, None)


def _effect(entry: JournalEntry) -> tuple[bool, int]:
    if not isinstance(entry.decision, Approved):
        return False, 0
    return True, sum(use.amount_minor for use in entry.decision.uses)
