"""Questions about taps and what is left for a person to look at."""

from datetime import datetime

from sqlalchemy import Connection, literal, select, tuple_

from gateway.db.load import rows_where, select_rows
from gateway.db.rows import (
    ConflictRow,
    ConflictState,
    HoldState,
    SetAsideRow,
    SetAsideState,
    TapRow,
    TapUseRow,
)
from gateway.db.tables import money, party, taps


def tap_named(connection: Connection, tap_id: str) -> TapRow | None:
    """Return the tap."""
    found = rows_where(connection, TapRow, taps.tap.c.id == tap_id)
    return found[0] if found else None


def uses_of(connection: Connection, tap_id: str) -> list[TapUseRow]:
    """Return the uses that a tap made."""
    return rows_where(connection, TapUseRow, party.tap_use.c.tap_id == tap_id)


def conflicts_of_tap(connection: Connection, tap_id: str) -> list[ConflictRow]:
    """Return the conflicts filed for a tap."""
    return rows_where(connection, ConflictRow, taps.conflict.c.tap_id == tap_id)


def conflicts(
    connection: Connection, state: ConflictState | None, after: str, limit: int
) -> list[ConflictRow]:
    """Return conflicts behind the id `after`, in the order in which they were filed."""
    column = taps.conflict.c
    statement = select_rows(ConflictRow).where(column.id > after).order_by(column.id).limit(limit)
    if state is not None:
        statement = statement.where(column.state == state)
    return [ConflictRow(*record) for record in connection.execute(statement)]


def set_aside(
    connection: Connection, state: SetAsideState, after: tuple[str, str, int] | None, limit: int
) -> list[SetAsideRow]:
    """Return journal entries in this state behind `after`, in order of edge, epoch and number."""
    column = taps.journal_set_aside.c
    place = (column.edge, column.epoch, column.number)
    statement = select_rows(SetAsideRow).where(column.state == state).order_by(*place).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*place) > tuple_(*map(literal, after)))
    return [SetAsideRow(*record) for record in connection.execute(statement)]


def set_aside_named(connection: Connection, edge: str, epoch: str, number: int) -> SetAsideRow | None:
    """Return one journal entry that was set aside."""
    column = taps.journal_set_aside.c
    here = (column.edge == edge, column.epoch == epoch, column.number == number)
    found = rows_where(connection, SetAsideRow, *here)
    return found[0] if found else None


def holds_passed(connection: Connection, edge: str, at: datetime) -> list[str]:
    """Return the tap ids of the edge's holds that are pending though their time ended before `at`."""
    hold = money.hold.c
    pending = (hold.edge == edge, hold.state == HoldState.PENDING, hold.expires_at < at)
    return list(connection.execute(select(hold.id).where(*pending).order_by(hold.id)).scalars())
