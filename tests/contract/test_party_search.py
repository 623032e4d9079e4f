"""Finding a party by a name: without case and accents, by an index, on both databases; old rows are found too."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from msgspec import structs
from sqlalchemy import Connection, text

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import rows_where
from gateway.db.migrate import configuration, migrate
from gateway.db.parties import search, search_statement
from gateway.db.write import write_rows
from gateway.services.bookings import NewGuest
from gateway.services.person import Forget
from tests.support.guests_world import ARRIVAL, World, world
from tests.support.resort_world import RESORT

AT = datetime(2030, 5, 1, tzinfo=UTC)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world(database_url, tmp_path) as made:
        yield made


def booked(house: World, given_name: str, family_name: str) -> str:
    wish = structs.replace(house.book_wish("day-ticket", 1), guests=(NewGuest(given_name, family_name),))
    return str(house.do("booking.create", wish)["party_id"])


def found(house: World, words: str, limit: int = 20) -> list[str]:
    with house.gateway.database.read() as connection:
        return [row.id for row in search(connection, words, limit)]


def test_a_name_is_found_by_its_beginning_however_it_is_written(house: World) -> None:
    party = booked(house, "Núria", "Öztürk de la Peña")
    other = booked(house, "Zephyrine", "Östberg")
    for words in ("nuria", "NÚR", "ozt", "Öztürk", "nu ozt", "ÖZTÜRK NÚRIA"):
        assert found(house, words) == [party], words
    assert set(found(house, "ös")) | set(found(house, "ÖZ")) == {party, other}
    for words in ("uria", "nuria ost", "%", "_", "%%", "\U0010ffff"):
        assert found(house, words) == [], words


def test_the_newest_bookings_come_first_and_no_more_than_asked(house: World) -> None:
    parties = []
    for _ in range(3):
        parties.append(booked(house, "Tobiah", "Marsvale"))
        house.clock.at += timedelta(hours=1)
    assert found(house, "mars", limit=2) == parties[:0:-1]


def test_who_was_forgotten_is_found_by_no_name(house: World) -> None:
    party = booked(house, "Ondine", "Abernathy")
    (row,) = house.rows(r.PartyRow, id=party)
    house.do("person.forget", Forget(row.lead_guest_id))
    assert found(house, "ondine") == found(house, "aber") == []
    assert found(house, party) == [party]


def test_the_names_of_all_guests_are_not_read_through(house: World) -> None:
    booked(house, "Ondine", "Abernathy")
    database = house.gateway.database
    with database.read() as connection:
        compiled = (
            search_statement("ondine").limit(20).compile(connection, compile_kwargs={"literal_binds": True})
        )
        if database.is_sqlite:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all())
        else:
            # A handful of rows is read through whatever there is; only what an index cannot serve still is now.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = str(connection.exec_driver_sql(f"EXPLAIN {compiled}").all())
    assert "ix_person_given_key" in plan
    assert "ix_person_family_key" in plan
    assert "SCAN person" not in plan
    assert "SCAN party" not in plan
    assert "Seq Scan" not in plan


def test_a_database_of_before_is_given_its_nights_and_names(database_url: str) -> None:
    database = Database(database_url)
    before = configuration()
    with database.write() as connection:
        before.attributes["connection"] = connection
        command.downgrade(before, "0006")
        _fill(connection)
    migrate(database_url)
    with database.read() as connection:
        assert [row.id for row in search(connection, "nuria", 20)] == ["stays"]
        nights = rows_where(connection, r.RoomNightRow)
        types = {row.id: row.room_type for row in rows_where(connection, r.PartyRow)}
    database.close()
    assert types == {"stays": "family", "left": "family", "day": ""}
    assert {(row.room_type, row.night.day, row.rooms, row.taken) for row in nights} == {
        ("family", day, 3, 1) for day in (10, 11, 12)
    }


def _fill(connection: Connection) -> None:
    packed = r.ResortVersionRow(1, RESORT, AT, "test")
    write_rows(connection, [packed], [])
    for party_id, state, product, until in (
        ("stays", "booked", "family-package", 13),
        ("left", "checked_out", "family-package", 13),
        ("day", "booked", "day-ticket", 10),
    ):
        connection.execute(
            text(
                "INSERT INTO party (id, booking_reference, state, product, arrival_day, departure_day, price_minor,"
                " deposit_minor, currency, folio_account_id, lead_guest_id, booked_at) VALUES (:id, :id, :state,"
                " :product, :arrival, :departure, 0, 0, 'EUR', 'f', 'g', '2030-05-01T00:00:00.000000Z')"
            ),
            {
                "id": party_id,
                "state": state,
                "product": product,
                "arrival": ARRIVAL,
                "departure": date(2030, 6, until),
            },
        )
    connection.execute(
        text(
            "INSERT INTO guest (id, party_id, token_id, child, lead) VALUES ('g', 'stays', 't', false, true)"
        )
    )
    connection.execute(
        text(
            "INSERT INTO person (guest_id, given_name, family_name, email, phone, plate)"
            " VALUES ('g', 'Núria', 'Östberg', '', '', '')"
        )
    )
