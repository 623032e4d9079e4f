"""The journal's rows: numbered without gaps within an epoch, chained, acknowledged up to a mark."""

import sqlite3
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from readers.store.database import StoreDamaged
from wallet.journal import GENESIS, EntryKind, JournalEntry, chain, encode_entry

_ENTRY = msgspec.json.Decoder(JournalEntry)
CHECKED_AT_START = 1000
"""How many of the last entries are followed at each start; `passband verify` follows all."""


class Mark(Struct, frozen=True):
    """Where the journal stands: its last number and chain value, and up to where the gateway has it."""

    epoch: str
    number: int
    head: str
    acknowledged: int
    acknowledged_head: str

    @property
    def backlog(self) -> int:
        """How many entries the gateway has not acknowledged."""
        return self.number - self.acknowledged


class Line(Struct, frozen=True):
    """One stored entry with the chain value after it."""

    entry: JournalEntry
    head: str


def begin_epoch(db: sqlite3.Connection, epoch: str) -> None:
    """Begin a new run of numbers."""
    db.execute(
        "INSERT INTO epoch (epoch, number, head, acknowledged, acknowledged_head) VALUES (?, 0, ?, 0, ?)",
        (epoch, GENESIS, GENESIS),
    )


def mark(db: sqlite3.Connection) -> Mark:
    """Return where the journal of the current epoch stands."""
    row = db.execute(
        "SELECT epoch, number, head, acknowledged, acknowledged_head FROM epoch ORDER BY ordinal DESC LIMIT 1"
    ).fetchone()
    return Mark(*row)


def append(db: sqlite3.Connection, entry: JournalEntry) -> None:
    """Write the entry, which must follow the last one."""
    head = chain(entry.previous, entry)
    moved = db.execute(
        "UPDATE epoch SET number = ?, head = ? WHERE epoch = ? AND number = ? AND head = ?",
        (entry.number, head, entry.epoch, entry.number - 1, entry.previous),
    ).rowcount
    assert moved == 1, "an entry follows the last one of its epoch"
    sale = entry.tap.sale if entry.tap and entry.kind is EntryKind.TAP else None
    db.execute(
        "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            entry.epoch,
            entry.number,
            entry.kind.value,
            entry.tap.tap_id if entry.tap else None,
            sale.sale_id if sale else None,
            encode_entry(entry),
            head,
        ),
    )


def after(db: sqlite3.Connection, epoch: str, number: int, limit: int) -> tuple[Line, ...]:
    """Return up to `limit` entries of the epoch after `number`, in order."""
    rows = db.execute(
        "SELECT body, head FROM journal WHERE epoch = ? AND number > ? ORDER BY number LIMIT ?",
        (epoch, number, limit),
    )
    return tuple(Line(_ENTRY.decode(body), head) for body, head in rows)


def between(db: sqlite3.Connection, epoch: str, after_number: int, last: int) -> Iterator[JournalEntry]:
    """Yield the entries of the epoch behind `after_number` up to `last`, in order."""
    rows = db.execute(
        "SELECT body FROM journal WHERE epoch = ? AND number > ? AND number <= ? ORDER BY number",
        (epoch, after_number, last),
    )
    for (body,) in rows:
        yield _ENTRY.decode(body)


def everything(db: sqlite3.Connection) -> Iterator[Line]:
    """Yield all entries, epoch by epoch."""
    rows = db.execute(
        "SELECT journal.body, journal.head FROM epoch JOIN journal USING (epoch) "
        "ORDER BY epoch.ordinal, journal.number"
    )
    for body, head in rows:
        yield Line(_ENTRY.decode(body), head)


def of_tap(db: sqlite3.Connection, tap_id: str) -> JournalEntry | None:
    """Return the entry with the tap's verdict, None before there is one."""
    row = db.execute("SELECT body FROM journal WHERE tap_id = ? AND kind = 'tap'", (tap_id,)).fetchone()
    return _ENTRY.decode(row[0]) if row else None


def of_sale(db: sqlite3.Connection, sale_id: str) -> JournalEntry | None:
    """Return the last verdict on a sale, None when no tap was made for it."""
    row = db.execute(
        "SELECT body FROM journal WHERE sale_id = ? ORDER BY rowid DESC LIMIT 1", (sale_id,)
    ).fetchone()
    return _ENTRY.decode(row[0]) if row else None


def last(db: sqlite3.Connection, limit: int) -> tuple[JournalEntry, ...]:
    """Return the last taps' entries, the latest first."""
    rows = db.execute("SELECT body FROM journal WHERE kind = 'tap' ORDER BY rowid DESC LIMIT ?", (limit,))
    return tuple(_ENTRY.decode(body) for (body,) in rows)


def head_at(db: sqlite3.Connection, epoch: str, number: int) -> str | None:
    """Return the chain value after entry `number`, None when there is no such entry."""
    if number == 0:
        return GENESIS
    row = db.execute("SELECT head FROM journal WHERE epoch = ? AND number = ?", (epoch, number)).fetchone()
    return row[0] if row else None


def acknowledged(db: sqlite3.Connection, epoch: str) -> int:
    """Return up to which number the gateway has the epoch's entries."""
    row = db.execute("SELECT acknowledged FROM epoch WHERE epoch = ?", (epoch,)).fetchone()
    return int(row[0]) if row else 0


def set_acknowledged(db: sqlite3.Connection, epoch: str, number: int, head: str) -> None:
    """Write up to where the gateway has the epoch's entries."""
    db.execute(
        "UPDATE epoch SET acknowledged = ?, acknowledged_head = ? WHERE epoch = ?", (number, head, epoch)
    )


def check(db: sqlite3.Connection) -> None:
    """Follow the last entries of the current epoch.

    Raises:
        StoreDamaged: a gap, an edited entry, or a last entry that isn't the head.
    """
    stands = mark(db)
    start = max(0, stands.number - CHECKED_AT_START)
    head = head_at(db, stands.epoch, start)
    try:
        lines = after(db, stands.epoch, start, CHECKED_AT_START + 1)
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"an entry of the journal can't be read: {error}") from None
    number = start
    for line in lines:
        if line.entry.number != number + 1 or line.entry.previous != head:
            raise StoreDamaged(f"the journal is broken after entry {number} of epoch {stands.epoch}")
        number, head = line.entry.number, chain(line.entry.previous, line.entry)
        if head != line.head:
            raise StoreDamaged(f"entry {number} of epoch {stands.epoch} was changed after it was written")
    if (number, head) != (stands.number, stands.head):
        raise StoreDamaged(f"the journal ends at entry {number}, but {stands.number} were written")
