"""Which bands were written and read back here, and not yet confirmed to the gateway."""

import sqlite3


def owed(db: sqlite3.Connection) -> dict[str, str]:
    """Return what is still to be confirmed, encoding id → medium id, the first written first."""
    return dict(db.execute("SELECT encoding_id, medium_id FROM confirmation ORDER BY rowid"))


def owe(db: sqlite3.Connection, encoding_id: str, medium_id: str) -> None:
    """Keep an encoding until it is confirmed, for the medium that it was written for last."""
    db.execute(
        "INSERT INTO confirmation (encoding_id, medium_id) VALUES (?, ?) "
        "ON CONFLICT (encoding_id) DO UPDATE SET medium_id = excluded.medium_id",
        (encoding_id, medium_id),
    )


def settle(db: sqlite3.Connection, encoding_id: str) -> None:
    """Let go of an encoding that the gateway has answered."""
    db.execute("DELETE FROM confirmation WHERE encoding_id = ?", (encoding_id,))
