"""What edges owed while they were alone is added up from their journals, whatever they counted themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.services.journal import TakeJournal
from gateway.verify.promises import verify
from gateway.verify.report import Promise
from tests.support.databases import Databases
from tests.support.home_world import Home, Journal, basket, home, sold, tap_at
from tests.support.worlds import RESORT, an_id
from wallet.evidence import EdgeEvidence, SeenEntry
from wallet.journal import GENESIS, chain, follow
from wallet.tap import Hold, HoldAnswer

MENU = 1450
HELD = Hold(HoldAnswer.HELD)
CAPS = RESORT.policies


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[Home]:
    with home(databases.sqlite(tmp_path)) as made:
        yield made


def take(till: "Till", last: int | None = None) -> TakeJournal:
    """Return the command that brings the journal home, up to an entry."""
    return TakeJournal(till.batch(1, last))


class Till(Journal):
    """The journal of an edge with a till; `owed` is what it says it owed before a sale: by itself, by the token."""

    def sell(self, number: int, at_s: float, owed: tuple[int, int], menus: int = 1, **more: Any) -> None:
        sale = basket(menus, number)
        tap = tap_at("till", 100 + number, at_s=at_s, sale=sale, hold=more.pop("hold", None))
        counted = {"edge_offline_minor": owed[0], "token_offline_minor": owed[1]}
        entry = self.write(tap, sold(tap))
        self.entries[-1] = replace(entry, resort_version=RESORT.version, **counted, **more)
        self.head = chain(entry.previous, self.entries[-1])

    def found(self) -> EdgeEvidence:
        follow(tuple(self.entries), 0, GENESIS)
        entries = tuple(SeenEntry(entry, chained=True) for entry in self.entries)
        return EdgeEvidence(self.edge, "shops", entries, {}, (), {}, 0)


def found_by(house: Home, till: Till) -> list[str]:
    return verify(house.database, (till.found(),))[Promise.WITHIN_LIMITS].broken


@pytest.fixture
def till() -> Till:
    return Till("shops")


def test_what_is_counted_right_and_within_the_caps_is_kept(house: Home, till: Till) -> None:
    for number in range(5):
        till.sell(number, number, (number * MENU, number * MENU))
    assert found_by(house, till) == [], "still on its way"
    house.take(till)
    assert found_by(house, till) == [], "come home in one batch"


def test_an_edge_that_forgets_what_it_owes_is_found_past_the_tokens_cap(house: Home, till: Till) -> None:
    for number in range(6):
        till.sell(number, number, (0, 0))
    expected = [
        f"shops: entry {number + 1} counted 0 (edge) and 0 (token) as owed before it, "
        f"its journal shows {number * MENU} and {number * MENU}"
        for number in range(1, 6)
    ]
    past = f"shops: entry 6 sold {MENU} alone, owing {6 * MENU} (edge), {6 * MENU} (token)"
    assert 5 * MENU <= CAPS.offline_token_cap_minor < 6 * MENU
    assert found_by(house, till) == [*expected, past]
    house.take(till)
    assert found_by(house, till) == [*expected, past]


def test_an_edge_past_its_own_cap_by_many_guests(house: Home, till: Till) -> None:
    most = CAPS.offline_edge_cap_minor // MENU
    for number in range(most + 1):
        till.sell(number, number, (number * MENU, 0), token_id=an_id(2000 + number))
    owed = (most + 1) * MENU
    assert found_by(house, till) == [
        f"shops: entry {most + 1} sold {MENU} alone, owing {owed} (edge), {MENU} (token)"
    ]


def test_what_came_home_is_owed_no_more(house: Home, till: Till) -> None:
    for number in range(3):
        till.sell(number, number, (number * MENU, number * MENU))
    house.do("journal.take", take(till), at_s=10)
    for number in range(3, 6):
        owed = (number - 3) * MENU
        till.sell(number, 20 + number, (owed, owed))
    assert found_by(house, till) == []
    house.do("journal.take", take(till), at_s=30)
    assert found_by(house, till) == []


def test_what_came_home_only_later_was_owed(house: Home, till: Till) -> None:
    till.sell(0, 0, (0, 0))
    house.do("journal.take", take(till), at_s=0)
    till.sell(1, 10, (0, 0))
    till.sell(2, 20, (0, 0))
    house.do("journal.take", take(till, last=2), at_s=30)
    house.do("journal.take", take(till), at_s=40)
    shows = f"its journal shows {MENU} and {MENU}"
    assert found_by(house, till) == [
        f"shops: entry 3 counted 0 (edge) and 0 (token) as owed before it, {shows}"
    ]


@pytest.mark.parametrize("behind_s", [1000, -1000])
def test_a_clock_that_is_off_accuses_nobody(house: Home, till: Till, behind_s: int) -> None:
    for number in range(6):
        till.sell(number, 100 * number - behind_s, (0, 0))
        house.do("journal.take", take(till), at_s=100 * number + 1)
    assert found_by(house, till) == []


def test_a_gateway_restored_from_an_older_copy_accuses_nobody(house: Home, till: Till) -> None:
    """It takes again what had come home before: when that was is forgotten with the rest."""
    for number in range(6):
        till.sell(number, 100 * number, (0, 0), position=100 + number)
    till.sell(6, 700, (0, 0), position=50)
    house.do("journal.take", take(till), at_s=800)
    assert found_by(house, till) == []


def test_a_sale_above_the_floor_needs_a_hold_that_the_ledger_knows(house: Home, till: Till) -> None:
    till.sell(0, 0, (0, 0), menus=2, hold=HELD)
    assert found_by(house, till) == [
        "shops: entry 1 claims a hold that the ledger never made",
        f"shops: entry 1 sold {2 * MENU} alone, owing {2 * MENU} (edge), {2 * MENU} (token)",
    ]
    tap = till.entries[0].tap
    assert tap is not None
    house.hold(replace(tap, hold=None))
    assert found_by(house, till) == []
