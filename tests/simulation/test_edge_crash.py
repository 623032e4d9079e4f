"""Edges are killed at seeded moments while guests tap: what was shown green is in the journal, once, for ever."""

import random
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.support.edge_process import EdgeProcess, a_band
from tests.support.edge_world import a_document
from tests.support.fake_gateway import FakeGateway
from wallet.evidence import Light
from wallet.journal import EntryKind
from wallet.tap import Approved

DOORS = ("door-101", "gate-1")
KILLS = 4
NOW = datetime.now(UTC)


@pytest.fixture
def gateway():
    gateway = FakeGateway()
    for n in range(1, 4):
        gateway.put(a_document(n, at=NOW))
    yield gateway
    gateway.cut()


@pytest.fixture
def edge(tmp_path, gateway):
    edge = EdgeProcess(tmp_path, gateway.url, DOORS)
    enrolled = edge.words("enrol", "--code", "ABC123")
    assert enrolled.returncode == 0, enrolled.stderr
    yield edge
    edge.stop()


def assert_nothing_lost(edge):
    seen = edge.evidence()
    assert all(each.chained for each in seen.entries)
    assert [each.entry.number for each in seen.entries] == list(range(1, len(seen.entries) + 1))
    taps = [each.entry for each in seen.entries if each.entry.kind is EntryKind.TAP]
    counts = Counter(entry.tap.tap_id for entry in taps)
    assert set(counts.values()) <= {1}
    approved = {entry.tap.tap_id for entry in taps if isinstance(entry.decision, Approved)}
    greens = [lamp.tap_id for lamp in seen.lamps if lamp.light is Light.GREEN]
    assert len(greens) == len(set(greens))
    assert set(greens) <= approved
    return seen, greens


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_no_green_light_is_without_its_entry(edge, gateway, seed):
    dice = random.Random(seed)
    bands = [a_band(n, NOW) for n in range(1, 4)]
    edge.start()
    edge.wait_until(lambda status: status.as_of is not None)
    for _ in range(KILLS):
        done = threading.Event()

        def guests(done=done, band=dice.choice(bands)):
            while not done.is_set():
                edge.tap("door-101", band, timeout_s=0.5)

        tapping = threading.Thread(target=guests)
        tapping.start()
        done.wait(dice.uniform(0.05, 0.8))
        edge.kill()
        done.set()
        tapping.join(10)
        assert_nothing_lost(edge)
        edge.start()
    edge.wait_until(lambda status: status.backlog == 0)
    assert edge.terminate() == 0
    seen, greens = assert_nothing_lost(edge)
    assert greens, "some guest came through"
    starts = [each for each in seen.entries if each.entry.kind is EntryKind.STARTED]
    assert len(starts) == KILLS + 1
    home = [entry.tap.tap_id for entry in gateway.taps()]
    assert Counter(home) == Counter(
        each.entry.tap.tap_id for each in seen.entries if each.entry.kind is EntryKind.TAP
    )


def test_an_edge_without_its_gateway_goes_on_and_brings_everything_home(edge, gateway):
    edge.start()
    edge.wait_until(lambda status: status.online and status.as_of is not None)
    gateway.cut()
    assert b'"green"' in edge.tap("door-101", a_band(1, NOW))
    edge.kill()
    edge.start()
    assert b'"green"' in edge.tap("door-101", a_band(2, NOW))
    assert edge.status().backlog >= 2
    gateway.start()
    assert gateway.wait_for(lambda: len(gateway.entries) == edge.status().number, 5.0)
    assert len(gateway.taps()) == 2
    assert edge.terminate() == 0
    assert_nothing_lost(edge)


def test_two_edges_do_not_share_a_directory(edge):
    edge.start()
    second = edge.words("run")
    assert second.returncode == 1
    assert "another edge runs" in second.stderr
