"""From rows to a token's document: everything that can decide a tap, and nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest

from gateway.db.rows import EntitlementRow, MediumRow, TapUseRow, TokenRow
from gateway.services.documents import document_of, ends_at, entitlement_row, joined, scopes_text, split
from tests.support.gateway_world import RESORT
from wallet.entitlement import Admission, Bypass, Entitlement, Parking, Photos, RoomKey, Spending
from wallet.medium import MediumKind, MediumState
from wallet.token import Step, TokenDocument

NOW = datetime(2030, 6, 10, 12, tzinfo=UTC)
TODAY = date(2030, 6, 10)
TOKEN = TokenRow("t", "g", "p", pin_verifier="v", pin_tries=2)
ADMISSION = Admission("a", ("lagoon",), TODAY - timedelta(days=9), TODAY + timedelta(days=2), 3)
SPENDING = Spending("s", "folio", "EUR", 100, 50, NOW - timedelta(days=9), NOW + timedelta(days=1))


def row(right: Entitlement, *, revoked: bool = False) -> EntitlementRow:
    made = entitlement_row("t", right, made_at=NOW, resort=RESORT)
    return replace(made, revoked_at=NOW) if revoked else made


def use(entitlement_id: str, day: date, tap_id: str = "tap", step: Step = Step.ENTER) -> TapUseRow:
    at = datetime.combine(day, time(12), UTC)
    return TapUseRow(tap_id, entitlement_id, "t", step, at, day, "place")


def built(rights: list[EntitlementRow], uses: list[TapUseRow], at: datetime = NOW) -> TokenDocument:
    return document_of(TOKEN, [], rights, uses, version=7, at=at, resort=RESORT)


def test_a_document_says_what_its_rows_say() -> None:
    medium = MediumRow("m", "t", MediumKind.BAND, MediumState.REVOKED, NOW, "04aa", NOW)
    document = document_of(
        TOKEN, [medium], [row(ADMISSION)], [use("a", TODAY)], version=7, at=NOW, resort=RESORT
    )

    assert (document.token_id, document.party_id, document.version) == ("t", "p", 7)
    assert (document.pin_verifier, document.pin_tries, document.closed) == ("v", 2, False)
    assert document.media[0].is_revoked(NOW)
    assert document.entitlements == (ADMISSION,)
    assert [each.tap_id for each in document.uses] == ["tap"]


def test_a_revoked_right_is_gone() -> None:
    assert built([row(ADMISSION, revoked=True)], []).entitlements == ()


@pytest.mark.parametrize(
    ("right", "days_ago", "kept"),
    [
        (SPENDING, 0, True),
        (SPENDING, 1, True),
        (SPENDING, 2, False),
        (ADMISSION, 2, True),
        (ADMISSION, 8, True),
        (msgspec.structs.replace(ADMISSION, until_day=TODAY - timedelta(days=2)), 5, True),
        (Parking("k", ("lot",), NOW - timedelta(days=9), NOW + timedelta(days=1)), 6, True),
        (Parking("k", ("lot",), NOW - timedelta(days=9), NOW - timedelta(hours=1)), 6, True),
        (Photos("f", NOW - timedelta(days=9), NOW + timedelta(days=1)), 3, False),
    ],
)
def test_uses_are_kept_as_long_as_they_can_decide_a_tap(
    right: Entitlement, days_ago: int, kept: bool
) -> None:
    document = built([row(right)], [use(right.entitlement_id, TODAY - timedelta(days=days_ago))])

    assert bool(document.uses) is kept


def test_todays_spending_counts_even_after_its_right_was_replaced() -> None:
    assert built([row(SPENDING, revoked=True)], [use("s", TODAY, step=Step.CHARGE)]).uses


def test_the_resort_day_decides_not_the_calendar() -> None:
    # At 01:00 UTC it is 03:00 in Madrid: still the resort day before, so two calendar days ago is yesterday.
    night = datetime(2030, 6, 10, 1, tzinfo=UTC)

    assert built([row(SPENDING)], [use("s", TODAY - timedelta(days=2))], night).uses
    assert not built([row(SPENDING)], [use("s", TODAY - timedelta(days=3))], night).uses


@pytest.mark.parametrize(
    ("right", "ends"),
    [
        (RoomKey("r", ("101",), NOW, NOW + timedelta(days=3)), NOW + timedelta(days=3)),
        (ADMISSION, RESORT.instant(TODAY + timedelta(days=3), time(4))),
        (
            Bypass("b", "comet", NOW, NOW + timedelta(hours=1)),
            RESORT.instant(TODAY + timedelta(days=1), time(4)),
        ),
        (SPENDING, SPENDING.until_at),
    ],
)
def test_a_right_ends_when_it_and_its_uses_can_matter_no_more(right: Entitlement, ends: datetime) -> None:
    assert ends_at(right, RESORT) == ends
    assert row(right).ends_at == ends
    assert row(right).kind == msgspec.to_builtins(right)["kind"]


def test_scopes_are_searchable_text_and_back() -> None:
    assert joined(["park", "hotel", "park"]) == "|hotel|park|"
    assert joined([]) == ""
    assert split("|hotel|park|") == {"hotel", "park"}
    assert split("") == frozenset()
    assert scopes_text(built([row(ADMISSION)], []), RESORT) == "|park|"
    assert scopes_text(built([row(msgspec.structs.replace(ADMISSION, parks=("moon",)))], []), RESORT) == ""
