"""Check-in gives one party one room; check-out settles to zero and stops the keys at that instant."""

from datetime import timedelta

import pytest
from msgspec import structs

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.check_in import CheckIn
from gateway.services.check_out import CheckOut
from gateway.services.payments import TakePayment
from gateway.services.resort import LoadedResort
from tests.support.guests_world import ARRIVAL, World
from tests.support.resort_world import RESORT
from tests.support.till import hold
from wallet.entitlement import Parking, RoomKey, Spending
from wallet.ledger import Tender


def test_check_in_opens_the_room_for_everyone_and_parks_one_vehicle(world: World) -> None:
    party = world.checked_in()
    assert party.row.state is r.PartyState.CHECKED_IN
    departs_at = RESORT.instant(ARRIVAL + timedelta(days=3), RESORT.day_starts) + timedelta(hours=7)
    for token in range(4):
        ((key,), (spending,)) = party.rights("room", token), party.rights("spending", token)
        assert isinstance(key.body, RoomKey)
        assert isinstance(spending.body, Spending)
        assert (key.body.rooms, key.body.from_at, key.body.until_at) == (("101",), world.clock.at, departs_at)
        assert spending.body.daily_limit_minor == (0 if token == 3 else 30_000)
        assert spending.body.account_id == party.row.folio_account_id
    (parking,) = party.rights("parking", 0)
    assert isinstance(parking.body, Parking)
    assert parking.body.vehicles == 1
    assert [party.rights("parking", token) for token in (1, 2, 3)] == [[], [], []]
    assert world.events(party.id)[-1] == "party.checked_in"


@pytest.mark.parametrize(("days", "code"), [(-1, "too_early"), (3, "stay_over")])
def test_check_in_has_its_days(world: World, days: int, code: str) -> None:
    party = world.book()
    world.clock.at = RESORT.instant(ARRIVAL + timedelta(days=days), RESORT.day_starts) + timedelta(hours=12)
    with pytest.raises(Rejection) as refused:
        world.do("party.check_in", CheckIn(party.id))
    assert (refused.value.code, party.row.state) == (code, r.PartyState.BOOKED)


def test_a_party_checks_in_once_and_a_day_ticket_never(world: World) -> None:
    party, ticket = world.checked_in(), world.book("day-ticket", 1)
    for party_id, code in ((party.id, "not_booked"), (ticket.id, "no_stay")):
        with pytest.raises(Rejection) as refused:
            world.do("party.check_in", CheckIn(party_id))
        assert refused.value.code == code
    assert len(world.rows(r.StayRow)) == 1


def test_a_room_comes_free_by_check_out_and_not_before(world: World) -> None:
    world.load_rooms(4)
    parties = [world.checked_in(arrival=ARRIVAL) for _ in range(3)]
    waiting = world.book()
    world.load_rooms(3)  # one is being mended
    with pytest.raises(Rejection) as refused:
        world.do("party.check_in", CheckIn(waiting.id))
    assert refused.value.code == "no_room_free"
    world.do("party.check_out", CheckOut(parties[1].id, Tender.CASH))
    assert world.do("party.check_in", CheckIn(waiting.id))["rooms"] == ["102"]


def test_a_room_whose_guests_leave_later_is_not_given_away(world: World) -> None:
    first = [world.checked_in(arrival=ARRIVAL - timedelta(days=1)) for _ in range(3)]
    world.clock.at += timedelta(days=3)
    late = world.book(arrival=ARRIVAL + timedelta(days=2))
    # 10:59 on the day the first parties leave: their keys still open.
    world.clock.at = RESORT.instant(first[0].row.departure_day, RESORT.day_starts) + timedelta(
        hours=6, minutes=59
    )
    with pytest.raises(Rejection):
        world.do("party.check_in", CheckIn(late.id))
    world.clock.at += timedelta(minutes=1)
    assert world.do("party.check_in", CheckIn(late.id))["rooms"] == ["101"]


def test_check_out_settles_to_zero_and_stops_the_keys(world: World) -> None:
    party = world.checked_in()
    world.do("payment.take", TakePayment(party.id, 40_000, Tender.CARD_TERMINAL))
    world.clock.at += timedelta(days=1)
    answer = world.do("party.check_out", CheckOut(party.id, Tender.CASH))
    assert (answer["paid_minor"], answer["balance_minor"], party.folio) == (109_001, 0, 0)
    assert world.balance("cash_drawer:EUR") == 109_001
    assert world.balance("card_clearing:EUR") == 40_000
    assert world.balance("deferred_revenue:EUR") == 0
    assert world.balance("revenue:packages:EUR") + world.balance("tax:vat10:EUR") == -149_001
    assert world.balance("tax:vat10:EUR") == -13_546  # 149 001 × 1000 / 11 000 = 13 545.54…
    world.assert_books_balance()
    for row in world.rows(r.EntitlementRow):
        assert row.revoked_at is None
        if row.kind in ("room", "parking", "spending"):
            assert row.body.until_at == row.ends_at == world.clock.at
        else:
            assert row.ends_at > world.clock.at
    (stay,) = world.rows(r.StayRow)
    assert stay.ended_at == world.clock.at
    for document in world.rows(r.TokenDocumentRow):
        keys = [right for right in document.body.entitlements if isinstance(right, RoomKey)]
        assert [key.until_at for key in keys] == [world.clock.at]


def test_check_out_asks_how_the_balance_is_paid(world: World) -> None:
    party = world.checked_in()
    with pytest.raises(Rejection) as refused:
        world.do("party.check_out", CheckOut(party.id))
    assert (refused.value.code, refused.value.detail) == ("balance_open", {"balance_minor": 149_001})
    world.do("payment.take", TakePayment(party.id, 149_001, Tender.CASH))
    assert world.do("party.check_out", CheckOut(party.id))["tender"] is None
    with pytest.raises(Rejection) as again:
        world.do("party.check_out", CheckOut(party.id))
    assert again.value.code == "not_checked_in"


def test_check_out_waits_for_a_purchase_under_way_but_not_for_one_that_was_lost(world: World) -> None:
    party = world.checked_in()
    tap_id = hold(world, party, 8_900)
    with pytest.raises(Rejection) as refused:
        world.do("party.check_out", CheckOut(party.id, Tender.CASH))
    assert (refused.value.code, refused.value.detail) == ("holds_pending", {"holds": [tap_id]})
    world.clock.at += timedelta(minutes=6)
    assert world.do("party.check_out", CheckOut(party.id, Tender.CASH))["settled"]


def test_a_day_ticket_is_closed_without_check_in(world: World) -> None:
    ticket = world.book("day-ticket", 1)
    # The visit's day begins at four in the morning; a second before that there is nothing to check out of.
    world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts) - timedelta(seconds=1)
    with pytest.raises(Rejection) as refused:
        world.do("party.check_out", CheckOut(ticket.id, Tender.CASH))
    assert (refused.value.code, refused.value.status) == ("visit_ahead", 409)
    assert "2030-06-10" in refused.value.sentence
    world.clock.at += timedelta(seconds=1)
    assert world.do("party.check_out", CheckOut(ticket.id, Tender.CASH))["paid_minor"] == 5_900
    assert world.balance("deferred_revenue:EUR") == 0
    world.assert_books_balance()


@pytest.mark.parametrize("amount", [0, -5, 149_002])
def test_a_payment_is_of_what_is_due_at_most(world: World, amount: int) -> None:
    party = world.book()
    with pytest.raises(Rejection) as refused:
        world.do("payment.take", TakePayment(party.id, amount, Tender.CASH))
    assert refused.value.code in ("amount_not_positive", "over_payment")
    assert ("1490.01 EUR" in refused.value.sentence) == (amount > 0)
    assert party.folio == 149_001


def test_payments_add_up_to_the_price(world: World) -> None:
    party = world.book()
    for amount in (40_000, 109_000):
        world.do("payment.take", TakePayment(party.id, amount, Tender.CASH))
    assert world.do("payment.take", TakePayment(party.id, 1, Tender.CASH))["balance_minor"] == 0
    world.assert_books_balance()


def test_check_in_waits_for_the_deposit_only_where_the_resort_says_so(world: World) -> None:
    asking = structs.replace(RESORT, policies=structs.replace(RESORT.policies, deposit_before_check_in=True))
    world.gateway.do("resort.load", LoadedResort(asking))
    party = world.book()
    world.do("payment.take", TakePayment(party.id, 39_999, Tender.CASH))
    world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts) + timedelta(hours=11)
    with pytest.raises(Rejection) as refused:
        world.do("party.check_in", CheckIn(party.id))
    assert (refused.value.code, refused.value.status) == ("deposit_due", 409)
    assert refused.value.detail == {"due_minor": 1}
    assert refused.value.sentence.startswith("0.01 EUR of the deposit is due")
    world.do("payment.take", TakePayment(party.id, 1, Tender.CASH))
    assert world.do("party.check_in", CheckIn(party.id))["rooms"] == ["101"]
    world.gateway.do("resort.load", LoadedResort(RESORT))
    unpaid = world.book()
    assert world.do("party.check_in", CheckIn(unpaid.id))["rooms"] == ["102"]
