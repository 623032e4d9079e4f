"""Nights are sold as often as there are rooms; who cancels or leaves early gives the rest back."""

from datetime import date, timedelta

import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.cancellation import CancelParty
from gateway.services.check_out import CheckOut
from gateway.verify.promises import verify
from gateway.verify.report import Promise
from tests.support.guests_world import ARRIVAL, World
from wallet.ledger import Tender

DAY = timedelta(days=1)


def taken(world: World) -> dict[date, int]:
    return {row.night: row.taken for row in world.rows(r.RoomNightRow)}


def refused(world: World, arrival: date) -> Rejection:
    with pytest.raises(Rejection) as refusal:
        world.book(arrival=arrival)
    return refusal.value


def test_a_booking_for_which_no_room_is_free_is_refused_with_the_nights(world: World) -> None:
    parties = [world.book() for _ in range(3)]
    assert taken(world) == {ARRIVAL + n * DAY: 3 for n in range(3)}
    why = refused(world, ARRIVAL)
    assert (why.code, why.status) == ("sold_out", 409)
    assert why.sentence == (
        "No family room is free on the nights of 2030-06-10, 2030-06-11 and 2030-06-12. Please choose other days."
    )
    assert why.detail == {"room_type": "family", "nights": ["2030-06-10", "2030-06-11", "2030-06-12"]}
    assert "the night of 2030-06-12." in refused(world, ARRIVAL + 2 * DAY).sentence
    assert len(world.rows(r.PartyRow)) == len(parties)
    # The day they leave is the day on which others come.
    assert world.book(arrival=ARRIVAL + 3 * DAY).row.state is r.PartyState.BOOKED
    assert world.book(arrival=ARRIVAL - 3 * DAY).row.state is r.PartyState.BOOKED


def test_day_guests_need_no_room(world: World) -> None:
    for _ in range(3):
        world.book()
    ticket = world.book("day-ticket", 1)
    world.do("party.cancel", CancelParty(ticket.id))
    assert taken(world) == {ARRIVAL + n * DAY: 3 for n in range(3)}


def test_a_cancelled_booking_gives_its_nights_back(world: World) -> None:
    first, *_ = [world.book() for _ in range(3)]
    world.do("party.cancel", CancelParty(first.id))
    assert taken(world) == {ARRIVAL + n * DAY: 2 for n in range(3)}
    world.book()
    assert refused(world, ARRIVAL).code == "sold_out"


def test_who_leaves_early_gives_the_nights_back_that_are_left(world: World) -> None:
    parties = [world.checked_in() for _ in range(3)]
    world.clock.at += DAY
    world.do("party.check_out", CheckOut(parties[0].id, Tender.CASH))
    assert [taken(world)[ARRIVAL + n * DAY] for n in range(3)] == [3, 2, 2]
    late = world.book(arrival=ARRIVAL + DAY)
    assert world.checked_in_now(late) == ["101"]
    world.clock.at += 2 * DAY
    world.do("party.check_out", CheckOut(parties[1].id, Tender.CASH))
    assert [taken(world)[ARRIVAL + n * DAY] for n in range(4)] == [3, 3, 3, 1]


def test_fewer_rooms_than_were_sold_lose_no_booking(world: World) -> None:
    parties = [world.book() for _ in range(3)]
    world.load_rooms(1)
    assert refused(world, ARRIVAL).code == "sold_out"
    for left in (2, 1, 0):
        world.do("party.cancel", CancelParty(parties[left].id))
        assert set(taken(world).values()) == {left}
    world.book()
    assert refused(world, ARRIVAL).code == "sold_out"


@pytest.fixture
def lived(world: World) -> World:
    """Nights held, slept, given back by leaving early, and given back by cancelling."""
    parties = [world.checked_in() for _ in range(2)]
    cancelled = world.book()
    world.clock.at += DAY
    world.do("party.check_out", CheckOut(parties[0].id, Tender.CASH))
    world.do("party.cancel", CancelParty(cancelled.id))
    return world


def oversold(world: World) -> list[str]:
    return verify(world.gateway.database, ())[Promise.NOT_OVERSOLD].broken


def spoil(world: World, statement: str) -> None:
    with world.gateway.database.write() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql(statement)


def test_verification_finds_each_night_taken_as_often_as_it_is_held(lived: World) -> None:
    assert oversold(lived) == []
    assert verify(lived.gateway.database, ())[Promise.NOT_OVERSOLD].looked_at == 3
    assert [taken(lived)[ARRIVAL + n * DAY] for n in range(3)] == [2, 1, 1]


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        ("rooms = 0", "night 2030-06-11 in a family room: 1 parties, 1 taken of 0"),
        ("taken = taken + 1", "night 2030-06-11 in a family room: 1 parties, 2 taken of 3"),
        ("taken = taken - 1", "night 2030-06-11 in a family room: 1 parties, 0 taken of 3"),
        ("room_type = 'suite'", "1 parties hold the night 2030-06-11 in a family room that is not counted"),
    ],
)
def test_verification_finds_a_night_whose_count_has_drifted(lived: World, drift: str, says: str) -> None:
    spoil(lived, f"UPDATE room_night SET {drift} WHERE night = '2030-06-11'")
    assert says in oversold(lived)


def test_a_count_that_has_drifted_keeps_nobody_from_leaving(lived: World) -> None:
    spoil(lived, "UPDATE room_night SET taken = 0")
    assert "night 2030-06-12 in a family room: 1 parties, 0 taken of 3" in oversold(lived)
    (staying,) = lived.rows(r.PartyRow, state=r.PartyState.CHECKED_IN)
    assert lived.do("party.check_out", CheckOut(staying.id, Tender.CASH))["settled"] is True
    assert set(taken(lived).values()) == {0}


def test_the_room_type_is_that_of_the_booking_whatever_the_product_asks_for_later(world: World) -> None:
    party = world.book()
    world.load_room_type("suite")
    world.do("party.cancel", CancelParty(party.id))
    assert {(row.room_type, row.taken) for row in world.rows(r.RoomNightRow)} == {("family", 0)}


def test_a_stay_beyond_the_end_of_the_calendar_is_refused_for_its_day(world: World) -> None:
    assert refused(world, date.max).code == "arrival_too_far"
