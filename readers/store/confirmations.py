"""Which bands were written and read back here, and not yet confirmed to the gateway."""

import sqlite3


def owed(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the encoding ids that are still to be confirmed, the first written first."""
    return tuple(name for (name,) in db.execute("SELECT encoding_id FROM confirmation ORDER BY rowid"))


def owe(db: sqlite3.Connection, encoding_id: str) -> None:
    """Keep an encoding until it is confirmed."""
    db.execute("INSERT OR IGNORE INTO confirmation (encoding_id) VALUES (?)", (encoding_id,))


def settle(db: sqlite3.Connection, encoding_id: str) -> None:
    """Let go of an encoding that the gateway has answered."""
    db.execute("DELETE FROM confirmation WHERE encoding_id = ?", (encoding_id,))
