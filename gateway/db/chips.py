"""Questions about chips and the epochs of their keys."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from gateway.db import locks
from gateway.db.engine import Database
from gateway.db.load import chunks, rows_where
from gateway.db.rows import ChipEpochRow, ChipRow
from gateway.db.tables import chips, party
from wallet.medium import MediumState

_CHIP = chips.chip.c
_MEDIUM = party.medium.c


def chip_epochs(connection: Connection) -> list[ChipEpochRow]:
    """Return every epoch of the chips' keys, oldest first."""
    return sorted(rows_where(connection, ChipEpochRow), key=lambda row: row.epoch)


def chips_of(connection: Connection, uids: Collection[str]) -> dict[str, ChipRow]:
    """Return what is known of these chips, by UID."""
    found = (rows_where(connection, ChipRow, _CHIP.uid.in_(chunk)) for chunk in chunks(uids))
    return {row.uid: row for rows in found for row in rows}


def listed(connection: Connection, batch: str = "", state: str = "") -> list[ChipRow]:
    """Return chips (of a batch, in a state, if named) by batch and what is printed on them."""
    wanted = [column == value for column, value in ((_CHIP.batch, batch), (_CHIP.state, state)) if value]
    found = rows_where(connection, ChipRow, *wanted)
    return sorted(found, key=lambda row: (row.batch, row.printed_id, row.uid))


def tally(connection: Connection) -> list[tuple[str, str, str, int]]:
    """Return (batch, kind, state, how many chips), in order."""
    columns = (_CHIP.batch, _CHIP.kind, _CHIP.state)
    found = connection.execute(select(*columns, func.count()).group_by(*columns))
    return sorted((batch, kind, state.value, int(count)) for batch, kind, state, count in found)


def media_by_issuer_epoch(connection: Connection, at: datetime) -> dict[int, int]:
    """Return how many live media there are whose chips were signed in each epoch."""
    counted = select(_MEDIUM.issuer_epoch, func.count()).where(*_live(at), _MEDIUM.chip_uid != "")
    return {epoch: int(count) for epoch, count in connection.execute(counted.group_by(_MEDIUM.issuer_epoch))}


def media_by_chip_epoch(connection: Connection, at: datetime) -> dict[int, int]:
    """Return how many live media there are on chips that carry the keys of each epoch."""
    counted = (
        select(_CHIP.key_epoch, func.count())
        .join_from(chips.chip, party.medium, _MEDIUM.chip_uid == _CHIP.uid)
        .where(*_live(at), _CHIP.key_epoch > 0)
        .group_by(_CHIP.key_epoch)
    )
    return {epoch: int(count) for epoch, count in connection.execute(counted)}


def _live(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is on a chip from before this was noted counts as live until the medium is turned off."""
    lasting = or_(_MEDIUM.expires_at.is_(None), _MEDIUM.expires_at > at)
    return _MEDIUM.state == MediumState.ACTIVE, _MEDIUM.revoked_at.is_(None), lasting


def advance_sun(database: Database, uid: str, counter: int, at: datetime) -> bool:
    """Put a chip's read counter forward; return False when it was as high already, or nobody knows the chip.

    It is held as a command would hold it, so that none writes the row back as it was before.
    """
    with database.write() as connection:
        locks.hold(connection, [f"STOCK:{uid}"])
        forward = update(chips.chip).where(_CHIP.uid == uid, _CHIP.sun_counter < counter)
        return connection.execute(forward.values(sun_counter=counter, sun_at=at)).rowcount == 1
