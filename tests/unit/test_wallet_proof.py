"""What a medium must prove before its rights are looked at."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import BAND, NOON, TODAY, World, use_of, world_at
from wallet.credential import DEVICE_KEY_BYTES
from wallet.decide import decide
from wallet.entitlement import Admission, Photos, RoomKey
from wallet.medium import MediumState
from wallet.proof import Proof, SunRead
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Presented, Refused
from wallet.token import Step

KEY = RoomKey("right", ("101",), NOON - timedelta(days=1), NOON + timedelta(days=1))
TICKET = Admission("right", ("lagoon",), TODAY, TODAY)
PHOTOS = Photos("right", NOON - timedelta(days=1), NOON + timedelta(days=1))


def shown(world: World, **changes: object) -> World:
    return world.with_tap(presented=replace(world.tap.presented, **changes))


@pytest.mark.parametrize("proof", Proof)
def test_where_the_chip_has_keys_only_its_key_proves_it(proof: Proof) -> None:
    world = shown(world_at("door-101", KEY).with_credential(chip_keys=True), proof=proof)
    verdict = decide(world.tap, world.facts)
    if proof is Proof.CHIP_KEY:
        assert isinstance(verdict, Approved)
    else:
        assert verdict.reason in (Reason.CHIP_NOT_PROVEN,)


def by_sun(counter: int, known: int, *, allowed: bool = True) -> World:
    world = world_at("gate-in", TICKET).with_policies(sun_fallback=allowed)
    presented = Presented(Proof.SUN, sun=SunRead(BAND.chip_uid, counter))
    return world.with_tap(presented=presented).with_facts(sun_counter=known)


@given(st.integers(0, 50), st.integers(-1, 50))
def test_a_sun_reading_is_good_once_and_never_after_a_later_one(counter: int, known: int) -> None:
    world = by_sun(counter, known)
    verdict = decide(world.tap, world.facts)
    if counter > known:
        assert isinstance(verdict, Approved)
        assert Flag.BY_SUN in verdict.flags
    else:
        assert verdict == Refused(Reason.SUN_REPLAYED)


def test_without_the_policy_a_sun_reading_opens_nothing() -> None:
    world = by_sun(5, -1, allowed=False)
    assert decide(world.tap, world.facts) == Refused(Reason.CHIP_NOT_PROVEN)


def test_at_a_door_a_sun_reading_opens_nothing_whatever_the_policy() -> None:
    world = world_at("door-101", KEY).with_policies(sun_fallback=True)
    world = world.with_tap(presented=Presented(Proof.SUN, sun=SunRead(BAND.chip_uid, 5)))
    assert decide(world.tap, world.facts) == Refused(Reason.CHIP_NOT_PROVEN)


def test_a_sun_reading_of_a_revoked_band_is_refused_as_such() -> None:
    revoked = replace(BAND, state=MediumState.REVOKED, revoked_at=NOON - timedelta(hours=1))
    world = by_sun(5, -1).with_token(media=(revoked,))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.MEDIUM_REVOKED


def test_a_chip_that_was_given_to_the_guest_again_counts_as_it_is_now() -> None:
    revoked = replace(BAND, medium_id=use_of(Step.OPEN, NOON, "101").tap_id, revoked_at=NOON)
    world = by_sun(5, -1).with_token(media=(replace(revoked, state=MediumState.REVOKED), BAND))
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_a_sun_reading_of_nobody_s_chip_is_refused() -> None:
    world = by_sun(5, -1)
    unknown = Presented(Proof.SUN, sun=SunRead("04000000000000", 5))
    world = world.with_tap(presented=unknown)
    assert decide(world.tap, world.facts) == Refused(Reason.MEDIUM_UNKNOWN)
    world = world.with_facts(token=None)
    assert decide(world.tap, world.facts) == Refused(Reason.NOT_ENTITLED)


def by_phone(age_s: float, *, seen: bool = False) -> World:
    world = world_at("gate-in", TICKET).with_credential(device_key=bytes(DEVICE_KEY_BYTES), chip_uid="")
    world = shown(world, proof=Proof.DEVICE_KEY, shown_at=NOON - timedelta(seconds=age_s), code_id="00")
    return world.with_facts(code_seen=seen)


@pytest.mark.parametrize(
    ("age_s", "passes"),
    [(0, True), (15, True), (20, True), (21, False), (60, False), (-5, True), (-6, False)],
)
def test_a_phone_s_code_is_good_for_its_seconds(age_s: float, passes: bool) -> None:
    world = by_phone(age_s)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved) if passes else verdict == Refused(Reason.CODE_STALE)


def test_a_code_shown_a_second_time_is_refused() -> None:
    world = by_phone(3, seen=True)
    assert decide(world.tap, world.facts) == Refused(Reason.CODE_REPLAYED)


def test_a_phone_s_credential_without_its_signature_is_refused() -> None:
    world = shown(by_phone(0), proof=Proof.QR, shown_at=None)
    assert decide(world.tap, world.facts) == Refused(Reason.CODE_STALE)


@pytest.mark.parametrize(("seconds", "flagged"), [(1, True), (119, True), (120, False)])
def test_a_guest_who_was_elsewhere_a_moment_ago_is_flagged(seconds: int, flagged: bool) -> None:
    use = use_of(Step.CHARGE, NOON - timedelta(seconds=seconds), "grill")
    world = world_at("plaza", PHOTOS).with_uses(use)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert (Flag.IMPOSSIBLE_TRAVEL in verdict.flags) is flagged


def test_a_use_in_the_same_venue_or_by_a_proven_chip_flags_nothing() -> None:
    elsewhere = use_of(Step.CHARGE, NOON - timedelta(seconds=1), "grill")
    here = use_of(Step.PARK_IN, NOON - timedelta(seconds=1), "lagoon")
    gone = use_of(Step.CHARGE, NOON - timedelta(seconds=1), "an outlet that was closed")
    proven = shown(world_at("plaza", PHOTOS).with_credential(chip_keys=True), proof=Proof.CHIP_KEY)
    off = world_at("plaza", PHOTOS).with_policies(travel_min_s=0)
    for world in (
        world_at("plaza", PHOTOS).with_uses(here),
        world_at("plaza", PHOTOS).with_uses(gone),
        proven.with_uses(elsewhere),
        off.with_uses(elsewhere),
    ):
        verdict = decide(world.tap, world.facts)
        assert isinstance(verdict, Approved)
        assert Flag.IMPOSSIBLE_TRAVEL not in verdict.flags
