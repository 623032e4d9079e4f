"""Grants: what a credential says for itself counts only where the facts are older than it, and is looked at later."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from tests.support.worlds import NOON, RESORT, TODAY, World, use_of, world_at
from wallet.credential import AdmissionGrant, Grant, RoomGrant
from wallet.decide import decide
from wallet.entitlement import Admission, Photos, RoomKey
from wallet.grants import grants_for, named
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Refused
from wallet.token import Step, Use

TICKET = AdmissionGrant(("lagoon",), TODAY, TODAY, 1)
KEY = RoomGrant(("101",), NOON - timedelta(days=1), NOON + timedelta(days=1))


def name_of(grant: Grant) -> str:
    """Return the id of the right that is read from a grant."""
    ((name, _),) = named((grant,))
    return f"grant:{name}"


def sold_after_the_cut(touchpoint: str) -> World:
    """A guest the edge has never heard of, with a credential issued after the edge last knew everything."""
    world = world_at(touchpoint).with_credential(issued_at=NOON - timedelta(hours=1), grants=(TICKET, KEY))
    return world.with_facts(token=None, online=False, as_of=NOON - timedelta(hours=2))


def test_an_unknown_ticket_gets_in_on_its_grant_and_is_flagged() -> None:
    world = sold_after_the_cut("gate-in")
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == name_of(TICKET)
    assert verdict.flags == (Flag.BY_GRANT, Flag.MEDIUM_NOT_YET_KNOWN, Flag.OFFLINE)
    assert [use.step for use in verdict.uses] == [Step.PARK_IN]


def test_an_unknown_key_opens_its_door() -> None:
    world = sold_after_the_cut("door-101")
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == name_of(KEY)
    assert Flag.BY_GRANT in verdict.flags


def test_an_edge_that_never_knew_anything_lets_grants_count() -> None:
    world = sold_after_the_cut("gate-in").with_facts(as_of=None)
    assert isinstance(decide(world.tap, world.facts), Approved)


@pytest.mark.parametrize(("seconds", "passes"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("touchpoint", ["gate-in", "door-101"])
def test_grants_count_only_when_the_credential_is_younger_than_the_facts(
    touchpoint: str, seconds: int, passes: bool
) -> None:
    world = sold_after_the_cut(touchpoint)
    assert world.facts.as_of is not None
    world = world.with_credential(issued_at=world.facts.as_of + timedelta(seconds=seconds))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved) if passes else verdict == Refused(Reason.NOT_ENTITLED)


def test_a_refunded_ticket_is_refused_at_an_edge_that_is_up_to_date() -> None:
    """The document says that nothing is left; the credential, written before, still says otherwise."""
    world = world_at("gate-in").with_credential(grants=(TICKET,))
    assert decide(world.tap, world.facts) == Refused(Reason.NOT_ENTITLED)


@pytest.mark.parametrize(
    ("touchpoint", "policy"), [("gate-in", "unknown_at_gates"), ("door-101", "unknown_at_doors")]
)
def test_the_policy_of_each_kind_of_place_decides_what_grants_are_worth(touchpoint: str, policy: str) -> None:
    world = sold_after_the_cut(touchpoint)
    other = "unknown_at_doors" if policy == "unknown_at_gates" else "unknown_at_gates"
    closed = world.with_policies(**{policy: False})
    assert decide(closed.tap, closed.facts) == Refused(Reason.TOKEN_UNKNOWN)
    unmoved = world.with_policies(**{other: False})
    assert isinstance(decide(unmoved.tap, unmoved.facts), Approved)


def test_a_till_takes_nobody_it_does_not_know() -> None:
    world = sold_after_the_cut("till")
    assert decide(world.tap, world.facts) == Refused(Reason.TOKEN_UNKNOWN)


def test_an_edge_says_that_it_does_not_know_a_guest_only_while_it_may_still_learn_of_one() -> None:
    world = sold_after_the_cut("till")
    older = world.with_credential(issued_at=world.facts.as_of)
    assert decide(older.tap, older.facts) == Refused(Reason.NOT_ENTITLED)


def test_a_new_band_of_a_known_guest_works_before_the_edge_has_heard_of_it() -> None:
    key = RoomKey("right", ("101",), KEY.from_at, KEY.until_at)
    world = world_at("door-101", key).with_token(media=())
    refused = world.with_credential(issued_at=world.facts.as_of)
    assert decide(refused.tap, refused.facts) == Refused(Reason.MEDIUM_UNKNOWN)
    younger = world.with_credential(issued_at=NOON)
    assert decide(younger.tap, younger.facts) == Approved("right", (), (Flag.MEDIUM_NOT_YET_KNOWN,))


def test_a_known_right_goes_before_the_grant_that_repeats_it() -> None:
    known = Admission("0192-known", ("lagoon",), TODAY, TODAY)
    world = world_at("gate-in", known).with_credential(issued_at=NOON, grants=(TICKET,))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "0192-known"
    assert verdict.flags == ()


@pytest.mark.parametrize("online", [True, False])
def test_a_ticket_whose_days_are_used_stays_used_however_young_the_credential(online: bool) -> None:
    known = Admission("right", ("lagoon", "summit"), TODAY - timedelta(days=3), TODAY + timedelta(days=3), 1)
    yesterday = use_of(Step.PARK_IN, NOON - timedelta(days=1), "lagoon")
    used = Refused(Reason.DAYS_USED_UP, {"days": "1"})
    repeats = [
        AdmissionGrant(known.parks, known.from_day, known.until_day, 1),
        AdmissionGrant(("lagoon",), TODAY, TODAY, 1),
    ]
    for grant in repeats:
        world = world_at("gate-in", known).with_uses(yesterday).with_facts(online=online)
        for issued_at in (NOON - timedelta(days=5), NOON):
            shown = world.with_credential(issued_at=issued_at, grants=(grant,))
            assert decide(shown.tap, shown.facts) == used


@pytest.mark.parametrize(
    "grant",
    [
        AdmissionGrant(("lagoon", "summit"), TODAY, TODAY, 1),
        AdmissionGrant(("lagoon",), TODAY - timedelta(days=4), TODAY, 1),
        AdmissionGrant(("lagoon",), TODAY, TODAY + timedelta(days=1), 1),
    ],
)
def test_a_ticket_that_goes_further_than_the_known_one_is_another(grant: AdmissionGrant) -> None:
    known = Admission("right", ("lagoon",), TODAY - timedelta(days=3), TODAY, 1)
    yesterday = use_of(Step.PARK_IN, NOON - timedelta(days=1), "lagoon")
    world = world_at("gate-in", known).with_uses(yesterday).with_credential(issued_at=NOON, grants=(grant,))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == name_of(grant)


def test_a_grant_s_days_are_counted_where_it_is_used() -> None:
    grant = AdmissionGrant(("lagoon",), TODAY - timedelta(days=2), TODAY, 1)
    world = sold_after_the_cut("gate-in").with_credential(grants=(grant,))
    before = use_of(Step.PARK_IN, NOON - timedelta(days=1), "lagoon", right=name_of(grant))
    used = world.with_uses(before)
    assert decide(used.tap, used.facts) == Refused(Reason.DAYS_USED_UP, {"days": "1"})


def test_a_use_stays_with_its_grant_when_a_new_credential_orders_its_grants_otherwise() -> None:
    """Each ticket is good for a day: the one used yesterday is used up, wherever it stands on the new band."""
    used = AdmissionGrant(("lagoon",), TODAY - timedelta(days=1), TODAY, 1)
    other = AdmissionGrant(("summit",), TODAY - timedelta(days=1), TODAY, 1)
    yesterday = use_of(Step.PARK_IN, NOON - timedelta(days=1), "lagoon", right=name_of(used))
    for grants in ((used, other), (other, used)):
        world = sold_after_the_cut("gate-in").with_credential(grants=grants).with_uses(yesterday)
        assert decide(world.tap, world.facts) == Refused(Reason.DAYS_USED_UP, {"days": "1"})


def test_two_tickets_just_alike_are_two_rights() -> None:
    grants = (AdmissionGrant(("lagoon",), TODAY - timedelta(days=1), TODAY, 1),) * 2
    yesterday = use_of(Step.PARK_IN, NOON - timedelta(days=1), "lagoon", right=name_of(grants[0]))
    world = sold_after_the_cut("gate-in").with_credential(grants=grants).with_uses(yesterday)
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == f"{name_of(grants[0])}-2"


def test_a_day_that_was_taken_off_is_not_taken_off_again() -> None:
    """Two days, one of them used yesterday: the new band says one, and that one is today's."""
    before = AdmissionGrant(("lagoon",), TODAY - timedelta(days=1), TODAY, 2)
    yesterday = use_of(Step.PARK_IN, NOON - timedelta(days=1), "lagoon", right=name_of(before))
    anew = sold_after_the_cut("gate-in").with_credential(grants=(replace(before, days=1),))
    world = anew.with_uses(yesterday)
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_grants_are_those_not_over_yet_soonest_to_end_first() -> None:
    long = Admission("a", ("lagoon",), TODAY, TODAY + timedelta(days=3), 2)
    tonight = Admission("b", ("summit",), TODAY, TODAY)
    key = RoomKey("c", ("101",), NOON, NOON + timedelta(hours=12))
    over = (
        Admission("d", ("lagoon",), TODAY - timedelta(days=2), TODAY - timedelta(days=1)),
        RoomKey("e", ("102",), NOON - timedelta(days=2), NOON),
    )
    photos = Photos("f", NOON, NOON + timedelta(days=1))
    assert grants_for((long, *over, tonight, photos, key), NOON, RESORT) == (
        RoomGrant(("101",), key.from_at, key.until_at),
        AdmissionGrant(("summit",), TODAY, TODAY, 1),
        AdmissionGrant(("lagoon",), TODAY, date(2027, 3, 5), 2),
    )


def test_days_used_before_today_are_taken_off_a_grant() -> None:
    ticket = Admission("right", ("lagoon",), TODAY - timedelta(days=3), TODAY + timedelta(days=3), 2)

    def in_at(days: int, number: int) -> Use:
        return use_of(Step.PARK_IN, NOON - timedelta(days=days), "lagoon", number=number)

    uses = [in_at(0, 1), in_at(1, 2), in_at(1, 3)]
    (grant,) = grants_for((ticket,), NOON, RESORT, tuple(uses))
    assert isinstance(grant, AdmissionGrant)
    assert grant.days == 1
    assert grants_for((ticket,), NOON, RESORT, (*uses, in_at(2, 4))) == ()
    other = use_of(Step.PARK_IN, NOON - timedelta(days=2), "lagoon", right="other")
    out = use_of(Step.PARK_OUT, NOON - timedelta(days=2), "lagoon")
    (same,) = grants_for((ticket,), NOON, RESORT, (*uses, other, out))
    assert same == grant
