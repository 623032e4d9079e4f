"""The rulebook as a whole: it always answers, the same each time, in whole sentences, and never asks twice."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import BAND, NOON, RESORT, TODAY, World, an_id, holds, world_at, worlds
from wallet.decide import decide
from wallet.entitlement import Admission, Photos, RoomKey
from wallet.grants import named
from wallet.medium import MediumState
from wallet.proof import Proof
from wallet.reasons import Language, Reason, sentence
from wallet.resort import Direction, Policies, TouchpointKind
from wallet.tap import Approved, Ask, Asks, Flag, Hold, PinCheck, Refused

OUT_AT = NOON + timedelta(days=1)
KEY = RoomKey("right", ("101",), NOON - timedelta(days=1), OUT_AT)
PHOTOS = Photos("right", NOON - timedelta(days=1), OUT_AT)


@settings(max_examples=300)
@given(worlds())
def test_every_world_gets_a_verdict_the_same_each_time_and_speaks_in_whole_sentences(world: World) -> None:
    verdict = decide(world.tap, world.facts)
    assert verdict == decide(world.tap, world.facts)
    if isinstance(verdict, Refused):
        for language in Language:
            said = sentence(verdict.reason, verdict.detail, language)
            assert "…" not in said
            assert "{" not in said
            assert all(value.strip() for value in verdict.detail.values())


@settings(max_examples=100)
@given(worlds())
def test_an_approval_rests_on_a_right_that_is_there_and_uses_it_at_this_very_tap(world: World) -> None:
    verdict = decide(world.tap, world.facts)
    if not isinstance(verdict, Approved):
        return
    credential = world.tap.presented.credential
    assert credential is not None
    known = {right.entitlement_id for right in world.facts.token.entitlements} if world.facts.token else set()
    granted = {f"grant:{name}" for name, _ in named(credential.grants)}
    if Flag.LET_OUT in verdict.flags:
        assert world.facts.touchpoint.direction is Direction.OUT
        assert verdict.entitlement_id or not verdict.uses
        known.add("")
    assert verdict.entitlement_id in known | granted
    for use in verdict.uses:
        assert (use.tap_id, use.entitlement_id, use.at) == (
            world.tap.tap_id,
            verdict.entitlement_id,
            world.tap.at,
        )
        assert use.day == world.facts.resort.day_of(use.at)


@given(worlds())
def test_a_tap_whose_use_is_already_known_gets_the_same_verdict_again(world: World) -> None:
    world = world.with_facts(uses=tuple(u for u in world.facts.uses if u.tap_id != world.tap.tap_id))
    verdict = decide(world.tap, world.facts)
    if isinstance(verdict, Approved):
        again = world.with_uses(*verdict.uses)
        assert decide(again.tap, again.facts) == verdict


def test_an_entry_sent_twice_does_not_refuse_itself_but_another_s_does() -> None:
    world = world_at("gate-in", Admission("right", ("lagoon",), TODAY, TODAY))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    again = world.with_uses(*verdict.uses)
    assert decide(again.tap, again.facts) == verdict
    other = again.with_tap(tap_id=an_id(6))
    assert decide(other.tap, other.facts) == Refused(Reason.ALREADY_INSIDE, {"entered_at": "13:00"})


@given(worlds(), st.sampled_from(PinCheck), holds())
def test_what_was_answered_is_never_asked_again(world: World, pin: PinCheck, hold: Hold) -> None:
    world = world.with_tap(pin=None, hold=None)
    asked: list[Ask] = []
    while isinstance(verdict := decide(world.tap, world.facts), Asks):
        assert verdict.what not in asked
        asked.append(verdict.what)
        world = world.with_tap(pin=pin) if verdict.what is Ask.PIN else world.with_tap(hold=hold)
    assert len(asked) <= 2


def test_the_resort_opens_nothing_at_a_touchpoint_this_rulebook_has_no_rule_for() -> None:
    world = world_at("encoder", KEY)
    assert decide(world.tap, world.facts) == Refused(Reason.EDGE_OUT_OF_DATE)


def test_an_attraction_that_the_resort_does_not_know_is_an_edge_out_of_date() -> None:
    world = world_at("gone-entrance", KEY)
    assert decide(world.tap, world.facts) == Refused(Reason.EDGE_OUT_OF_DATE)


def test_the_reader_s_own_fault_is_the_reason_when_there_is_no_credential() -> None:
    world = world_at("door-101", KEY)
    presented = replace(world.tap.presented, credential=None, fault=Reason.CREDENTIAL_FORGED)
    assert decide(world.with_tap(presented=presented).tap, world.facts) == Refused(Reason.CREDENTIAL_FORGED)


@pytest.mark.parametrize(("seconds", "passes"), [(-1, False), (0, False), (1, True)])
def test_a_credential_is_good_until_the_second_before_its_expiry(seconds: int, passes: bool) -> None:
    world = world_at("door-101", KEY).with_credential(expires_at=NOON + timedelta(seconds=seconds))
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


@pytest.mark.parametrize(("seconds", "passes"), [(-1, False), (0, False), (1, True)])
def test_a_medium_stops_at_the_second_it_was_revoked(seconds: int, passes: bool) -> None:
    revoked = replace(BAND, state=MediumState.REVOKED, revoked_at=NOON + timedelta(seconds=seconds))
    world = world_at("door-101", KEY).with_token(media=(revoked,))
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


def pending(touchpoint: str) -> World:
    return world_at(touchpoint, KEY).with_token(media=(replace(BAND, state=MediumState.PENDING),))


def test_a_whole_credential_on_its_chip_shows_that_the_band_was_written_though_nobody_could_say_so() -> None:
    world = pending("door-101")
    assert decide(world.tap, world.facts) == Approved("right", (), (Flag.MEDIUM_NOT_YET_KNOWN,))


def test_what_is_shown_apart_from_a_chip_proves_no_writing() -> None:
    world = pending("door-101")
    shown = world.with_tap(presented=replace(world.tap.presented, proof=Proof.QR))
    assert decide(shown.tap, shown.facts) == Refused(Reason.MEDIUM_PENDING)


def test_a_revoked_medium_without_its_instant_is_never_let_through() -> None:
    world = world_at("door-101", KEY).with_token(media=(replace(BAND, state=MediumState.REVOKED),))
    assert decide(world.tap, world.facts) == Refused(Reason.MEDIUM_UNKNOWN)


@pytest.mark.parametrize(("seconds", "passes"), [(0, True), (1, False)])
@pytest.mark.parametrize(("touchpoint", "lease"), [("plaza", "gate_lease_s"), ("till", "till_lease_s")])
def test_facts_hold_for_the_lease_and_not_a_second_longer(
    touchpoint: str, lease: str, seconds: int, passes: bool
) -> None:
    world = world_at(touchpoint, PHOTOS).with_policies(gate_lease_s=1000, till_lease_s=2000)
    as_of = NOON - timedelta(seconds=getattr(world.facts.policies, lease) + seconds)
    world = world.with_facts(online=False, as_of=as_of)
    too_old = decide(world.tap, world.facts) == Refused(Reason.FACTS_TOO_OLD)
    assert too_old is not passes


def test_a_till_and_a_gate_run_a_day_alone() -> None:
    assert Policies().gate_lease_s == Policies().till_lease_s == 24 * 3600


def test_a_door_opens_for_the_whole_stay_without_a_network() -> None:
    world = world_at("door-101", KEY).with_facts(online=False, as_of=NOON - timedelta(days=9))
    verdict = decide(world.tap, world.facts)
    assert verdict == Approved("right", (), (Flag.OFFLINE,))


def test_online_facts_never_count_as_too_old() -> None:
    world = world_at("plaza", PHOTOS).with_facts(as_of=NOON - timedelta(days=9))
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_a_closed_token_opens_nothing() -> None:
    world = world_at("door-101", KEY).with_token(closed=True)
    assert decide(world.tap, world.facts) == Refused(Reason.NOT_ENTITLED)


def test_every_kind_but_the_encoder_has_a_rule() -> None:
    for point in RESORT.touchpoints:
        world = world_at(point.id, KEY)
        world = world.with_facts(touchpoint=replace(point, place="comet"))
        refused_as_unknown = decide(world.tap, world.facts) == Refused(Reason.EDGE_OUT_OF_DATE)
        assert refused_as_unknown is (point.kind is TouchpointKind.ENCODER)


def test_every_reason_has_a_sentence_in_each_language_with_the_same_gaps() -> None:
    for reason in Reason:
        english, spanish = (sentence(reason, {}, language) for language in Language)
        assert english != spanish
        assert english.count("…") == spanish.count("…")
