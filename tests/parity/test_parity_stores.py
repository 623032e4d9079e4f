"""Online and offline agree: generated worlds go through both stores, and the facts and verdicts are compared."""

import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.verify.promises import verify
from gateway.verify.report import Promise
from tests.support.databases import Databases
from tests.support.parity_checks import check_edge, check_settled
from tests.support.parity_shown import check_shown_at_edge, check_shown_at_gateway
from tests.support.parity_steps import (
    RIGHT_NAMES,
    Again,
    Change,
    Pull,
    Push,
    Reload,
    Step,
    Touch,
    Wait,
    happen,
    steps,
)
from tests.support.parity_world import VENUES, Alter, parity_world
from wallet.credential import AdmissionGrant
from wallet.entitlement import Admission
from wallet.resort import Policies
from wallet.tap import PinCheck

pytestmark = pytest.mark.timeout(900)

_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
_WORLDS = st.lists(steps(), min_size=12, max_size=40)


def live_through(url: str, folder: Path, happens: list[Step]) -> None:
    """Let everything happen, compare each edge as soon as it was concerned, then bring all home and compare again."""
    with parity_world(url, folder) as world:
        for venue in VENUES:
            world.pull(venue, 500)
        for step in happens:
            concerned = happen(world, step)
            if concerned is not None:
                check_edge(world, concerned)
                check_shown_at_edge(world, concerned)
        for venue in VENUES:
            check_edge(world, venue)
        world.settle()
        for venue in VENUES:
            check_edge(world, venue)
            check_shown_at_edge(world, venue)
        check_settled(world)
        check_shown_at_gateway(world)
        report = verify(world.database, tuple(place.evidence() for place in world.places.values()))
        for promise in (Promise.SAME_VERDICT, Promise.CONVERGED, Promise.NO_TAP_LOST):
            assert report[promise].broken == []
        assert report[Promise.CONVERGED].result is True
        # What is added up from the journals is never more than what the edges had rightly counted.
        assert not [each for each in report[Promise.WITHIN_LIMITS].broken if "its journal shows" in each]


_DAYS = (date(2027, 3, 1), date(2027, 3, 4))
_SUMMIT_GRANT = AdmissionGrant(("summit",), *_DAYS, 2)
_SUMMIT = Alter(0, rights=(Admission("t0-more-a", ("summit",), *_DAYS, 2),))
_ONLY_PEAK = Alter(0, revoked=tuple(f"t0-{name}" for name in RIGHT_NAMES))
_MERGE = 3
_STORIES: dict[str, list[Step]] = {
    "a grant's use is told under the right that the gateway knows": [
        Touch("peak", 0, 0, issued_before_s=0, grants=(_SUMMIT_GRANT,)),
        Change(_SUMMIT),
        Push("peak", 500, heard=False),
        Pull("peak", 500),
        Push("peak", 500, heard=True),
        Pull("peak", 500),
    ],
    "a venue's first till needs the PINs of guests it has long known": [
        Reload("kiosk till", Policies()),
        Pull("peak", 500),
        Reload("no tills", Policies()),
        Pull("peak", 500),
    ],
    "wrong PINs here are added to those told from elsewhere": [
        Change(Alter(0, pin_tries=2)),
        Pull("shops", 500),
        Touch("shops", 0, 0, basket=4, pin=PinCheck.WRONG),
    ],
    "a batch that is cut brings a newer resort than its position tells": [
        Reload("no comet", Policies()),
        Change(Alter(0, pin_tries=1)),
        Reload("base", Policies(unknown_at_gates=False)),
        Pull("park", 1),
        Touch("park", _MERGE, 0),
        Touch("park", _MERGE - 1, 0),
    ],
    "a ride redeemed days ago stays redeemed, a vehicle inside may leave after check-out": [
        Touch("park", _MERGE - 1, 0),
        Touch("park", _MERGE, 0),
        Touch("hotel", 1, 0),
        Push("park", 500, heard=True),
        Push("hotel", 500, heard=True),
        *(Wait(30 * 3600) for _ in range(4)),
        Change(Alter(0, pin_tries=1)),
        Pull("park", 500),
        Pull("hotel", 500),
        Touch("hotel", 2, 0),
    ],
    "readings of one chip at two edges, in and out of order, and after a later one": [
        Reload("base", Policies(sun_fallback=True, gate_passback_s=0)),
        Pull("park", 500),
        Pull("hotel", 500),
        Touch("park", 0, 0, counter=2),
        Touch("park", 0, 0, counter=1),
        Touch("hotel", 1, 0, counter=3),
        Touch("hotel", 1, 0, counter=3),
        Push("hotel", 500, heard=False),
        Wait(60),
        Touch("park", 0, 0, counter=3),
        Push("park", 500, heard=True),
        Push("hotel", 500, heard=True),
    ],
    "one code of a phone at two edges, again at the first, and when its seconds are over": [
        Pull("park", 500),
        Pull("hotel", 500),
        Touch("park", 0, 0, code=1),
        Touch("hotel", 1, 0, code=1),
        Touch("park", 0, 0, code=1),
        Push("park", 500, heard=True),
        Wait(60),
        Touch("park", 0, 0, code=1),
        Touch("park", 0, 0, code=2),
        Push("hotel", 500, heard=True),
    ],
    "a guest without any right left is gone from the venue, and an old batch brings nobody back": [
        Change(_ONLY_PEAK),
        Pull("park", 500, stale_batch=True),
        Again("park", 1, Alter(1, pin_tries=3)),
        Pull("park", 500, stale_batch=True),
    ],
}
"""What once was, or might be, told apart by the two stores."""


@pytest.mark.parametrize("story", _STORIES)
def test_stories_in_which_the_two_stores_might_part(database_url: str, tmp_path: Path, story: str) -> None:
    live_through(database_url, tmp_path, _STORIES[story])


@given(happens=_WORLDS)
@settings(max_examples=15, suppress_health_check=_SLOW)
def test_both_stores_give_the_same_facts_and_verdicts(databases: Databases, happens: list[Step]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="passband-parity-"))
    try:
        live_through(databases.sqlite(folder), folder, happens)
    finally:
        shutil.rmtree(folder)


@given(happens=_WORLDS)
@settings(max_examples=3, suppress_health_check=_SLOW)
def test_a_gateway_on_postgresql_agrees_with_its_edges_too(databases: Databases, happens: list[Step]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="passband-parity-"))
    try:
        with databases.fresh("postgresql", folder) as url:
            live_through(url, folder, happens)
    finally:
        shutil.rmtree(folder)
