"""An edge's file seen from outside, while the edge may be running; nothing is written."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from readers.store import journal
from readers.store.database import named
from readers.store.journal import Line, Mark


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that can't write.

    Raises:
        FileNotFoundError: there is no such file.
        StoreDamaged: it is no database.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; was this edge ever started?")
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM epoch").fetchone()
    except sqlite3.Error as error:
        raise named(error) from error
    return db


def entries(db: sqlite3.Connection) -> Iterator[Line]:
    """Yield all entries, epoch by epoch."""
    return journal.everything(db)


def marks(db: sqlite3.Connection) -> tuple[Mark, ...]:
    """Return where each epoch stands."""
    rows = db.execute(
        "SELECT epoch, number, head, acknowledged, acknowledged_head FROM epoch ORDER BY ordinal"
    )
    return tuple(Mark(*row) for row in rows)


def versions(db: sqlite3.Connection) -> dict[str, int]:
    """Return the version of each document held; tombstones are not listed."""
    return dict(db.execute("SELECT token_id, version FROM document WHERE body IS NOT NULL"))


def position(db: sqlite3.Connection) -> int:
    """Return the feed position up to which all changes are known."""
    return int(db.execute("SELECT position FROM cursor").fetchone()[0])
