"""Doors, parking lanes and photo points: a tap that must pass, and each condition that stops it."""

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
from tests.support.worlds import NOON, World, use_of, world_at
from wallet.decide import decide
from wallet.entitlement import Parking, Photos, RoomKey
from wallet.reasons import Reason
from wallet.tap import Approved, Refused
from wallet.token import Step

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
KEY = RoomKey("right", ("101", "103"), NOON - DAY, NOON + DAY)
CAR = Parking("right", ("lot-a",), NOON - DAY, NOON + DAY, 2)
PHOTOS = Photos("right", NOON - DAY, NOON + DAY)

NOT_YET = Break(
    Reason.BEFORE_CHECK_IN, lambda world: world.with_right(from_at=NOON + SECOND, until_at=NOON + DAY)
)
OVER = Break(Reason.AFTER_CHECK_OUT, lambda world: world.with_right(from_at=NOON - DAY, until_at=NOON))


def cars_in(world: World, seconds_ago: int = 60) -> World:
    at = NOON - timedelta(seconds=seconds_ago)
    return world.with_uses(*(use_of(Step.ENTER, at, "lot-a", number=number) for number in (200, 201)))


ROOM_BREAKS = (
    *MEDIUM_BREAKS,
    CLOSED,
    NO_RIGHTS,
    Break(Reason.OTHER_ROOM, lambda world: world.with_right(rooms=("102",))),
    NOT_YET,
    OVER,
)
LANE_BREAKS = (
    *MEDIUM_BREAKS,
    STALE,
    CLOSED,
    NO_RIGHTS,
    Break(Reason.OTHER_LOT, lambda world: world.with_right(lots=("lot-b",))),
    NOT_YET,
    OVER,
    Break(Reason.VEHICLES_ALL_INSIDE, cars_in),
)
PHOTO_BREAKS = (
    *MEDIUM_BREAKS,
    STALE,
    CLOSED,
    NO_RIGHTS,
    Break(Reason.NOT_ENTITLED, lambda world: world.with_right(from_at=NOON + SECOND)),
    Break(Reason.NOT_ENTITLED, lambda world: world.with_right(until_at=NOON)),
)


@given(st.frozensets(st.integers(0, len(ROOM_BREAKS) - 1)))
def test_a_door_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    expect_first_broken(world_at("door-101", KEY), ROOM_BREAKS, chosen)


def test_a_door_names_each_broken_condition_and_of_two_the_first() -> None:
    expect_each_and_every_pair(world_at("door-101", KEY), ROOM_BREAKS)


@given(st.frozensets(st.integers(0, len(LANE_BREAKS) - 1)))
def test_an_entry_lane_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    expect_first_broken(world_at("lane-in", CAR), LANE_BREAKS, chosen)


def test_an_entry_lane_names_each_broken_condition_and_of_two_the_first() -> None:
    expect_each_and_every_pair(world_at("lane-in", CAR), LANE_BREAKS)


@given(st.frozensets(st.integers(0, len(PHOTO_BREAKS) - 1)))
def test_a_photo_point_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    expect_first_broken(world_at("plaza", PHOTOS), PHOTO_BREAKS, chosen)


def test_a_photo_point_names_each_broken_condition_and_of_two_the_first() -> None:
    expect_each_and_every_pair(world_at("plaza", PHOTOS), PHOTO_BREAKS)


@pytest.mark.parametrize(("touchpoint", "right"), [("door-101", KEY), ("lane-in", CAR), ("plaza", PHOTOS)])
@pytest.mark.parametrize(
    ("seconds", "passes"), [(-1, False), (0, True), (2 * 86400 - 1, True), (2 * 86400, False)]
)
def test_a_right_holds_from_its_first_second_to_the_last(
    touchpoint: str, right: RoomKey | Parking | Photos, seconds: int, passes: bool
) -> None:
    at = NOON - DAY + timedelta(seconds=seconds)
    world = world_at(touchpoint, right).with_tap(at=at)
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


def test_a_door_says_which_rooms_the_key_opens_and_from_when_to_when() -> None:
    other = RoomKey("b", ("104", "102"), NOON - DAY, NOON + DAY)
    world = world_at("door-101", other)
    assert decide(world.tap, world.facts) == Refused(Reason.OTHER_ROOM, {"rooms": "102, 104"})
    later = RoomKey("c", ("101",), NOON + 2 * DAY, NOON + 3 * DAY)
    soon = RoomKey("d", ("101",), NOON + DAY, NOON + 2 * DAY)
    gone, long_gone = (RoomKey("e", ("101",), NOON - 9 * DAY, NOON - each * DAY) for each in (1, 2))
    world = world_at("door-101", later, soon, gone)
    assert decide(world.tap, world.facts) == Refused(Reason.BEFORE_CHECK_IN, {"from_at": "2027-03-03 13:00"})
    world = world_at("door-101", long_gone, gone)
    assert decide(world.tap, world.facts) == Refused(Reason.AFTER_CHECK_OUT, {"until_at": "2027-03-01 13:00"})


def test_a_key_or_a_car_right_to_nothing_is_no_right() -> None:
    for touchpoint, right in (
        ("door-101", RoomKey("a", (), NOON - DAY, NOON + DAY)),
        ("lane-in", Parking("a", (), NOON - DAY, NOON + DAY)),
    ):
        world = world_at(touchpoint, right)
        assert decide(world.tap, world.facts) == Refused(Reason.NOT_ENTITLED)


def test_of_two_keys_the_one_that_ends_first_opens_then_the_lower_id() -> None:
    first = RoomKey("z", ("101",), NOON - DAY, NOON + SECOND)
    same = RoomKey("y", ("101",), NOON - DAY, NOON + SECOND)
    world = world_at("door-101", KEY, first)
    assert decide(world.tap, world.facts) == Approved("z")
    world = world_at("door-101", first, same)
    assert decide(world.tap, world.facts) == Approved("y")


def test_a_lane_says_where_parking_is_included_and_from_when_to_when() -> None:
    elsewhere = Parking("a", ("lot-b", "gone"), NOON - DAY, NOON + DAY)
    world = world_at("lane-in", elsewhere)
    assert decide(world.tap, world.facts) == Refused(Reason.OTHER_LOT, {"lots": "Car park B, gone"})
    past, older = (Parking("b", ("lot-a",), NOON - 9 * DAY, NOON - each * DAY) for each in (1, 2))
    future, further = (Parking("c", ("lot-a",), NOON + each * DAY, NOON + 9 * DAY) for each in (1, 2))
    world = world_at("lane-in", further, future, past)
    assert decide(world.tap, world.facts) == Refused(Reason.BEFORE_CHECK_IN, {"from_at": "2027-03-03 13:00"})
    world = world_at("lane-in", older, past)
    assert decide(world.tap, world.facts) == Refused(Reason.AFTER_CHECK_OUT, {"until_at": "2027-03-01 13:00"})


def test_one_place_less_than_the_vehicles_included_is_free() -> None:
    world = world_at("lane-in", CAR).with_uses(use_of(Step.ENTER, NOON - timedelta(minutes=1), "lot-a"))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    (use,) = verdict.uses
    assert (use.step, use.place, use.tap_id) == (Step.ENTER, "lot-a", world.tap.tap_id)


@pytest.mark.parametrize(("seconds", "passes"), [(1000, True), (999, False)])
def test_an_entry_stops_counting_when_the_reset_time_has_passed(seconds: int, passes: bool) -> None:
    world = cars_in(world_at("lane-in", CAR), seconds).with_policies(parking_passback_s=1000)
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


def test_an_exit_makes_room_and_one_exit_makes_room_for_one() -> None:
    out = [use_of(Step.EXIT, NOON - timedelta(seconds=30 + n), "lot-a", number=300 + n) for n in range(2)]
    one_out = cars_in(world_at("lane-in", CAR)).with_uses(out[0])
    assert isinstance(decide(one_out.tap, one_out.facts), Approved)
    in_again = one_out.with_uses(use_of(Step.ENTER, NOON - SECOND, "lot-a", number=400))
    assert decide(in_again.tap, in_again.facts) == Refused(Reason.VEHICLES_ALL_INSIDE)


def test_an_exit_without_an_entry_is_not_owed_a_vehicle() -> None:
    out = use_of(Step.EXIT, NOON - timedelta(seconds=90), "lot-a", number=300)
    world = cars_in(world_at("lane-in", CAR)).with_uses(out)
    assert decide(world.tap, world.facts) == Refused(Reason.VEHICLES_ALL_INSIDE)


def test_what_happens_later_or_by_another_right_does_not_fill_the_lot() -> None:
    later = [use_of(Step.ENTER, NOON + SECOND, "lot-a", number=n) for n in (200, 201)]
    others = [use_of(Step.ENTER, NOON - SECOND, "lot-a", number=n, right="b") for n in (202, 203)]
    world = world_at("lane-in", CAR).with_uses(*later, *others)
    assert isinstance(decide(world.tap, world.facts), Approved)
    now = [use_of(Step.ENTER, NOON, "lot-a", number=n) for n in (200, 201)]
    full = world_at("lane-in", CAR).with_uses(*now)
    assert decide(full.tap, full.facts) == Refused(Reason.VEHICLES_ALL_INSIDE)


def test_the_right_with_room_that_ends_first_takes_the_vehicle() -> None:
    ends_first = Parking("first", ("lot-a",), NOON - DAY, NOON + SECOND, 1)
    world = world_at("lane-in", CAR, ends_first)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "first"
    full = world.with_uses(use_of(Step.ENTER, NOON - SECOND, "lot-a", right="first"))
    verdict = decide(full.tap, full.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "right"


@given(st.integers(1, 30), st.booleans(), st.booleans())
def test_a_vehicle_that_is_inside_may_always_leave(days: int, closed: bool, over: bool) -> None:
    world = world_at("lane-out", CAR).with_uses(use_of(Step.ENTER, NOON - days * DAY, "lot-a"))
    world = world.with_token(closed=closed)
    if over:
        world = world.with_right(from_at=NOON - 40 * DAY, until_at=NOON - 31 * DAY)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert [use.step for use in verdict.uses] == [Step.EXIT]


def test_what_is_not_inside_cannot_leave() -> None:
    world = world_at("lane-out", CAR)
    assert decide(world.tap, world.facts) == Refused(Reason.VEHICLE_NOT_INSIDE)
    left = world.with_uses(
        use_of(Step.ENTER, NOON - 2 * SECOND, "lot-a", number=1), use_of(Step.EXIT, NOON - SECOND, "lot-a")
    )
    assert decide(left.tap, left.facts) == Refused(Reason.VEHICLE_NOT_INSIDE)


def test_the_right_whose_vehicle_is_inside_is_the_one_that_leaves() -> None:
    other = Parking("other", ("lot-a",), NOON - DAY, NOON + SECOND)
    world = world_at("lane-out", CAR, other).with_uses(use_of(Step.ENTER, NOON - SECOND, "lot-a"))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "right"
    both = world.with_uses(use_of(Step.ENTER, NOON - SECOND, "lot-a", number=2, right="other"))
    verdict = decide(both.tap, both.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "other"


def test_pictures_hang_on_the_plan_where_there_is_one_then_on_what_ends_first() -> None:
    plan = Photos("plan", NOON - DAY, NOON + 2 * DAY, plan=True)
    longer = Photos("longer", NOON - DAY, NOON + 3 * DAY, plan=True)
    world = world_at("plaza", PHOTOS, longer, plan)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "plan"
    (use,) = verdict.uses
    assert (use.step, use.place, use.day.isoformat()) == (Step.PHOTO, "plaza", "2027-03-02")
