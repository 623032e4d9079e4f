"""Nights in rooms, so that no more are sold than there are; names as they are searched for, with an index."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from gateway.db.names import name_key
from gateway.db.types import Bytewise

revision = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None

_HOLDING = ("booked", "checked_in")


def upgrade() -> None:
    op.create_table(
        "room_night",
        sa.Column("room_type", sa.String(length=64), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("rooms", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0 AND taken <= rooms", name=op.f("ck_room_night_never_oversold")),
        sa.PrimaryKeyConstraint("room_type", "night", name=op.f("pk_room_night")),
    )
    op.add_column("party", sa.Column("room_type", sa.String(length=64), nullable=False, server_default=""))
    op.drop_index(op.f("ix_person_family_name"), "person")
    for name in ("given_key", "family_key"):
        op.add_column("person", sa.Column(name, Bytewise, nullable=False, server_default=""))
        op.create_index(op.f(f"ix_person_{name}"), "person", [name], unique=False)
    _count_nights(op.get_bind())
    _write_keys(op.get_bind())


def downgrade() -> None:
    for name in ("family_key", "given_key"):
        op.drop_index(op.f(f"ix_person_{name}"), "person")
        op.drop_column("person", name)
    op.create_index(op.f("ix_person_family_name"), "person", ["family_name"], unique=False)
    op.drop_column("party", "room_type")
    op.drop_table("room_night")


def _count_nights(connection: sa.Connection) -> None:
    """Count the nights of the parties that were booked before; where they are too many, so many rooms are said."""
    party = sa.table(
        "party",
        *(sa.column(name, sa.Date()) for name in ("arrival_day", "departure_day")),
        *(sa.column(name, sa.String()) for name in ("product", "state", "room_type")),
    )
    room_night = sa.table(
        "room_night",
        sa.column("room_type", sa.String()),
        sa.column("night", sa.Date()),
        *(sa.column(name, sa.Integer()) for name in ("rooms", "taken")),
    )
    rooms, types = _resort(connection)
    for product, room_type in types.items():
        connection.execute(sa.update(party).where(party.c.product == product).values(room_type=room_type))
    taken: dict[tuple[str, date], int] = {}
    held = sa.select(party.c.product, party.c.arrival_day, party.c.departure_day)
    for product, arrival, departure in connection.execute(held.where(party.c.state.in_(_HOLDING))):
        for night in _nights(arrival, departure) if types.get(product) else ():
            where = types[product], night
            taken[where] = taken.get(where, 0) + 1
    if taken:
        rows = [
            {"room_type": kind, "night": night, "rooms": max(rooms.get(kind, 0), count), "taken": count}
            for (kind, night), count in sorted(taken.items())
        ]
        connection.execute(sa.insert(room_night), rows)


def _resort(connection: sa.Connection) -> tuple[dict[str, int], dict[str, str]]:
    """Return how many rooms there are of each type, and which type each product with a room asks for."""
    version = sa.table("resort_version", sa.column("version", sa.Integer()), sa.column("body", sa.Text()))
    newest = sa.select(version.c.body).order_by(version.c.version.desc()).limit(1)
    body = connection.execute(newest).scalar_one_or_none()
    resort: dict[str, Any] = msgspec.json.decode(body) if body else {}
    rooms: dict[str, int] = {}
    for room in resort.get("rooms", ()):
        rooms[room["type"]] = rooms.get(room["type"], 0) + 1
    return rooms, {
        product["id"]: product["room_type"]
        for product in resort.get("products", ())
        if product.get("room_type")
    }


def _nights(arrival: date, departure: date) -> Iterator[date]:
    return (arrival + timedelta(days=n) for n in range((departure - arrival).days))


def _write_keys(connection: sa.Connection) -> None:
    names = ("guest_id", "given_name", "family_name", "given_key", "family_key")
    person = sa.table("person", *(sa.column(name, sa.String()) for name in names))
    found = connection.execute(sa.select(person.c.guest_id, person.c.given_name, person.c.family_name)).all()
    if found:
        change = (
            sa.update(person)
            .where(person.c.guest_id == sa.bindparam("at_guest"))
            .values(given_key=sa.bindparam("given"), family_key=sa.bindparam("family"))
        )
        rows = [
            {"at_guest": guest, "given": name_key(given), "family": name_key(family)}
            for guest, given, family in found
        ]
        connection.execute(change, rows)
