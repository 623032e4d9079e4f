"""What the gateway told: documents, tombstones, resort, cursor. Nothing older overwrites anything newer."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from readers.store import chips
from wallet.resort import Resort
from wallet.snapshot import FeedBatch, Snapshot, TokenChange
from wallet.token import TokenDocument

_DOCUMENT = msgspec.json.Decoder(TokenDocument)
_RESORT = msgspec.json.Decoder(Resort)


class OutOfStep(Exception):
    """A feed batch doesn't begin where this edge stands; it was not applied."""


class Known(Struct, frozen=True):
    """How far this edge knows the feed: everything up to `position`, as of the gateway's instant `as_of`.

    `mark` is what the gateway calls the entry at `position`; empty when it never said. `whole` is False before the
    first snapshot is complete, and while a later one is taken: taps go on by what is known, no feed continues it.
    """

    position: int
    as_of: datetime | None
    mark: str = ""
    whole: bool = False


def known(db: sqlite3.Connection) -> Known:
    """Return how far the feed is known; `as_of` is None before the first whole snapshot."""
    position, as_of, mark, is_open = db.execute(
        "SELECT position, as_of, mark, snapshot_open FROM cursor"
    ).fetchone()
    return Known(
        position, datetime.fromisoformat(as_of) if as_of else None, mark, as_of is not None and not is_open
    )


def document(db: sqlite3.Connection, token_id: str) -> TokenDocument | None:
    """Return the token's document, None when it is unknown or gone.

    Raises:
        msgspec.MsgspecError: it holds a right that this version doesn't understand.
    """
    row = db.execute("SELECT body FROM document WHERE token_id = ?", (token_id,)).fetchone()
    return _DOCUMENT.decode(row[0]) if row and row[0] is not None else None


def version(db: sqlite3.Connection, token_id: str) -> int:
    """Return the version known of a token, 0 when it was never heard of."""
    row = db.execute("SELECT version FROM document WHERE token_id = ?", (token_id,)).fetchone()
    return int(row[0]) if row else 0


def resort(db: sqlite3.Connection) -> Resort | None:
    """Return the resort as last told."""
    row = db.execute("SELECT body FROM resort").fetchone()
    return _RESORT.decode(row[0]) if row else None


def resort_version(db: sqlite3.Connection) -> int:
    """Return the version of the resort, 0 when it is not known."""
    row = db.execute("SELECT version FROM resort").fetchone()
    return int(row[0]) if row else 0


def open_snapshot(db: sqlite3.Connection) -> None:
    """Ask for a snapshot run: what is known can't be continued by the feed."""
    db.execute("UPDATE cursor SET snapshot_open = 1")


def begin_snapshot(db: sqlite3.Connection) -> None:
    """Begin a snapshot run: what no page of it names is dropped at its end.

    It may be told by a gateway that was restored from an older copy, wherever its feed stands by now. Its versions
    count anew: kept beside them, those of the lost days would hold off every later revocation.
    """
    db.execute("UPDATE document SET version = 0, position = 0")
    db.execute("UPDATE resort SET version = 0")
    db.execute("UPDATE cursor SET run = run + 1, snapshot_open = 1")


def put_page(db: sqlite3.Connection, page: Snapshot) -> None:
    """Apply one page; the last one moves the cursor and drops what the run didn't name."""
    put_resort(db, page.resort)
    run = db.execute("SELECT run FROM cursor").fetchone()[0]
    changes = [TokenChange(page.position, each.token_id, each.version, each) for each in page.documents]
    put_changes(db, changes, run)
    if page.next_after is None:
        db.execute("DELETE FROM document WHERE run < ? AND position <= ?", (run, page.position))
        chips.end_snapshot(db, run)
        _move(db, page.position, page.as_of, page.mark)
        db.execute("UPDATE cursor SET snapshot_open = 0")


def put_batch(db: sqlite3.Connection, batch: FeedBatch) -> None:
    """Apply a batch that begins where the edge stands.

    Raises:
        OutOfStep: it begins elsewhere, or ends before it begins.
    """
    stands = known(db)
    if not stands.whole or stands.as_of is None:
        raise OutOfStep("there is no whole snapshot yet to apply a batch to")
    if batch.from_position != stands.position or batch.to_position < batch.from_position:
        told = f"({batch.from_position}, {batch.to_position}]"
        raise OutOfStep(f"the batch {told} doesn't continue position {stands.position}")
    if batch.resort is not None:
        put_resort(db, batch.resort)
    run = db.execute("SELECT run FROM cursor").fetchone()[0]
    put_changes(db, batch.changes, run)
    # The gateway's clock may be set back, what is known is not.
    _move(db, batch.to_position, max(batch.as_of, stands.as_of), batch.mark)


def put_changes(db: sqlite3.Connection, changes: Sequence[TokenChange], run: int) -> None:
    """Write documents and tombstones that are newer than what is there."""
    rows = [
        (
            each.token_id,
            each.version,
            each.position,
            run,
            msgspec.json.encode(each.document) if each.document else None,
        )
        for each in changes
    ]
    db.executemany(
        "INSERT INTO document VALUES (?, ?, ?, ?, ?) ON CONFLICT (token_id) DO UPDATE SET "
        "body = CASE WHEN excluded.version > version THEN excluded.body ELSE body END, "
        "position = CASE WHEN excluded.version > version THEN excluded.position ELSE position END, "
        "run = excluded.run, version = max(version, excluded.version)",
        rows,
    )
    for each in changes:
        if version(db, each.token_id) == each.version:
            chips.put_media(db, each.token_id, each.document)


def put_resort(db: sqlite3.Connection, told: Resort) -> None:
    """Write the resort unless a newer one is there."""
    db.execute(
        "INSERT INTO resort VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET "
        "version = excluded.version, body = excluded.body WHERE excluded.version > version",
        (told.version, msgspec.json.encode(told)),
    )


def _move(db: sqlite3.Connection, position: int, as_of: datetime, mark: str) -> None:
    db.execute("UPDATE cursor SET position = ?, as_of = ?, mark = ?", (position, as_of.isoformat(), mark))
