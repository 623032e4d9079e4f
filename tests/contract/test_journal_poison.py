"""What no ledger can keep is set aside by itself: it blocks neither its batch nor its edge."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.set_aside import SettleSetAside
from tests.support.home_world import (
    Home,
    Journal,
    approved,
    basket,
    home,
    sold,
    tap_at,
)
from tests.support.worlds import TOKEN_ID, an_id
from wallet.tap import Approved, Sale, SaleLine
from wallet.token import Step


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        yield made


@pytest.mark.parametrize(
    "odd",
    [
        {"tap_id": "t" * 65},
        {"reader": "a\0b"},
        {"at": datetime(1, 1, 1, tzinfo=UTC)},
        {"sale": msgspec.structs.replace(basket(1), total_minor=2**63)},
        {"sale": Sale("s", "grill", "EUR", (SaleLine("menu", 1, -1450, "vat"),), -1450)},
        {"sale": msgspec.structs.replace(basket(1), currency="USD")},
    ],
    ids=["long id", "NUL", "year one", "huge total", "negative total", "other currency"],
)
def test_what_no_ledger_can_keep_is_set_aside_and_blocks_nobody(gateway: Home, odd: dict[str, Any]) -> None:
    journal = Journal("shops")
    tap = tap_at("till", 101, sale=basket(1))
    journal.write(msgspec.structs.replace(tap, **odd), sold(tap))
    last = tap_at("till", 105, at_s=5, sale=basket(1, 2))
    journal.write(last, sold(last))
    receipt = gateway.take(journal)
    assert (receipt["acknowledged"], receipt["set_aside"]) == (2, [1])
    assert [row.id for row in gateway.rows(r.TapRow)] == [last.tap_id]
    assert gateway.folio().balance_minor == 1450


def test_an_entry_that_cannot_be_applied_is_set_aside_and_blocks_nobody(gateway: Home) -> None:
    journal = Journal("shops")
    good = tap_at("till", 101, sale=basket(1))
    elsewhere = tap_at("gate-in", 102)
    unknown = tap_at("no-such-till", 103, sale=basket(1))
    wrong = tap_at("till", 104, sale=msgspec.structs.replace(basket(1), total_minor=999))
    last = tap_at("till", 105, at_s=5, sale=basket(1, 2))
    journal.write(good, sold(good))
    journal.write(elsewhere, approved(elsewhere, "admission", Step.PARK_IN, "lagoon"))
    journal.write(unknown, sold(unknown))
    journal.write(wrong, sold(wrong))
    journal.write(last, sold(last))
    receipt = gateway.take(journal)
    assert receipt["acknowledged"] == 5
    assert receipt["set_aside"] == [2, 3, 4]
    assert {row.id for row in gateway.rows(r.TapRow)} == {good.tap_id, last.tap_id}
    assert gateway.folio().balance_minor == 2 * 1450
    sentences = {row.number: row.sentence for row in gateway.rows(r.SetAsideRow)}
    assert "not a touchpoint of this edge's venue" in sentences[2]
    assert "no-such-till" in sentences[3]
    assert "do not add up" in sentences[4]


def test_an_edge_that_tells_two_amounts_of_one_sale_is_not_believed(gateway: Home) -> None:
    journal = Journal("shops")
    tap = tap_at("till", 101, sale=basket(1))
    journal.write(tap, approved(tap, "spending", Step.CHARGE, "grill", amount_minor=1))
    assert gateway.take(journal)["set_aside"] == [1]
    assert gateway.folio().balance_minor == 0


def test_a_set_aside_entry_can_be_dismissed_once_and_a_vain_replay_changes_nothing(gateway: Home) -> None:
    journal = Journal("shops")
    tap = tap_at("no-such-till", 103, sale=basket(1))
    journal.write(tap, sold(tap))
    gateway.take(journal)
    settle = SettleSetAside(
        "shops", journal.epoch, 1, replay=True, note="", tap_id=tap.tap_id, token_id=TOKEN_ID
    )
    with pytest.raises(Rejection, match="still cannot be applied"):
        gateway.do("set_aside.settle", settle)
    assert gateway.rows(r.TapRow) == []
    dismissed = msgspec.structs.replace(settle, replay=False, note="a till of the old resort")
    gateway.do("set_aside.settle", dismissed)
    (row,) = gateway.rows(r.SetAsideRow)
    assert (row.state, row.note) == (r.SetAsideState.DISMISSED, "a till of the old resort")
    with pytest.raises(Rejection, match="does not wait"):
        gateway.do("set_aside.settle", dismissed)


def test_an_approval_without_a_token_known_here_is_set_aside(gateway: Home) -> None:
    tap = tap_at("gate-in", 101)
    assert tap.presented.credential is not None
    other = msgspec.structs.replace(tap.presented.credential, token_id=an_id(99))
    swapped = msgspec.structs.replace(tap, presented=msgspec.structs.replace(tap.presented, credential=other))
    journal = Journal("park")
    journal.write(swapped, Approved("admission"))
    assert gateway.take(journal)["set_aside"] == [1]
    assert gateway.rows(r.TapRow) == []
