"""Questions about the house itself: keys, sessions, staff, edges and nonces."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, text
from sqlalchemy.exc import IntegrityError

from gateway.db.engine import Database
from gateway.db.load import rows_where
from gateway.db.rows import EdgeRow, IssuerKeyRow, SessionRow, StaffRow
from gateway.db.tables import house, taps


def issuer_keys(connection: Connection) -> list[IssuerKeyRow]:
    """Return every issuer key, oldest epoch first."""
    return sorted(rows_where(connection, IssuerKeyRow), key=lambda row: (row.epoch, row.made_at))


def session(connection: Connection, token_hash: str) -> SessionRow | None:
    """Return the session whose token has this hash."""
    return next(iter(rows_where(connection, SessionRow, house.session.c.token_hash == token_hash)), None)


def staff_named(connection: Connection, name: str) -> StaffRow | None:
    """Return the member of staff who signs in as `name`."""
    return next(iter(rows_where(connection, StaffRow, house.staff.c.name == name)), None)


def staff_member(connection: Connection, staff_id: str) -> StaffRow | None:
    """Return the member of staff."""
    return next(iter(rows_where(connection, StaffRow, house.staff.c.id == staff_id)), None)


def edge(connection: Connection, edge_id: str) -> EdgeRow | None:
    """Return the edge."""
    return next(iter(rows_where(connection, EdgeRow, taps.edge.c.id == edge_id)), None)


def edges(connection: Connection) -> list[EdgeRow]:
    """Return every edge, in order of id."""
    return sorted(rows_where(connection, EdgeRow), key=lambda row: row.id)


def spend_nonce(database: Database, edge_id: str, nonce: str, at: datetime, forget_before: datetime) -> bool:
    """Note a nonce; return False when it was seen before. Those older than `forget_before` are forgotten."""
    column = taps.edge_nonce.c
    try:
        with database.write() as connection:
            connection.execute(insert(taps.edge_nonce).values(edge=edge_id, nonce=nonce, seen_at=at))
            # Once in a while is enough, and needs no clock of its own: one nonce in 256 begins with 00.
            if nonce.startswith("00"):
                connection.execute(delete(taps.edge_nonce).where(column.seen_at < forget_before))
    except IntegrityError:
        return False
    return True


def answers_queries(connection: Connection) -> bool:
    """Return True if the database answers at all; it raises otherwise."""
    return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)
