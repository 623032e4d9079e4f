"""A right of one kind is worth nothing at a touchpoint of another."""

from datetime import timedelta

import pytest

from tests.support.worlds import NOON, TODAY, an_id, sale_of, use_of, world_at
from wallet.decide import decide
from wallet.entitlement import Admission, Bypass, Parking, Photos, RoomKey, Spending
from wallet.reasons import Reason
from wallet.tap import Approved, Decision, Flag, Refused
from wallet.token import Step

SPAN = (NOON - timedelta(days=1), NOON + timedelta(days=1))
RIGHTS = {
    "door-101": RoomKey("right", ("101",), *SPAN),
    "lane-in": Parking("right", ("lot-a",), *SPAN),
    "lane-out": Parking("right", ("lot-a",), *SPAN),
    "gate-in": Admission("right", ("lagoon",), TODAY, TODAY),
    "gate-out": Admission("right", ("lagoon",), TODAY, TODAY),
    "comet-entrance": Bypass("right", "comet", *SPAN),
    "comet-merge": Bypass("right", "comet", *SPAN),
    "till": Spending("right", an_id(8), "EUR", 30000, 5000, *SPAN),
    "plaza": Photos("right", *SPAN),
}
DONE_BEFORE = (
    use_of(Step.ENTER, NOON - timedelta(hours=1), "lot-a", number=1),
    use_of(Step.ENTRANCE, NOON - timedelta(hours=1), "comet", number=2),
)


@pytest.mark.parametrize("touchpoint", RIGHTS)
def test_each_right_works_at_its_own_touchpoint_and_no_other_does(touchpoint: str) -> None:
    for right in RIGHTS.values():
        before = () if touchpoint == "lane-in" else DONE_BEFORE
        world = world_at(touchpoint, right, sale=sale_of(100)).with_uses(*before)
        verdict = decide(world.tap, world.facts)
        if type(right) is type(RIGHTS[touchpoint]):
            assert isinstance(verdict, Approved)
        else:
            assert verdict == _without_a_right(touchpoint)


@pytest.mark.parametrize("touchpoint", RIGHTS)
def test_a_token_without_a_right_is_told_so(touchpoint: str) -> None:
    world = world_at(touchpoint, sale=sale_of(100))
    assert decide(world.tap, world.facts) == _without_a_right(touchpoint)


def _without_a_right(touchpoint: str) -> Decision:
    """Return what is said to who has no right there; a park lets everybody out."""
    if touchpoint == "gate-out":
        return Approved("", (), (Flag.LET_OUT,))
    return Refused(Reason.NO_RESERVATION if touchpoint.startswith("comet") else Reason.NOT_ENTITLED)


def test_a_guest_with_everything_uses_the_right_that_fits() -> None:
    for touchpoint, fitting in RIGHTS.items():
        others = [right for right in RIGHTS.values() if type(right) is not type(fitting)]
        world = world_at(touchpoint, *others, fitting, sale=sale_of(100))
        if touchpoint in ("lane-out", "comet-merge"):
            world = world.with_uses(*DONE_BEFORE)
        assert isinstance(decide(world.tap, world.facts), Approved)
