"""Questions about chips and the epochs of their keys."""

from collections.abc import Collection

from sqlalchemy import Connection

from gateway.db.load import chunks, rows_where
from gateway.db.rows import ChipEpochRow, ChipRow
from gateway.db.tables import chips

_CHIP = chips.chip.c


def chip_epochs(connection: Connection) -> list[ChipEpochRow]:
    """Return every epoch of the chips' keys, oldest first."""
    return sorted(rows_where(connection, ChipEpochRow), key=lambda row: row.epoch)


def chips_of(connection: Connection, uids: Collection[str]) -> dict[str, ChipRow]:
    """Return what is known of these chips, by UID."""
    found = (rows_where(connection, ChipRow, _CHIP.uid.in_(chunk)) for chunk in chunks(uids))
    return {row.uid: row for rows in found for row in rows}
