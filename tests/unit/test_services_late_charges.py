"""What was bought before check-out and comes home after it: charged, judged as things stood, shown as open."""

from datetime import timedelta

from gateway.db import rows as r
from gateway.services.check_out import CheckOut
from gateway.services.payments import TakePayment
from tests.support.guests_world import World
from tests.support.till import Edge, charged, new_tap, phone
from wallet.ledger import Tender


def test_a_late_charge_is_posted_without_conflict_and_leaves_a_balance(world: World) -> None:
    party, edge = world.checked_in(), Edge(world, "shops", "shops")
    token = party.tokens[1]
    (right,) = party.rights("spending", 1)
    world.clock.at += timedelta(hours=1)
    late = new_tap(world, token, 1_200, medium_id=phone(world, token))
    world.clock.at += timedelta(hours=1)
    world.do("party.check_out", CheckOut(party.id, Tender.CASH))
    world.clock.at += timedelta(hours=1)
    receipt = edge.bring_home((late, charged(world, late, right.id)))
    assert (receipt["acknowledged"], receipt.get("set_aside", [])) == (1, [])
    assert party.folio == 1_200
    assert world.rows(r.ConflictRow) == []
    assert party.row.state is r.PartyState.CHECKED_OUT
    assert world.do("payment.take", TakePayment(party.id, 1_200, Tender.CASH))["balance_minor"] == 0
    world.assert_books_balance()


def test_a_charge_made_after_check_out_is_recorded_and_filed(world: World) -> None:
    party, edge = world.checked_in(), Edge(world, "shops", "shops")
    token = party.tokens[1]
    (right,) = party.rights("spending", 1)
    medium = phone(world, token)
    world.do("party.check_out", CheckOut(party.id, Tender.CASH))
    world.clock.at += timedelta(hours=1)
    tap = new_tap(world, token, 1_200, medium_id=medium)
    edge.bring_home((tap, charged(world, tap, right.id)))
    assert party.folio == 1_200
    (conflict,) = world.rows(r.ConflictRow)
    assert (conflict.kind, conflict.tap_id, conflict.amount_minor) == ("view_differs", tap.tap_id, 1_200)
    world.assert_books_balance()
