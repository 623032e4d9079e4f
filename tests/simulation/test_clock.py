"""Simulation time runs forward only, and every process reads the same."""

from datetime import timedelta
from pathlib import Path

import pytest

from simulators.clock import SimulationClock


def test_time_moves_forward_by_what_was_asked(tmp_path: Path) -> None:
    clock = SimulationClock(tmp_path / "offset")
    before = clock.now()
    clock.advance(86_400)
    assert timedelta(days=1) <= clock.now() - before < timedelta(days=1, seconds=5)
    assert float(clock.path.read_text()) == clock.offset_s == 86_400


def test_time_never_moves_back(tmp_path: Path) -> None:
    clock = SimulationClock(tmp_path / "offset")
    clock.advance(3_600)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    assert clock.advance_to(clock.now() - timedelta(minutes=1)) is False
    assert clock.offset_s == 3_600


def test_time_can_be_moved_to_an_instant(tmp_path: Path) -> None:
    clock = SimulationClock(tmp_path / "offset")
    goal = clock.now() + timedelta(days=40)
    assert clock.advance_to(goal)
    assert goal <= clock.now() < goal + timedelta(seconds=5)


def test_a_second_simulation_in_the_same_directory_goes_on_where_the_first_was(tmp_path: Path) -> None:
    SimulationClock(tmp_path / "offset").advance(10)
    assert SimulationClock(tmp_path / "offset").offset_s == 10


def test_no_half_written_file_is_left_for_others(tmp_path: Path) -> None:
    clock = SimulationClock(tmp_path / "offset")
    clock.advance(5)
    assert [path.name for path in tmp_path.iterdir()] == ["offset"]
