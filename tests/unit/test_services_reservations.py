"""Reservations: all or nobody, by the wallet's rules, and a place given back is a place free."""

from datetime import datetime, timedelta

import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.reservations import BookReservation, CancelReservation
from tests.support.guests_world import ARRIVAL, Party, World
from tests.support.resort_world import RESORT
from tests.support.till import Edge, new_tap, phone
from wallet.tap import Approved
from wallet.token import Step, Use

OPENS_AT = RESORT.instant(ARRIVAL, RESORT.parks[0].opens)


def at(hour: int, days: int = 0) -> datetime:
    return OPENS_AT + timedelta(hours=hour - 9, days=days)


def book(world: World, party: Party, attraction: str, starts_at: datetime, *tokens: int) -> dict[str, object]:
    chosen = tuple(party.tokens[token] for token in (tokens or range(len(party.tokens))))
    return world.do("reservation.book", BookReservation(chosen, attraction, starts_at))


def taken(world: World) -> list[int]:
    return [window.taken for window in world.rows(r.ReturnWindowRow)]


def test_a_party_books_together_and_each_gives_back_alone(world: World) -> None:
    party = world.book()
    answer = book(world, party, "comet", at(10))
    assert answer["booked"]
    assert taken(world) == [4]
    (right,) = party.rights("bypass", 2)
    world.do("reservation.cancel", CancelReservation(right.id))
    assert taken(world) == [3]
    assert [len([row for row in party.rights("bypass", n) if not row.revoked_at]) for n in range(4)] == [
        1,
        1,
        0,
        1,
    ]
    with pytest.raises(Rejection) as refused:
        world.do("reservation.cancel", CancelReservation(right.id))
    assert refused.value.code == "already_cancelled"
    assert taken(world) == [3]


def test_one_who_may_not_keeps_all_from_it_and_everyone_hears_why(world: World) -> None:
    party = world.book()
    assert book(world, party, "galleon", at(10), 2)["booked"]
    answer = book(world, party, "comet", at(10))
    assert (answer["booked"], answer["reason"], answer["token_id"]) == (
        False,
        "windows_overlap",
        party.tokens[2],
    )
    assert "Galleon" in str(answer["sentence"])
    assert len(world.rows(r.ReturnWindowRow)) == 1
    assert party.rights("bypass", 0) == []
    assert world.events(party.id)[-1] == "reservation.refused"


def test_quota_tier_and_day_are_the_wallets_rules(world: World) -> None:
    party = world.book(guests=1)
    assert book(world, party, "comet", at(10))["booked"]
    for attraction, starts_at, reason in (
        ("comet", at(12), "picks_tier_one"),
        ("galleon", at(10, days=9), "no_admission"),
        ("galleon", at(10), "windows_overlap"),
    ):
        assert book(world, party, attraction, starts_at)["reason"] == reason
    assert book(world, party, "galleon", at(12))["booked"]
    assert book(world, party, "falls", at(14))["booked"]
    assert book(world, party, "carousel", at(16))["reason"] == "picks_all_held"


def test_a_party_larger_than_what_is_left_books_nothing(world: World) -> None:
    world.load_rooms(4)
    first, second, third = world.book(), world.book(guests=3), world.book(guests=1)
    assert book(world, first, "carousel", at(10))["booked"]
    assert book(world, second, "carousel", at(10))["booked"]
    late = world.book(guests=2)
    refused = book(world, late, "carousel", at(10))
    assert (refused["reason"], refused["sentence"]) == (
        "window_full",
        "This return window has 1 places left. Please choose another.",
    )
    assert taken(world) == [7]
    assert book(world, third, "carousel", at(10))["booked"]
    assert taken(world) == [8]


def test_day_guests_book_later_than_those_who_stay(world: World) -> None:
    family, ticket = world.book(guests=1), world.book("day-ticket", 1)
    assert book(world, family, "falls", at(10))["booked"]
    refused = book(world, ticket, "falls", at(10))
    assert (refused["reason"], "2030-05-11 07:00" in str(refused["sentence"])) == ("booking_not_open", True)


def test_what_was_entered_or_is_over_is_not_given_back(world: World) -> None:
    party, edge = world.checked_in(guests=2), Edge(world, "park", "park")
    assert book(world, party, "carousel", at(18))["booked"]
    (used,), (kept,) = party.rights("bypass", 0), party.rights("bypass", 1)
    world.clock.at = at(18)
    tap = new_tap(
        world,
        party.tokens[0],
        1,
        medium_id=phone(world, party.tokens[0]),
        touchpoint="carousel-entrance",
        sale=None,
        pin=None,
    )
    use = Use(tap.tap_id, used.id, Step.ENTRANCE, tap.at, ARRIVAL, "carousel")
    edge.bring_home((tap, Approved(used.id, (use,))))
    assert world.rows(r.ConflictRow) == []
    for right, moment, code in ((used, at(18), "already_used"), (kept, at(19), "window_past")):
        world.clock.at = moment
        with pytest.raises(Rejection) as refused:
            world.do("reservation.cancel", CancelReservation(right.id))
        assert refused.value.code == code
    assert taken(world) == [2]


@pytest.mark.parametrize(
    ("attraction", "minutes", "code"),
    [("swings", 0, "unknown_attraction"), ("comet", 30, "no_such_window"), ("comet", -60, "no_such_window")],
)
def test_only_real_windows_are_booked(world: World, attraction: str, minutes: int, code: str) -> None:
    party = world.book(guests=1)
    with pytest.raises(Rejection) as refused:
        book(world, party, attraction, OPENS_AT + timedelta(minutes=minutes))
    assert refused.value.code == code


def test_guests_of_two_parties_do_not_book_as_one(world: World) -> None:
    one, other = world.book(guests=1), world.book(guests=1)
    for tokens in ((one.tokens[0], other.tokens[0]), (one.tokens[0],) * 2, ()):
        with pytest.raises(Rejection) as refused:
            world.do("reservation.book", BookReservation(tokens, "comet", at(10)))
        assert refused.value.status == 422
    assert world.rows(r.ReturnWindowRow) == []
