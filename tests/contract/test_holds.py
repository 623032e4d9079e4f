"""Holds: an amount is kept free once, and the edge's journal posts it, voids it, or lets it pass."""

from collections.abc import Iterator

import msgspec
import pytest

from gateway.db import rows as r
from gateway.services.holds import ExpireHold
from tests.support.home_world import (
    PIN_RIGHT,
    Home,
    Journal,
    Turn,
    basket,
    home,
    sold,
    tap_at,
)
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Hold, HoldAnswer, Presented, Refused

HELD = Hold(HoldAnswer.HELD)


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        yield made


def test_a_hold_is_posted_by_the_approval(gateway: Home) -> None:
    tap = tap_at("till", 101, sale=basket(2))
    assert gateway.hold(tap) == HELD
    assert gateway.folio().held_minor == 2900
    assert gateway.hold(tap) == HELD, "asked again under another command, it holds once"
    assert gateway.folio().held_minor == 2900
    tap = msgspec.structs.replace(tap, hold=HELD)
    journal = Journal("shops")
    journal.write(tap, sold(tap))
    gateway.take(journal)
    assert (gateway.folio().held_minor, gateway.folio().balance_minor) == (0, 2900)
    assert [row.state for row in gateway.rows(r.HoldRow)] == [r.HoldState.POSTED]


def test_a_hold_whose_answer_was_lost_is_voided_by_the_refusal(gateway: Home) -> None:
    tap = tap_at("till", 101, sale=basket(2))
    gateway.hold(tap)
    lost = msgspec.structs.replace(tap, hold=Hold(HoldAnswer.UNREACHABLE))
    journal = Journal("shops")
    journal.write(lost, Refused(Reason.OFFLINE_ABOVE_FLOOR, {"floor": "25.00 EUR"}))
    gateway.take(journal)
    assert (gateway.folio().held_minor, gateway.folio().balance_minor) == (0, 0)
    assert [row.state for row in gateway.rows(r.HoldRow)] == [r.HoldState.VOIDED]


def test_a_hold_is_voided_also_by_a_verdict_that_names_no_token(gateway: Home) -> None:
    tap = tap_at("till", 101, sale=basket(2))
    gateway.hold(tap)
    torn = msgspec.structs.replace(
        tap, presented=Presented(Proof.CHIP_UID, fault=Reason.CREDENTIAL_MALFORMED)
    )
    journal = Journal("shops")
    journal.write(torn, Refused(Reason.CREDENTIAL_MALFORMED))
    receipt = gateway.take(journal)
    assert (receipt["acknowledged"], gateway.folio().held_minor) == (1, 0)
    assert [row.state for row in gateway.rows(r.HoldRow)] == [r.HoldState.VOIDED]


def test_a_request_that_arrives_after_its_verdict_holds_nothing(gateway: Home) -> None:
    tap = tap_at("till", 101, sale=basket(2))
    journal = Journal("shops")
    journal.write(tap, Refused(Reason.OFFLINE_ABOVE_FLOOR, {"floor": "25.00 EUR"}))
    gateway.take(journal)
    assert gateway.hold(tap).answer is HoldAnswer.REFUSED
    assert gateway.folio().held_minor == 0


def test_holds_count_towards_both_limits(database_url: str) -> None:
    with home(database_url, limit_minor=25_000) as gateway:
        answers = [
            gateway.hold(tap_at("till", number, sale=basket(8, number), pin=PIN_RIGHT))
            for number in (101, 102, 103)
        ]
    assert answers[:2] == [HELD, HELD]
    assert answers[2] == Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_DAILY_LIMIT, {"left": "68.00 EUR"}))


def test_the_folio_limit_refuses_a_hold(database_url: str) -> None:
    with home(database_url, limit_minor=20_000) as gateway:
        assert gateway.hold(tap_at("till", 101, sale=basket(8, 1), pin=PIN_RIGHT)) == HELD
        refused = gateway.hold(tap_at("till", 102, sale=basket(8, 2), pin=PIN_RIGHT))
        assert refused == Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_FOLIO_LIMIT))
        assert gateway.folio().held_minor == 8 * 1450


def test_a_revoked_band_gets_no_hold(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(band=True), at_s=-60)
    refusal = gateway.hold(tap_at("till", 101, sale=basket(2))).refusal
    assert refusal is not None
    assert refusal.reason is Reason.MEDIUM_REVOKED


def test_a_hold_expires_only_when_the_journal_has_passed_it(gateway: Home) -> None:
    tap = tap_at("till", 101, sale=basket(2))
    gateway.hold(tap)
    assert gateway.do("hold.expire", ExpireHold("shops", tap.tap_id)) == {"expired": False}
    journal = Journal("shops")
    early = tap_at("till", 102, at_s=60, sale=basket(1))
    journal.write(early, sold(early))
    gateway.take(journal)
    assert gateway.do("hold.expire", ExpireHold("shops", tap.tap_id)) == {"expired": False}
    late = tap_at("till", 103, at_s=400, sale=basket(1, 2))
    journal.write(late, sold(late))
    gateway.take(journal)
    assert gateway.do("hold.expire", ExpireHold("shops", tap.tap_id)) == {"expired": True}
    assert gateway.folio().held_minor == 0
    assert [row.state for row in gateway.rows(r.HoldRow)] == [r.HoldState.EXPIRED]
