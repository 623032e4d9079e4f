"""Cancelling costs what the product's rules say, ends everything, and balances."""

from datetime import timedelta

import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.cancellation import CancelParty, cancellation_fee_minor
from gateway.services.payments import TakePayment
from gateway.services.reservations import BookReservation
from tests.support.guests_world import ARRIVAL, World
from tests.support.resort_world import RESORT
from tests.support.till import phone
from wallet.ledger import Tender

PRODUCT = RESORT.products[0]


@pytest.mark.parametrize(
    ("days_left", "fee_minor"),
    [(60, 0), (15, 0), (14, 29_800), (3, 29_800), (2, 149_001), (0, 149_001), (-1, 149_001)],
)
def test_the_strictest_rule_whose_time_has_come_counts(days_left: int, fee_minor: int) -> None:
    assert cancellation_fee_minor(PRODUCT, 149_001, days_left) == fee_minor


@pytest.mark.parametrize(("days_before", "fee_minor"), [(40, 0), (10, 29_800), (1, 149_001)])
def test_a_deposit_beyond_the_fee_is_due_back(world: World, days_before: int, fee_minor: int) -> None:
    party = world.book()
    world.do("payment.take", TakePayment(party.id, 40_000, Tender.CASH))
    world.clock.at = RESORT.instant(ARRIVAL - timedelta(days=days_before), RESORT.day_starts)
    answer = world.do("party.cancel", CancelParty(party.id))
    assert (answer["fee_minor"], answer["balance_minor"]) == (fee_minor, fee_minor - 40_000)
    assert party.folio == fee_minor - 40_000
    assert world.balance("deferred_revenue:EUR") == 0
    assert world.balance("revenue:packages:EUR") + world.balance("tax:vat10:EUR") == -fee_minor
    world.assert_books_balance()


def test_everything_ends_and_every_place_is_free_again(world: World) -> None:
    party = world.book()
    medium = phone(world, party.tokens[1])
    starts_at = RESORT.instant(ARRIVAL, RESORT.parks[0].opens)
    assert world.do("reservation.book", BookReservation(tuple(party.tokens), "carousel", starts_at))["booked"]
    assert [window.taken for window in world.rows(r.ReturnWindowRow)] == [4]
    world.do("party.cancel", CancelParty(party.id))
    assert [window.taken for window in world.rows(r.ReturnWindowRow)] == [0]
    assert {row.revoked_at for row in world.rows(r.EntitlementRow)} == {world.clock.at}
    (row,) = world.rows(r.MediumRow, id=medium)
    assert row.revoked_at == world.clock.at
    assert {document.scopes for document in world.rows(r.TokenDocumentRow)} == {""}
    with pytest.raises(Rejection) as refused:
        world.do("reservation.book", BookReservation(tuple(party.tokens), "carousel", starts_at))
    assert refused.value.code == "booking_cancelled"


def test_who_has_checked_in_cannot_cancel_and_nobody_cancels_twice(world: World) -> None:
    party, other = world.checked_in(), world.book(arrival=ARRIVAL + timedelta(days=9))
    world.do("party.cancel", CancelParty(other.id))
    for party_id, code in ((party.id, "checked_in"), (other.id, "already_cancelled")):
        with pytest.raises(Rejection) as refused:
            world.do("party.cancel", CancelParty(party_id))
        assert refused.value.code == code
    world.assert_books_balance()
