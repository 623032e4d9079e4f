"""What the gateway sees otherwise than the edge that approved it is filed, attributed and valued, never hidden."""

from collections.abc import Iterator

import pytest

from gateway.db import rows as r
from gateway.services.conflicts import ResolveConflict
from gateway.services.journal import TakeJournal
from tests.support.home_world import (
    PIN_RIGHT,
    GiveAgain,
    Home,
    Journal,
    Turn,
    approved,
    basket,
    home,
    shops_with_three_sales,
    sold,
    tap_at,
)
from tests.support.worlds import TOKEN_ID
from wallet.reasons import Reason
from wallet.tap import Hold, HoldAnswer
from wallet.token import Step

HELD = Hold(HoldAnswer.HELD)


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        yield made


def test_one_tap_id_from_two_edges_is_filed_and_charged_once(gateway: Home) -> None:
    tap = tap_at("gate-in", 101)
    for edge in ("park", "park-2"):
        journal = Journal(edge)
        journal.write(tap, approved(tap, "admission", Step.PARK_IN, "lagoon"))
        gateway.take(journal)
    assert len(gateway.rows(r.TapRow)) == 1
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.edge, conflict.detail["other_edge"]) == (
        "duplicate_tap",
        "park-2",
        "park",
    )


def test_a_ride_redeemed_at_two_isolated_edges_is_a_double_use_with_both_sides(gateway: Home) -> None:
    first = tap_at("comet-merge", 101, at_s=10)
    second = tap_at("comet-merge", 102, at_s=20)
    entrance = tap_at("comet-entrance", 100)
    one, two = Journal("park"), Journal("park-2")
    one.write(entrance, approved(entrance, "bypass", Step.ENTRANCE, "comet"))
    one.write(first, approved(first, "bypass", Step.MERGE, "comet"))
    two.write(second, approved(second, "bypass", Step.MERGE, "comet"))
    gateway.take(one)
    assert gateway.rows(r.ConflictRow) == []
    gateway.take(two)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert conflict.kind == "double_use"
    assert (conflict.tap_id, conflict.edge, conflict.token_id) == (second.tap_id, "park-2", TOKEN_ID)
    assert conflict.detail["other_tap"] == first.tap_id
    assert conflict.detail["our_reason"] == Reason.RESERVATION_REDEEMED
    assert conflict.detail["edge"]["as_of"] is not None
    gateway.do("conflict.resolve", ResolveConflict(conflict.id, "two bands, one guest: let go"))
    (resolved,) = gateway.rows(r.ConflictRow)
    assert (resolved.state, resolved.note) == (r.ConflictState.RESOLVED, "two bands, one guest: let go")


def test_a_band_revoked_before_the_tap_is_a_conflict_and_after_it_is_none(gateway: Home) -> None:
    before, after = tap_at("gate-in", 101, at_s=0), tap_at("gate-in", 102, at_s=2000)
    gateway.do("test.turn_off", Turn(band=True), at_s=1000)
    journal = Journal("park")
    journal.write(before, approved(before, "admission", Step.PARK_IN, "lagoon"))
    journal.write(after, approved(after, "admission", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.tap_id) == ("revoked_medium", after.tap_id)
    assert len(gateway.rows(r.TapUseRow)) == 2, "the guest did go in, so both uses stand"


def test_a_late_tap_is_judged_by_the_rights_as_they_stood(gateway: Home) -> None:
    tap = tap_at("till", 101, at_s=0, sale=basket(1))
    gateway.do("test.turn_off", Turn(right="spending"), at_s=1000)
    journal = Journal("shops")
    journal.write(tap, sold(tap))
    gateway.take(journal)
    assert gateway.rows(r.ConflictRow) == []
    assert gateway.folio().balance_minor == 1450


def test_a_right_given_after_the_tap_does_not_excuse_it(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(right="spending"), at_s=-10)
    gateway.do("test.give_again", GiveAgain("spending", "spending-2"), at_s=10)
    tap = tap_at("till", 101, at_s=0, sale=basket(1))
    journal = Journal("shops")
    journal.write(tap, sold(tap))
    gateway.take(journal)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert conflict.detail["our_reason"] == Reason.NOT_ENTITLED


def test_days_later_a_daily_limit_is_still_judged_by_all_that_was_sold_that_day(gateway: Home) -> None:
    shops, hotel = Journal("shops"), Journal("shops", epoch="0190a000-0000-7000-8000-000000000002")
    for journal, number in ((shops, 101), (hotel, 102), (hotel, 103)):
        tap = tap_at("till", number, at_s=number, sale=basket(8, number), pin=PIN_RIGHT, hold=HELD)
        journal.write(tap, sold(tap))
    week_s = 8 * 24 * 3600
    gateway.do("journal.take", TakeJournal(shops.batch()), at_s=week_s)
    gateway.do("journal.take", TakeJournal(hotel.batch()), at_s=week_s)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.detail["our_reason"]) == ("past_limit", Reason.OVER_DAILY_LIMIT)


def test_a_sale_past_the_folio_and_past_the_guests_own_limit_is_filed_for_both(database_url: str) -> None:
    with home(database_url, limit_minor=20_000) as gateway:
        journal = Journal("shops")
        tap = tap_at("till", 101, sale=basket(21, 101), pin=PIN_RIGHT, hold=HELD)
        journal.write(tap, sold(tap))
        gateway.take(journal)
        filed = {row.detail["our_reason"]: row.amount_minor for row in gateway.rows(r.ConflictRow)}
    assert filed == {
        Reason.OVER_FOLIO_LIMIT: 21 * 1450 - 20_000,
        Reason.OVER_DAILY_LIMIT: 21 * 1450,
    }


def test_spending_past_the_daily_limit_is_posted_filed_and_valued(gateway: Home) -> None:
    journal = Journal("shops")
    for number in range(101, 104):
        tap = tap_at("till", number, at_s=number, sale=basket(8, number), pin=PIN_RIGHT, hold=HELD)
        journal.write(tap, sold(tap))
    gateway.take(journal)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.amount_minor) == ("past_limit", 8 * 1450)
    assert conflict.detail["our_reason"] == Reason.OVER_DAILY_LIMIT
    assert gateway.folio().balance_minor == 3 * 8 * 1450


def test_small_sales_past_the_folio_are_valued_by_what_is_too_much(database_url: str) -> None:
    with home(database_url, limit_minor=2000) as gateway:
        gateway.take(shops_with_three_sales())
        amounts = [row.amount_minor for row in sorted(gateway.rows(r.ConflictRow), key=lambda row: row.at)]
        assert amounts == [900, 1450]
        assert gateway.folio().balance_minor == 4350


def test_a_grant_for_what_was_never_sold_is_a_conflict(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(right="admission"), at_s=-60)
    tap = tap_at("gate-in", 101)
    journal = Journal("park")
    journal.write(tap, approved(tap, "grant:0", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert gateway.rows(r.TapUseRow) == []
    assert [row.kind for row in gateway.rows(r.ConflictRow)] == ["view_differs"]
