"""Bypass: a window accepted to the second, spent once, at the merge point where there is one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.breaking import (
    CLOSED,
    MEDIUM_BREAKS,
    STALE,
    Break,
    expect_each_and_every_pair,
    expect_first_broken,
)
from tests.support.worlds import NOON, RESORT, use_of, world_at
from wallet.decide import decide
from wallet.entitlement import Bypass
from wallet.reasons import Reason
from wallet.rules.bypass import spending_step
from wallet.tap import Approved, Refused
from wallet.token import Step

MINUTE, HOUR, DAY, SECOND = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
RIDE = Bypass("right", "comet", NOON - 30 * MINUTE, NOON + 30 * MINUTE)
ENTERED = use_of(Step.ENTRANCE, NOON - 5 * MINUTE, "comet", number=200)
MERGED = use_of(Step.MERGE, NOON - 2 * MINUTE, "comet", number=201)

NONE_HERE = Break(Reason.NO_RESERVATION, lambda world: world.with_right(attraction="galleon"))
REDEEMED = Break(Reason.RESERVATION_REDEEMED, lambda world: world.with_uses(MERGED))
ENTRANCE_BREAKS = (
    *MEDIUM_BREAKS,
    STALE,
    CLOSED,
    NONE_HERE,
    REDEEMED,
    Break(
        Reason.WINDOW_NOT_OPEN,
        lambda world: world.with_right(starts_at=NOON + 5 * MINUTE + SECOND, ends_at=NOON + 2 * HOUR),
    ),
    Break(
        Reason.WINDOW_CLOSED,
        lambda world: world.with_right(starts_at=NOON - HOUR, ends_at=NOON - 15 * MINUTE - SECOND),
    ),
)
MERGE_BREAKS = (
    *MEDIUM_BREAKS,
    STALE,
    CLOSED,
    NONE_HERE,
    REDEEMED,
    Break(Reason.ENTRANCE_FIRST, lambda world: world.with_facts(uses=())),
)


@given(st.frozensets(st.integers(0, len(ENTRANCE_BREAKS) - 1)))
def test_an_entrance_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    expect_first_broken(world_at("comet-entrance", RIDE), ENTRANCE_BREAKS, chosen)


def test_an_entrance_names_each_broken_condition_and_of_two_the_first() -> None:
    expect_each_and_every_pair(world_at("comet-entrance", RIDE), ENTRANCE_BREAKS)


@given(st.frozensets(st.integers(0, len(MERGE_BREAKS) - 1)))
def test_a_merge_point_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    expect_first_broken(world_at("comet-merge", RIDE).with_uses(ENTERED), MERGE_BREAKS, chosen)


def test_a_merge_point_names_each_broken_condition_and_of_two_the_first() -> None:
    expect_each_and_every_pair(world_at("comet-merge", RIDE).with_uses(ENTERED), MERGE_BREAKS)


@pytest.mark.parametrize(
    ("from_start", "verdict"),
    [
        (-5 * MINUTE - SECOND, Refused(Reason.WINDOW_NOT_OPEN, {"opens_at": "12:55"})),
        (-5 * MINUTE, None),
        (timedelta(0), None),
        (HOUR, None),
        (HOUR + 15 * MINUTE, None),
        (HOUR + 15 * MINUTE + SECOND, Refused(Reason.WINDOW_CLOSED, {"closed_at": "14:15"})),
    ],
)
def test_a_window_is_accepted_from_five_minutes_before_to_fifteen_after_to_the_second(
    from_start: timedelta, verdict: Refused | None
) -> None:
    ride = Bypass("right", "comet", NOON, NOON + HOUR)
    world = world_at("comet-entrance", ride).with_tap(at=NOON + from_start)
    got = decide(world.tap, world.facts)
    if verdict is None:
        assert isinstance(got, Approved)
        (use,) = got.uses
        assert (use.step, use.place, use.entitlement_id) == (Step.ENTRANCE, "comet", "right")
    else:
        assert got == verdict


def test_a_window_of_another_day_is_told_with_its_date() -> None:
    tomorrow = Bypass("a", "comet", NOON + DAY, NOON + DAY + HOUR)
    later = Bypass("b", "comet", NOON + 2 * DAY, NOON + 2 * DAY + HOUR)
    world = world_at("comet-entrance", later, tomorrow)
    opens = {"opens_at": "2027-03-03 12:55"}
    assert decide(world.tap, world.facts) == Refused(Reason.WINDOW_NOT_OPEN, opens)
    past, older = (Bypass("c", "comet", NOON - n * DAY - HOUR, NOON - n * DAY) for n in (1, 2))
    world = world_at("comet-entrance", older, past)
    closed = {"closed_at": "2027-03-01 13:15"}
    assert decide(world.tap, world.facts) == Refused(Reason.WINDOW_CLOSED, closed)
    coming_goes_first = world_at("comet-entrance", past, tomorrow)
    assert decide(coming_goes_first.tap, coming_goes_first.facts) == Refused(Reason.WINDOW_NOT_OPEN, opens)


@pytest.mark.parametrize(
    ("rights", "first"),
    [
        # Holds now, though the other (within its grace) expires first.
        ((("late", -75, -10), ("now", -10, 50)), "now"),
        # Neither holds now: the one that expires first.
        ((("soon", 4, 64), ("late", -75, -10)), "late"),
        # Both hold now: the one that expires first, then the lower id.
        ((("long", -10, 60), ("short", -10, 50)), "short"),
        ((("b", -10, 50), ("a", -10, 50)), "a"),
        # A window holds from its first second, and no longer at its end.
        ((("ends", -60, 0), ("starts", 0, 60)), "starts"),
    ],
)
def test_the_window_that_holds_now_goes_first_then_the_one_that_expires_first(
    rights: tuple[tuple[str, int, int], ...], first: str
) -> None:
    held = [Bypass(name, "comet", NOON + a * MINUTE, NOON + b * MINUTE) for name, a, b in rights]
    world = world_at("comet-entrance", *held)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == first


def test_entrance_then_merge_and_then_no_more() -> None:
    entrance = world_at("comet-entrance", RIDE)
    entered = decide(entrance.tap, entrance.facts)
    assert isinstance(entered, Approved)
    merge = world_at("comet-merge", RIDE, at=NOON + MINUTE).with_uses(*entered.uses)
    merged = decide(merge.tap, merge.facts)
    assert isinstance(merged, Approved)
    assert [use.step for use in merged.uses] == [Step.MERGE]
    for touchpoint in ("comet-entrance", "comet-merge"):
        again = world_at(touchpoint, RIDE, at=NOON + 2 * MINUTE).with_uses(*entered.uses, *merged.uses)
        told = {"redeemed_at": "13:01"}
        assert decide(again.tap, again.facts) == Refused(Reason.RESERVATION_REDEEMED, told)


def test_who_entered_in_time_merges_after_the_window_s_end() -> None:
    ride = Bypass("right", "comet", NOON - 3 * HOUR, NOON - 2 * HOUR)
    entered = use_of(Step.ENTRANCE, NOON - 2 * HOUR, "comet")
    world = world_at("comet-merge", ride).with_uses(entered)
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_who_entered_merges_until_the_resort_day_is_over_and_not_the_next_day() -> None:
    # The resort day of 2 March ends at 04:00 on the 3rd, 03:00 UTC.
    ends_at = NOON + 15 * HOUR
    ride = Bypass("right", "comet", NOON + 8 * HOUR, NOON + 9 * HOUR)
    entered = use_of(Step.ENTRANCE, NOON + 9 * HOUR, "comet")
    last = world_at("comet-merge", ride, at=ends_at - SECOND).with_uses(entered)
    assert isinstance(decide(last.tap, last.facts), Approved)
    over = world_at("comet-merge", ride, at=ends_at).with_uses(entered)
    assert decide(over.tap, over.facts) == Refused(Reason.WINDOW_CLOSED, {"closed_at": "04:00"})
    today = Bypass("today", "comet", ends_at + HOUR, ends_at + 2 * HOUR)
    again = use_of(Step.ENTRANCE, ends_at + HOUR, "comet", number=202, right="today")
    both = world_at("comet-merge", ride, today, at=ends_at + 2 * HOUR).with_uses(entered, again)
    verdict = decide(both.tap, both.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "today", "yesterday's, never merged, takes nobody's place today"


def test_without_a_merge_point_the_entrance_spends_it() -> None:
    ride = Bypass("right", "carousel", NOON - 30 * MINUTE, NOON + 30 * MINUTE)
    world = world_at("carousel-entrance", ride)
    entered = decide(world.tap, world.facts)
    assert isinstance(entered, Approved)
    for touchpoint in ("carousel-entrance", "carousel-merge"):
        again = world_at(touchpoint, ride, at=NOON + MINUTE).with_uses(*entered.uses)
        told = {"redeemed_at": "13:00"}
        assert decide(again.tap, again.facts) == Refused(Reason.RESERVATION_REDEEMED, told)
    assert spending_step(RESORT.attraction("carousel")) is Step.ENTRANCE
    assert spending_step(RESORT.attraction("comet")) is Step.MERGE


def test_the_one_who_entered_first_merges_first_and_only_what_entered_merges() -> None:
    other = Bypass("other", "comet", NOON - 30 * MINUTE, NOON + MINUTE)
    first = use_of(Step.ENTRANCE, NOON - 9 * MINUTE, "comet", number=202, right="other")
    world = world_at("comet-merge", RIDE, other).with_uses(ENTERED)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "right"
    both = world.with_uses(first)
    verdict = decide(both.tap, both.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "other"


def test_the_spent_one_leaves_the_other_and_the_last_redemption_is_told() -> None:
    other = Bypass("other", "comet", NOON - 30 * MINUTE, NOON + 40 * MINUTE)
    world = world_at("comet-entrance", RIDE, other).with_uses(MERGED)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "other"
    earlier = use_of(Step.MERGE, NOON - HOUR, "comet", number=203, right="other")
    both = world.with_uses(earlier)
    assert decide(both.tap, both.facts) == Refused(Reason.RESERVATION_REDEEMED, {"redeemed_at": "12:58"})
