"""What no ledger can keep is set aside by itself: it blocks neither its batch nor its edge."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gateway.db import rows as r
from tests.support.home_world import Home, Journal, basket, home, sold, tap_at
from wallet.tap import Sale, SaleLine


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
