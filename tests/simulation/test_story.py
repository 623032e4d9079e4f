"""The whole resort as real processes: the family's days are told to their end, and no promise is broken."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.demo.plan import PORT_SPAN
from simulators.ports import free_port_base
from simulators.processes import ROOT

DATABASES = ("sqlite", "postgresql")
PROCESSES = {"gateway", "hotel", "park", "shops", "desk", "field"}
STORY_S = 900
"""Far more than it takes: on a machine that others keep busy, each step waits for as long as something moves."""


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's own: PostgreSQL runs as another user, and pytest shuts its folder to others.
    with tempfile.TemporaryDirectory(prefix="passband-", ignore_cleanup_errors=True) as made:
        yield Path(made) / "demo"


def passband(*words: str) -> tuple[int, dict[str, Any]]:
    """Run the command line; return the exit status and the JSON object of the last line."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "passband.py"), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STORY_S,
        check=False,
    )
    print(done.stdout, done.stderr)
    last = done.stdout.strip().rpartition("\n")[2]
    assert last.startswith("{"), done.stderr
    return done.returncode, json.loads(last)


def story_words(directory: Path, database: str, seed: int) -> list[str]:
    words = [
        "--json",
        "--seed",
        str(seed),
        "--dir",
        str(directory),
        "--port-base",
        str(free_port_base(PORT_SPAN)),
    ]
    return [*words, "--postgres"] if database == "postgresql" else words


@pytest.mark.timeout(STORY_S)
@pytest.mark.parametrize("database", DATABASES)
def test_the_fast_story_is_told_and_every_promise_is_kept(directory: Path, database: str) -> None:
    status, told = passband("demo", "--once", "--fast", *story_words(directory, database, seed=1))
    assert status == 0, told
    assert told["lost_taps"] == told["duplicated_taps"] == 0
    assert told["books_balanced"] is True
    assert len(told["promises"]) == 10
    assert set(told["promises"].values()) == {True}, "in the story, each promise can be checked"
    assert told["offline_taps"] >= 5
    assert told["conflicts"] >= 1
    assert {"other_room", "window_not_open", "offline_above_floor", "medium_revoked"} <= set(told["refused"])
    # The same directory, looked at afterwards: the same taps and the same promises.
    status, checked = passband("verify", "--json", "--dir", str(directory))
    assert status == 0
    for name in ("taps", "approved", "conflicts", "promises"):
        assert checked[name] == told[name]


@pytest.mark.timeout(STORY_S)
@pytest.mark.parametrize("database", DATABASES)
def test_every_green_light_has_one_tap_however_often_processes_are_killed(
    directory: Path, database: str
) -> None:
    status, told = passband("simulate", "kills", *story_words(directory, database, seed=2))
    assert status == 0, told
    assert set(told["kills"]) == PROCESSES
    assert min(told["kills"].values()) >= 2, "each process dies several times"
    assert told["lost_taps"] == told["duplicated_taps"] == told["waiting_taps"] == 0
    assert told["promises"]["no_tap_lost"] is True
    assert told["promises"]["counted_once"] is True


def test_verify_explains_a_directory_without_a_demo(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "passband.py"), "verify", "--dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "holds no demo" in done.stderr
