"""Online and offline agree: generated worlds go through both stores, and the facts and verdicts are compared."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.verify.promises import verify
from gateway.verify.report import Promise
from tests.support.databases import Databases
from tests.support.parity_checks import check_edge, check_settled
from tests.support.parity_steps import Step, happen, steps
from tests.support.parity_world import VENUES, parity_world

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
        for venue in VENUES:
            check_edge(world, venue)
        world.settle()
        for venue in VENUES:
            check_edge(world, venue)
        check_settled(world)
        report = verify(world.database, tuple(place.evidence() for place in world.places.values()))
        for promise in (Promise.SAME_VERDICT, Promise.CONVERGED, Promise.NO_TAP_LOST):
            assert report[promise].broken == []
        assert report[Promise.CONVERGED].result is True


@given(happens=_WORLDS)
@settings(max_examples=40, suppress_health_check=_SLOW)
def test_both_stores_give_the_same_facts_and_verdicts(databases: Databases, happens: list[Step]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="passband-parity-"))
    try:
        live_through(databases.sqlite(folder), folder, happens)
    finally:
        shutil.rmtree(folder)


@given(happens=_WORLDS)
@settings(max_examples=5, suppress_health_check=_SLOW)
def test_a_gateway_on_postgresql_agrees_with_its_edges_too(databases: Databases, happens: list[Step]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="passband-parity-"))
    try:
        with databases.fresh("postgresql", folder) as url:
            live_through(url, folder, happens)
    finally:
        shutil.rmtree(folder)
