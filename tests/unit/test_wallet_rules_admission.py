"""Park gates: day, park, hopper, days used, re-entry, and the same ticket not twice in a moment."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.breaking import (
    CLOSED,
    MEDIUM_BREAKS,
    NO_RIGHTS,
    STALE,
    Break,
    expect_each_and_every_pair,
    expect_first_broken,
)
from tests.support.worlds import NOON, TODAY, World, use_of, world_at
from wallet.decide import decide
from wallet.entitlement import Admission
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Refused
from wallet.token import Step, Use

DAY, SECOND, HOUR = timedelta(days=1), timedelta(seconds=1), timedelta(hours=1)
TICKET = Admission("right", ("lagoon", "summit"), TODAY - 3 * DAY, TODAY + 3 * DAY, 2)


def entry(ago: timedelta, place: str = "lagoon", *, number: int = 200, right: str = "right") -> Use:
    return use_of(Step.PARK_IN, NOON - ago, place, number=number, right=right)


def leaving(ago: timedelta, *, number: int = 300) -> Use:
    return use_of(Step.PARK_OUT, NOON - ago, "lagoon", number=number)


def days_used(world: World) -> World:
    world = world.with_facts(uses=())
    return world.with_uses(entry(DAY, number=201), entry(2 * DAY, number=202))


BREAKS = (
    *MEDIUM_BREAKS,
    STALE,
    CLOSED,
    NO_RIGHTS,
    Break(Reason.OTHER_DAY, lambda world: world.with_right(until_day=TODAY - DAY)),
    Break(Reason.OTHER_PARK, lambda world: world.with_right(parks=("summit",))),
    Break(Reason.DAYS_USED_UP, days_used),
    Break(Reason.OTHER_PARK, lambda world: world.with_uses(entry(HOUR, "summit", number=203))),
    Break(Reason.ALREADY_INSIDE, lambda world: world.with_uses(entry(timedelta(minutes=2), number=204))),
)


@given(st.frozensets(st.integers(0, len(BREAKS) - 1)))
def test_a_gate_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    expect_first_broken(world_at("gate-in", TICKET), BREAKS, chosen)


def test_a_gate_names_each_broken_condition_and_of_two_the_first() -> None:
    expect_each_and_every_pair(world_at("gate-in", TICKET), BREAKS)


@pytest.mark.parametrize(("days", "passes"), [(-4, False), (-3, True), (0, True), (3, True), (4, False)])
def test_a_ticket_is_good_on_its_first_and_last_day_and_between(days: int, passes: bool) -> None:
    world = world_at("gate-in", TICKET, at=NOON + timedelta(days=days))
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


def test_the_night_belongs_to_the_day_before_until_the_resort_s_day_begins() -> None:
    only_today = Admission("right", ("lagoon",), TODAY, TODAY)
    almost = world_at("gate-in", only_today, at=NOON.replace(day=3, hour=2, minute=59, second=59))
    verdict = decide(almost.tap, almost.facts)
    assert isinstance(verdict, Approved)
    assert verdict.uses[0].day == TODAY
    four_o_clock = world_at("gate-in", only_today, at=NOON.replace(day=3, hour=3))
    assert isinstance(decide(four_o_clock.tap, four_o_clock.facts), Refused)


def test_the_next_ticket_is_named_on_another_day_or_else_the_last() -> None:
    past = Admission("a", ("lagoon",), TODAY - 5 * DAY, TODAY - 4 * DAY)
    older = Admission("b", ("lagoon",), TODAY - 8 * DAY, TODAY - 7 * DAY)
    coming = Admission("c", ("lagoon",), TODAY + DAY, TODAY + 2 * DAY)
    later = Admission("d", ("lagoon",), TODAY + 3 * DAY, TODAY + 4 * DAY)
    world = world_at("gate-in", past, later, coming, older)
    detail = {"from_day": "2027-03-03", "until_day": "2027-03-04"}
    assert decide(world.tap, world.facts) == Refused(Reason.OTHER_DAY, detail)
    world = world_at("gate-in", older, past)
    detail = {"from_day": "2027-02-25", "until_day": "2027-02-26"}
    assert decide(world.tap, world.facts) == Refused(Reason.OTHER_DAY, detail)


def test_the_park_of_the_day_is_named_at_another_also_when_the_resort_does_not_know_it() -> None:
    world = world_at("gate-in", Admission("a", ("summit", "gone"), TODAY, TODAY))
    assert decide(world.tap, world.facts) == Refused(Reason.OTHER_PARK, {"parks": "Summit, gone"})
    world = world_at("gate-in", Admission("a", (), TODAY, TODAY))
    assert decide(world.tap, world.facts) == Refused(Reason.NOT_ENTITLED)
    world = world_at("gate-in", TICKET).with_uses(entry(HOUR, "summit"))
    assert decide(world.tap, world.facts) == Refused(Reason.OTHER_PARK, {"parks": "Summit"})


def test_a_hopper_changes_parks_and_spends_one_day_only() -> None:
    hopper = Admission("right", ("lagoon", "summit"), TODAY, TODAY, 1, hopper=True)
    world = world_at("gate-in", hopper).with_uses(entry(HOUR, "summit"))
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_coming_back_on_the_same_day_spends_no_further_day() -> None:
    world = world_at("gate-in", TICKET).with_uses(entry(DAY, number=201), entry(HOUR, number=202))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    (use,) = verdict.uses
    assert (use.step, use.place, use.day) == (Step.PARK_IN, "lagoon", TODAY)


def test_a_day_left_is_a_day_and_days_of_other_tickets_or_other_steps_are_none() -> None:
    others = (entry(2 * DAY, number=202, right="b"), use_of(Step.PARK_OUT, NOON - 3 * DAY, "lagoon"))
    world = world_at("gate-in", TICKET).with_uses(entry(DAY, number=201), *others)
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_days_used_up_says_how_many_there_were() -> None:
    small = Admission("b", ("lagoon",), TODAY, TODAY, 0)
    world = days_used(world_at("gate-in", small, TICKET))
    assert decide(world.tap, world.facts) == Refused(Reason.DAYS_USED_UP, {"days": "2"})


def test_the_ticket_used_today_goes_first_then_the_one_that_expires_first() -> None:
    sooner = Admission("z", ("lagoon",), TODAY, TODAY)
    same = Admission("y", ("lagoon",), TODAY, TODAY)
    world = world_at("gate-in", TICKET, sooner, same)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "y"
    used = world.with_uses(entry(HOUR))
    verdict = decide(used.tap, used.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "right"


@pytest.mark.parametrize("sign", [1, -1], ids=["entry before", "entry that came home first"])
@pytest.mark.parametrize(("seconds", "passes"), [(1, False), (299, False), (300, True), (301, True)])
def test_a_ticket_does_not_go_in_twice_in_a_moment_whichever_tap_comes_home_first(
    sign: int, seconds: int, passes: bool
) -> None:
    world = world_at("gate-in", TICKET).with_uses(entry(sign * timedelta(seconds=seconds)))
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


def test_the_moment_of_the_other_entry_is_told() -> None:
    world = world_at("gate-in", TICKET).with_uses(entry(timedelta(minutes=4)))
    assert decide(world.tap, world.facts) == Refused(Reason.ALREADY_INSIDE, {"entered_at": "12:56"})


@pytest.mark.parametrize(
    ("moves", "passes"),
    [
        ((entry(60 * SECOND), leaving(30 * SECOND)), True),
        ((leaving(60 * SECOND), entry(30 * SECOND)), False),
        ((entry(60 * SECOND), leaving(-30 * SECOND)), False),
        ((leaving(-30 * SECOND), entry(-60 * SECOND)), True),
        ((leaving(30 * SECOND), entry(-30 * SECOND)), False),
        ((entry(timedelta(0)),), False),
        ((entry(60 * SECOND), leaving(timedelta(0))), True),
        ((entry(60 * SECOND, "summit", right="b"),), True),
        ((use_of(Step.PHOTO, NOON - SECOND, "lagoon"),), True),
        ((entry(60 * SECOND), use_of(Step.PHOTO, NOON - SECOND, "lagoon")), False),
    ],
)
def test_only_a_way_out_between_two_entries_lets_the_second_in(moves: tuple[Use, ...], passes: bool) -> None:
    world = world_at("gate-in", TICKET).with_uses(*moves)
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


@given(st.integers(-30, 30), st.booleans(), st.booleans())
def test_nobody_with_a_ticket_is_held_inside(days: int, closed: bool, entered: bool) -> None:
    world = world_at("gate-out", TICKET, at=NOON + timedelta(days=days)).with_token(closed=closed)
    if entered:
        world = world.with_uses(entry(HOUR))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert [(use.step, use.place) for use in verdict.uses] == [(Step.PARK_OUT, "lagoon")]


def test_the_way_out_is_noted_on_the_ticket_that_went_in() -> None:
    sooner = Admission("z", ("lagoon",), TODAY, TODAY)
    world = world_at("gate-out", TICKET, sooner)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "z"
    used = world.with_uses(entry(HOUR))
    verdict = decide(used.tap, used.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "right"


def test_without_a_ticket_there_is_no_way_in_and_still_a_way_out() -> None:
    world = world_at("gate-in")
    assert decide(world.tap, world.facts) == Refused(Reason.NOT_ENTITLED)
    world = world_at("gate-out")
    assert decide(world.tap, world.facts) == Approved("", (), (Flag.LET_OUT,))
