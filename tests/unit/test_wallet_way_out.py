"""Nobody is held inside: whatever stops a medium on its way in lets it out, and is looked at afterwards."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.support.breaking import MEDIUM_BREAKS, NO_RIGHTS, STALE, Break
from tests.support.worlds import BAND, NOON, TODAY, World, use_of, world_at
from wallet.credential import AdmissionGrant, Grant, RoomGrant
from wallet.decide import decide
from wallet.entitlement import Admission, Parking
from wallet.medium import MediumState
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Refused
from wallet.token import Step

DAY = timedelta(days=1)
CAR = Parking("right", ("lot-a",), NOON - DAY, NOON + DAY)
TICKET = Admission("right", ("lagoon",), TODAY, TODAY)
STOPPED = [each for each in (*MEDIUM_BREAKS, STALE) if each.reason.name.startswith(("MEDIUM", "FACTS"))]
ROOM_GRANT = RoomGrant(("101",), NOON - DAY, NOON + DAY)
PARK_GRANT = AdmissionGrant(("lagoon",), TODAY, TODAY, 1)
FORGED = [each for each in MEDIUM_BREAKS if each.reason.name.startswith("CREDENTIAL")]


def inside(touchpoint: str) -> World:
    """A guest who went in by car, or through the gate, and now stands at the way out."""
    if touchpoint == "lane-out":
        return world_at(touchpoint, CAR).with_uses(use_of(Step.ENTER, NOON - DAY, "lot-a"))
    return world_at(touchpoint, TICKET).with_uses(use_of(Step.PARK_IN, NOON - timedelta(hours=1), "lagoon"))


@pytest.mark.parametrize("stopped", STOPPED, ids=lambda each: each.reason.value)
@pytest.mark.parametrize("touchpoint", ["lane-out", "gate-out"])
def test_who_is_inside_gets_out_on_a_medium_or_facts_that_let_nobody_in(
    touchpoint: str, stopped: Break
) -> None:
    world = stopped.apply(inside(touchpoint))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert [use.step for use in verdict.uses] == [Step.EXIT if touchpoint == "lane-out" else Step.PARK_OUT]
    # Old facts are no fault of the band: ways out have no lease.
    assert (Flag.LET_OUT in verdict.flags) is (stopped is not STALE)


@pytest.mark.parametrize("stopped", STOPPED, ids=lambda each: each.reason.value)
@pytest.mark.parametrize(("way_in", "right"), [("lane-in", CAR), ("gate-in", TICKET)])
def test_the_same_lets_nobody_in(way_in: str, right: Parking | Admission, stopped: Break) -> None:
    world = stopped.apply(world_at(way_in, right))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Refused)
    assert verdict.reason is stopped.reason


@pytest.mark.parametrize("forged", FORGED, ids=lambda each: each.reason.value)
@pytest.mark.parametrize("touchpoint", ["lane-out", "gate-out"])
def test_no_credential_opens_no_way_out(touchpoint: str, forged: Break) -> None:
    world = forged.apply(inside(touchpoint))
    assert isinstance(verdict := decide(world.tap, world.facts), Refused)
    assert verdict.reason is forged.reason


def test_a_band_that_was_turned_off_is_flagged_and_the_exit_noted() -> None:
    revoked = replace(BAND, state=MediumState.REVOKED, revoked_at=NOON - timedelta(minutes=5))
    world = inside("lane-out").with_token(media=(revoked,))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.flags == (Flag.LET_OUT,)


@pytest.mark.parametrize("younger", [False, True])
@pytest.mark.parametrize(
    "grants",
    [(), (ROOM_GRANT,), (PARK_GRANT,), (ROOM_GRANT, PARK_GRANT)],
    ids=["none", "room", "park", "both"],
)
@pytest.mark.parametrize("touchpoint", ["lane-out", "gate-out"])
def test_who_is_known_nowhere_here_any_more_is_let_out_whatever_the_grants(
    touchpoint: str, grants: tuple[Grant, ...], younger: bool
) -> None:
    """The ticket moved to another venue, and with it the document: the gate here knows nothing of the guest."""
    world = inside(touchpoint).with_facts(token=None, uses=()).with_credential(grants=grants)
    assert world.tap.presented.credential is not None
    if younger:
        world = world.with_facts(as_of=world.tap.presented.credential.issued_at - timedelta(seconds=1))
    verdict = decide(world.tap, world.facts)
    if touchpoint == "gate-out" and younger and PARK_GRANT in grants:
        assert isinstance(verdict, Approved)
        assert [use.step for use in verdict.uses] == [Step.PARK_OUT]
        assert verdict.flags == (Flag.BY_GRANT, Flag.MEDIUM_NOT_YET_KNOWN)
    else:
        assert verdict == Approved("", (), (Flag.LET_OUT, Flag.MEDIUM_NOT_YET_KNOWN))


@pytest.mark.parametrize("touchpoint", ["lane-out", "gate-out"])
def test_who_is_known_nowhere_here_comes_in_nowhere(touchpoint: str) -> None:
    way_in = world_at(touchpoint.replace("out", "in")).with_facts(token=None)
    assert isinstance(decide(way_in.tap, way_in.facts), Refused)


def test_who_is_known_without_a_ticket_leaves_the_park_and_drives_no_car_out() -> None:
    gate, lane = (NO_RIGHTS.apply(inside(each)) for each in ("gate-out", "lane-out"))
    assert decide(gate.tap, gate.facts) == Approved("", (), (Flag.LET_OUT,))
    assert decide(lane.tap, lane.facts) == Refused(Reason.NOT_ENTITLED)


def test_a_vehicle_leaves_where_it_came_in_though_the_right_moved_to_another_lot() -> None:
    moved = inside("lane-out").with_right(lots=("lot-b",))
    verdict = decide(moved.tap, moved.facts)
    assert isinstance(verdict, Approved)
    assert (verdict.entitlement_id, verdict.uses[0].place, verdict.flags) == ("right", "lot-a", ())
    elsewhere = moved.with_facts(uses=(use_of(Step.ENTER, NOON - DAY, "lot-b"),))
    assert decide(elsewhere.tap, elsewhere.facts) == Refused(Reason.OTHER_LOT, {"lots": "Car park B"})
