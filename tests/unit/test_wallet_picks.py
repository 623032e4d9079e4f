"""Picks: no row of allowed bookings, uses and cancellations ever breaks quota, park, tier or overlap."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from tests.support.worlds import NOON, PARTY_ID, RESORT, TODAY, TOKEN_ID, an_id, use_of
from wallet.entitlement import Admission, Bypass, PickKind
from wallet.picks import booking_opens_at, refuse_booking, window_end, window_starts
from wallet.reasons import Language, Reason, sentence
from wallet.rules.bypass import spending_step
from wallet.tap import Refused
from wallet.token import TokenDocument, Use

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
HOPPER = Admission("ticket", ("lagoon", "summit"), TODAY, TODAY + 9 * DAY, 9, hopper=True)
EARLY = NOON - 4 * HOUR
GRACE = timedelta(seconds=RESORT.policies.window_late_s)


def held(attraction: str, hours: float, *, name: str = "a", pick: PickKind = PickKind.PICK) -> Bypass:
    starts_at = NOON + timedelta(hours=hours)
    return Bypass(name, attraction, starts_at, starts_at + HOUR, pick)


def refused(
    *rights: Bypass,
    book: str = "galleon",
    hours: float = 0,
    at: datetime = EARLY,
    stay_begins: date | None = None,
    ticket: Admission = HOPPER,
    uses: tuple[Use, ...] = (),
) -> Refused | None:
    token = TokenDocument(TOKEN_ID, 1, PARTY_ID, entitlements=(ticket, *rights), uses=uses)
    starts_at = NOON + timedelta(hours=hours)
    return refuse_booking(
        token, RESORT.attraction(book), starts_at, at=at, stay_begins=stay_begins, resort=RESORT
    )


def redeemed(right: Bypass) -> Use:
    step = spending_step(RESORT.attraction(right.attraction))
    number = 300 + sum(right.entitlement_id.encode())
    return use_of(step, right.starts_at, right.attraction, number=number, right=right.entitlement_id)


def reason_of(verdict: Refused | None) -> Reason | None:
    return verdict.reason if verdict else None


THREE = (held("galleon", 1, name="a"), held("comet", 2, name="b"), held("carousel", 3, name="c"))


def test_a_window_that_has_ended_cannot_be_booked_and_one_that_runs_can() -> None:
    assert refused(at=NOON + HOUR - SECOND) is None
    assert refused(at=NOON + HOUR) == Refused(Reason.WINDOW_PAST)


@pytest.mark.parametrize(
    ("stay_begins", "opens_at"),
    [
        (None, datetime.fromisoformat("2027-01-31T06:00:00Z")),
        (TODAY - DAY, datetime.fromisoformat("2026-12-31T06:00:00Z")),
    ],
)
def test_booking_opens_at_seven_resort_time_to_the_second(
    stay_begins: date | None, opens_at: datetime
) -> None:
    assert booking_opens_at(RESORT, TODAY, stay_begins) == opens_at
    assert refused(at=opens_at, stay_begins=stay_begins) is None
    told = opens_at.astimezone(RESORT.tz).strftime("%Y-%m-%d %H:%M")
    too_soon = refused(at=opens_at - SECOND, stay_begins=stay_begins)
    assert too_soon == Refused(Reason.BOOKING_NOT_OPEN, {"opens_at": told})


def test_seven_stays_seven_when_the_clocks_change() -> None:
    summer = date(2027, 4, 15)
    assert booking_opens_at(RESORT, summer, None).isoformat() == "2027-03-16T06:00:00+00:00"
    assert booking_opens_at(RESORT, summer + 30 * DAY, None).isoformat() == "2027-04-15T05:00:00+00:00"


def test_a_ticket_for_the_park_on_the_day_is_needed_first() -> None:
    for ticket in (
        replace(HOPPER, parks=("summit",)),
        replace(HOPPER, from_day=TODAY + DAY),
        replace(HOPPER, from_day=TODAY - DAY, until_day=TODAY - DAY),
    ):
        assert refused(ticket=ticket) == Refused(Reason.NO_ADMISSION, {"park": "Lagoon"})
    for ticket in (replace(HOPPER, until_day=TODAY), replace(HOPPER, from_day=TODAY)):
        assert refused(ticket=ticket) is None


@pytest.mark.parametrize(
    ("hours", "overlaps"),
    [(-1, False), (-1 + 1 / 3600, True), (0, True), (1 - 1 / 3600, True), (1, False)],
)
def test_windows_may_touch_and_never_overlap(hours: float, overlaps: bool) -> None:
    verdict = refused(held("carousel", 0), hours=hours)
    told = {"attraction": "Carousel", "starts_at": "13:00"}
    assert verdict == (Refused(Reason.WINDOWS_OVERLAP, told) if overlaps else None)


def test_a_used_window_a_replacement_and_one_of_an_accessibility_service_stand_outside_overlap() -> None:
    used = held("carousel", 0)
    assert refused(used, uses=(redeemed(used),)) is None
    assert refused(held("carousel", 0, pick=PickKind.ACCESSIBILITY)) is None
    assert refused(held("carousel", 0, pick=PickKind.REPLACEMENT)) is None
    pick, replacement = held("carousel", 0, name="b"), held("comet", 0, pick=PickKind.REPLACEMENT)
    assert reason_of(refused(replacement, pick)) is Reason.WINDOWS_OVERLAP, "beside it, picks still overlap"


def test_an_attraction_taken_out_of_the_resort_holds_nobody_up() -> None:
    assert refused(held("gone", 0)) is None


def test_three_picks_are_held_and_a_fourth_comes_once_all_are_used_or_have_lapsed() -> None:
    told = {"held": "3"}
    assert refused(*THREE[:2], hours=4) is None
    assert refused(*THREE, hours=4) == Refused(Reason.PICKS_ALL_HELD, told)
    two_used = tuple(redeemed(right) for right in THREE[:2])
    assert refused(*THREE, hours=4, uses=two_used) == Refused(Reason.PICKS_ALL_HELD, told)
    all_used = tuple(redeemed(right) for right in THREE)
    assert refused(*THREE, hours=4, uses=all_used) is None
    lapsed_at = THREE[2].ends_at + GRACE
    assert reason_of(refused(*THREE, hours=5, at=lapsed_at, uses=two_used)) is Reason.PICKS_ALL_HELD
    assert refused(*THREE, hours=5, at=lapsed_at + SECOND, uses=two_used) is None


def test_the_fourth_may_be_anywhere_and_only_one_at_a_time() -> None:
    uses = tuple(redeemed(right) for right in THREE)
    assert refused(*THREE, book="glacier", hours=4, uses=uses) is None
    assert refused(*THREE, book="whirl", hours=4, uses=uses) is None
    fourth = held("glacier", 4, name="d")
    assert refused(*THREE, fourth, hours=6, uses=uses) == Refused(Reason.PICKS_ALL_HELD, {"held": "4"})
    assert refused(*THREE, fourth, hours=6, uses=(*uses, redeemed(fourth))) is None


def test_the_first_three_are_in_one_park_with_one_of_tier_one() -> None:
    first = held("comet", 2)
    one_park = refused(first, book="glacier")
    assert one_park == Refused(Reason.PICKS_OTHER_PARK, {"held": "3", "park": "Lagoon"})
    assert refused(first, book="whirl") == Refused(Reason.PICKS_TIER_ONE, {"most": "1"})
    assert refused(first, book="galleon") is None
    assert refused(held("carousel", 2), book="comet") is None


def test_other_days_and_other_kinds_do_not_count_towards_the_quota() -> None:
    tomorrow = tuple(replace(r, starts_at=r.starts_at + DAY, ends_at=r.ends_at + DAY) for r in THREE)
    assert refused(*tomorrow) is None
    replacements = tuple(replace(right, pick=PickKind.REPLACEMENT) for right in THREE)
    assert refused(*replacements, book="glacier") is None


def test_windows_run_from_opening_to_closing_also_past_midnight() -> None:
    starts = window_starts(RESORT, RESORT.attraction("comet"), TODAY)
    assert [RESORT.local(at).hour for at in starts] == list(range(9, 23))
    late = window_starts(RESORT, RESORT.attraction("glacier"), TODAY)
    assert [RESORT.local(at).hour for at in late] == [*range(10, 24), 0]
    assert all(window_end(RESORT, a) == b for a, b in pairwise(late))
    assert {RESORT.day_of(at) for at in late} == {TODAY}


class Booking(RuleBasedStateMachine):
    """One guest books, redeems, cancels and lets lapse, as time goes on; what is allowed is done."""

    def __init__(self) -> None:
        super().__init__()
        self.at = EARLY
        self.token = TokenDocument(TOKEN_ID, 1, PARTY_ID, entitlements=(HOPPER,))
        self.booked = 0

    def held(self) -> list[Bypass]:
        return [right for right in self.token.entitlements if isinstance(right, Bypass)]

    def unspent(self) -> list[Bypass]:
        used = {use.entitlement_id for use in self.token.uses}
        return [
            right
            for right in self.held()
            if right.entitlement_id not in used and self.at <= right.ends_at + GRACE
        ]

    @rule(
        attraction=st.sampled_from(RESORT.attractions),
        slot=st.integers(0, 13),
        minutes=st.sampled_from([0, 30]),
        days=st.sampled_from([0, 0, 0, 1]),
    )
    def book(self, attraction: object, slot: int, minutes: int, days: int) -> None:
        starts_at = EARLY + timedelta(hours=slot, minutes=minutes, days=days)
        why = refuse_booking(self.token, attraction, starts_at, at=self.at, stay_begins=None, resort=RESORT)
        if why is not None:
            assert all("…" not in sentence(why.reason, why.detail, language) for language in Language)
            return
        self.booked += 1
        right = Bypass(an_id(self.booked), attraction.id, starts_at, window_end(RESORT, starts_at))
        self.token = replace(self.token, entitlements=(*self.token.entitlements, right))
        self.assert_a_new_pick_keeps_the_rules(right)

    def assert_a_new_pick_keeps_the_rules(self, right: Bypass) -> None:
        day = RESORT.day_of(right.starts_at)
        same_day = [each for each in self.held() if RESORT.day_of(each.starts_at) == day]
        if len(same_day) > 3:
            assert [each for each in self.unspent() if each in same_day] in ([right], [])
        else:
            rides = [RESORT.attraction(each.attraction) for each in same_day]
            assert len({ride.park for ride in rides}) == 1
            assert sum(ride.tier == 1 for ride in rides) <= 1

    @precondition(lambda self: self.unspent())
    @rule(data=st.data())
    def redeem(self, data: st.DataObject) -> None:
        use = redeemed(data.draw(st.sampled_from(self.unspent())))
        self.token = replace(self.token, uses=(*self.token.uses, use))

    @precondition(lambda self: self.unspent())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.unspent()))
        rest = tuple(right for right in self.token.entitlements if right != gone)
        self.token = replace(self.token, entitlements=rest)

    @rule(minutes=st.integers(1, 180))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @invariant()
    def open_windows_never_overlap(self) -> None:
        windows = sorted((right.starts_at, right.ends_at) for right in self.unspent())
        assert all(end <= start for (_, end), (start, _) in pairwise(windows))

    @invariant()
    def never_more_than_three_are_open_on_a_day(self) -> None:
        for day in {RESORT.day_of(right.starts_at) for right in self.held()}:
            still_open = [right for right in self.unspent() if RESORT.day_of(right.starts_at) == day]
            assert len(still_open) <= 3


TestBooking = Booking.TestCase
TestBooking.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
