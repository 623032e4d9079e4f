"""The words for what a band may do now: true to the minute, and silent about what is over."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.resort_toml import read_resort
from gateway.web.workbench.may import may
from wallet.entitlement import Admission, Bypass, Entitlement, Parking, RoomKey, Spending
from wallet.token import Step, TokenDocument, Use

RESORT = read_resort(
    (Path(__file__).resolve().parents[2] / "simulators/demo/resort.toml").read_text(encoding="utf-8")
)
NOON = datetime(2030, 6, 10, 10, tzinfo=UTC)
"""Twelve o'clock at the resort."""
END = NOON + timedelta(days=3)
DAY = date(2030, 6, 10)
COMET = Bypass("e-comet", "comet", NOON, NOON + timedelta(hours=1))
TICKET = Admission("e-ticket", ("lagoon",), DAY, DAY + timedelta(days=3), 1)


@dataclass
class Case:
    """A right, how it was used, when it is looked at, and what is said of it."""

    right: Entitlement
    words: list[str]
    steps: tuple[Step, ...] = ()
    after: timedelta = timedelta(0)
    pin: str = ""


def spending(limit_minor: int) -> Spending:
    return Spending("e-pay", "account", "EUR", limit_minor, 5000, NOON, END)


CASES = {
    "a key": Case(RoomKey("e", ("101",), NOON, END), ["Room 101"]),
    "a key after check-out": Case(RoomKey("e", ("101",), NOON, END), [], after=timedelta(days=3)),
    "a car": Case(Parking("e", ("lot-a",), NOON, END), ["Car park A"]),
    "a ticket": Case(TICKET, ["Lagoon Park"]),
    "a ticket used today": Case(TICKET, ["Lagoon Park"], (Step.PARK_IN,)),
    "a ticket used up yesterday": Case(TICKET, [], (Step.PARK_IN,), timedelta(days=1)),
    "a ticket that is over": Case(TICKET, [], after=timedelta(days=5)),
    "a window that is open": Case(COMET, ["Comet until 13:15"]),
    "a window to come": Case(COMET, ["Comet from 11:55"], after=timedelta(hours=-1)),
    "a window that has passed": Case(COMET, [], after=timedelta(hours=2)),
    "entered": Case(COMET, ["Comet merge point"], (Step.ENTRANCE,), timedelta(hours=2)),
    "entered, a second before the resort day ends": Case(
        COMET, ["Comet merge point"], (Step.ENTRANCE,), timedelta(hours=16, seconds=-1)
    ),
    "entered on a resort day that is over": Case(COMET, [], (Step.ENTRANCE,), timedelta(hours=16)),
    "ridden": Case(COMET, [], (Step.ENTRANCE, Step.MERGE)),
    "a child who pays nothing": Case(spending(0), ["No purchases"]),
    "who has no PIN": Case(spending(30000), ["Pays up to 50.00 EUR (no PIN)"]),
    "who has a PIN": Case(spending(30000), ["Pays, PIN above 50.00 EUR"], pin="verifier"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_right_is_told_while_it_gives_something(case: Case) -> None:
    uses = tuple(
        Use(f"tap-{step}", case.right.entitlement_id, step, NOON, DAY, "somewhere") for step in case.steps
    )
    document = TokenDocument("t", 1, "p", entitlements=(case.right,), uses=uses, pin_verifier=case.pin)
    assert may(document, RESORT, NOON + case.after) == case.words


def test_a_closed_token_may_do_nothing() -> None:
    document = TokenDocument("t", 1, "p", entitlements=(COMET,), closed=True)
    assert may(document, RESORT, NOON) == []
