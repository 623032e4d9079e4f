"""The whole resort as real processes: the family's days are told to their end, and no promise is broken."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.db.migrate import migrate
from simulators.demo.program import run_verify
from simulators.ports import PORT_SPAN, free_port_base
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


def verify(monkeypatch: pytest.MonkeyPatch, **settings: str) -> int:
    for name in ("PASSBAND_DIRECTORY", "PASSBAND_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return run_verify(None, "", [], as_json=True)


def test_verify_takes_the_database_that_the_gateway_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "gateway"
    file = directory / "gateway.sqlite"
    monkeypatch.chdir(tmp_path)
    for settings in ({}, {"PASSBAND_DIRECTORY": str(directory)}):
        assert verify(monkeypatch, **settings) == 2
        assert "PASSBAND_DIRECTORY" in capsys.readouterr().err, (
            "it makes no empty database, and says what to do"
        )
        assert not file.exists()
    directory.mkdir()
    migrate(f"sqlite:///{file}")
    for settings in (
        {"PASSBAND_DIRECTORY": str(directory)},
        {"PASSBAND_DIRECTORY": str(tmp_path), "PASSBAND_DATABASE_URL": f"sqlite:///{file}"},
    ):
        assert verify(monkeypatch, **settings) == 0
        assert json.loads(capsys.readouterr().out)["taps"] == 0, "that database, which is new"
    file.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    assert verify(monkeypatch, PASSBAND_DIRECTORY=str(directory)) == 2
    assert "cannot be used" in capsys.readouterr().err
