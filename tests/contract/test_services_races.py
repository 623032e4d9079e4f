"""What must hold when many want the same at once, on both databases: windows, rooms, chips and references."""

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.bookings import CreateBooking, NewGuest
from gateway.services.check_in import CheckIn
from gateway.services.encodings import IssueEncoding, RequestEncoding
from gateway.services.reservations import BookReservation, CancelReservation
from tests.support.guests_world import ARRIVAL, World, world
from tests.support.resort_world import RESORT
from wallet.medium import MediumKind

OPENS_AT = RESORT.instant(ARRIVAL, RESORT.parks[0].opens)
CAROUSEL_PLACES = 8


@pytest.fixture
def worlds(database_url: str, tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two gateway processes' worth of conveyors on one database."""
    with world(database_url, tmp_path) as one, world(database_url, tmp_path, one.clock) as other:
        other.numbers = iter(range(1_000_000, 2_000_000))  # type: ignore[assignment]  # ids of its own
        yield one, other


def settle(futures: list["Future[dict[str, Any]]"]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the answers and the codes of the rejections; any other error fails the test."""
    answers, codes = [], []
    for future in futures:
        try:
            answers.append(future.result(60))
        except Rejection as rejection:
            codes.append(rejection.code)
    return answers, codes


def test_thirty_parties_never_oversell_a_window(worlds: tuple[World, World]) -> None:
    one, other = worlds
    one.load_rooms(30)
    parties = [one.book(guests=1 + n % 3) for n in range(30)]
    futures = [
        (one, other)[n % 2].submit(
            "reservation.book", BookReservation(tuple(party.tokens), "carousel", OPENS_AT)
        )
        for n, party in enumerate(parties)
    ]
    answers, codes = settle(futures)
    assert codes == []
    booked = [answer for answer in answers if answer["booked"]]
    assert {answer["reason"] for answer in answers if not answer["booked"]} == {"window_full"}
    (window,) = one.rows(r.ReturnWindowRow)
    held = one.rows(r.EntitlementRow, kind="bypass")
    assert window.taken == len(held) == sum(len(answer["results"]) for answer in booked) <= CAROUSEL_PLACES
    # All or nobody: of each party either every guest holds a place or none does.
    holders = {row.token_id for row in held}
    assert all(set(party.tokens) <= holders or not set(party.tokens) & holders for party in parties)
    # Full means full: not even one place more than the smallest refused party would have needed.
    assert CAROUSEL_PLACES - window.taken < 3
    cancelled = one.do("reservation.cancel", CancelReservation(held[0].id))
    assert cancelled["cancelled"]
    assert one.rows(r.ReturnWindowRow)[0].taken == len(held) - 1


def test_no_room_is_given_to_two_parties(worlds: tuple[World, World]) -> None:
    one, other = worlds
    one.load_rooms(10)
    parties = [one.book(guests=1) for _ in range(10)]
    one.load_rooms(3)  # seven are being mended
    one.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts) + timedelta(hours=11)
    answers, codes = settle(
        [(one, other)[n % 2].submit("party.check_in", CheckIn(party.id)) for n, party in enumerate(parties)]
    )
    assert sorted(room for answer in answers for room in answer["rooms"]) == ["101", "102", "201"]
    assert codes == ["no_room_free"] * 7
    assert len({stay.room for stay in one.rows(r.StayRow)}) == len(one.rows(r.StayRow)) == 3


def test_no_night_is_sold_more_often_than_there_are_rooms(worlds: tuple[World, World]) -> None:
    one, other = worlds
    nights = [one.book_wish(arrival=ARRIVAL + timedelta(days=n % 3)) for n in range(20)]
    answers, codes = settle(
        [(one, other)[n % 2].submit("booking.create", wish) for n, wish in enumerate(nights)]
    )
    assert codes == ["sold_out"] * (20 - len(answers))
    booked = [party for party in one.rows(r.PartyRow) if party.state is r.PartyState.BOOKED]
    assert len(booked) == len(answers) >= 3
    for row in one.rows(r.RoomNightRow):
        held = [party for party in booked if party.arrival_day <= row.night < party.departure_day]
        assert row.taken == len(held) <= row.rooms == 3
    # The night of the third day is wanted by all, so it is full; and everyone who was booked gets a room.
    (third,) = one.rows(r.RoomNightRow, night=ARRIVAL + timedelta(days=2))
    assert third.taken == 3
    one.clock.at = RESORT.instant(ARRIVAL + timedelta(days=2), RESORT.day_starts) + timedelta(hours=11)
    rooms = [one.do("party.check_in", CheckIn(party.id))["rooms"] for party in booked]
    assert sorted(rooms) == [["101"], ["102"], ["201"]]
    one.assert_books_balance()


def test_one_chip_is_bound_to_one_guest(worlds: tuple[World, World]) -> None:
    one, other = worlds
    party = one.book(guests=4)
    jobs = [
        one.do("encoding.request", RequestEncoding(token, "encoder-desk", MediumKind.BAND))["encoding_id"]
        for token in party.tokens
    ]
    settle(
        [
            (one, other)[n % 2].submit("encoding.issue", IssueEncoding(job, "04a1b2c3d4e5f6", "hotel"))
            for n, job in enumerate(jobs)
        ]
    )
    pending = [row for row in one.rows(r.MediumRow, chip_uid="04a1b2c3d4e5f6") if row.revoked_at is None]
    assert len(pending) == 1


def test_two_processes_never_give_one_reference_twice(worlds: tuple[World, World]) -> None:
    one, other = worlds
    wish = CreateBooking(
        "day-ticket", ARRIVAL, (NewGuest("A", "B"),), "", ("AAAAAA", "BBBBBB", "CCCCCC"), "x"
    )
    answers, codes = settle([(one, other)[n % 2].submit("booking.create", wish) for n in range(8)])
    assert sorted(answer["booking_reference"] for answer in answers) == ["AAAAAA", "BBBBBB", "CCCCCC"]
    assert codes == ["no_reference"] * 5
    one.assert_books_balance()
