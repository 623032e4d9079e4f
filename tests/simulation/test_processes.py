"""Children are waited for, explained when they fail, restarted when they die, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

import pytest

from simulators import processes
from simulators.ports import PortTaken, check_free, free_port_base
from simulators.processes import ROOT, ChildFailed, Program, Supervisor
from tests.simulation.support import RunningField, running_field

PATIENCE_S = 15.0


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        threading.Event().wait(0.02)


def test_a_child_that_dies_at_once_is_explained_with_the_end_of_its_log(tmp_path: Path) -> None:
    settings = tmp_path / "missing.toml"
    program = Program(
        "field",
        ("simulate", "field", "--settings", str(settings)),
        "http://127.0.0.1:9/healthz",
        tmp_path / "field.log",
    )
    with Supervisor() as supervisor:
        supervisor.start(program)
        with pytest.raises(ChildFailed, match=r"field ended with status 1(.|\n)*missing\.toml can't be read"):
            supervisor.wait_ready("field", PATIENCE_S)


def test_a_killed_child_is_started_again_under_another_pid(tmp_path: Path) -> None:
    with running_field(tmp_path) as field:
        before = field.supervisor.kill("field")
        wait_until_gone(before)
        wait_for_new_pid(field, before)
        field.supervisor.wait_ready("field", PATIENCE_S)
        assert field.supervisor.restarts("field") == 1


def test_a_child_killed_by_hand_again_and_again_is_given_up_in_a_story_and_not_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_DEATHS_MAX", 2)
    monkeypatch.setattr(processes, "_DEATHS_WITHIN_S", 30.0)
    said = threading.Event()
    with running_field(tmp_path) as field:
        child = field.supervisor._children["field"]
        child.deaths = deque(maxlen=2)
        child.deaths.append(time.monotonic() - 28)
        field.supervisor.endure(lambda sentence: said.set() if "started again in" in sentence else None)
        before = field.supervisor.pid("field")
        os.kill(before, signal.SIGKILL)
        assert said.wait(PATIENCE_S)
        wait_for_new_pid(field, before)
        field.supervisor.wait_ready("field", PATIENCE_S)
        field.supervisor.check()

        field.supervisor._say = None
        os.kill(field.supervisor.pid("field"), signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while not child.failure:
            assert time.monotonic() < deadline, "a story gives a child up that dies again and again"
            threading.Event().wait(0.02)
        with pytest.raises(ChildFailed, match="field was ended by signal 9"):
            field.supervisor.check()


def test_a_child_at_work_is_told_from_one_that_stands_still(tmp_path: Path) -> None:
    with running_field(tmp_path) as field:
        pid = field.supervisor.pid("field")
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until_stopped(pid)
            stands = field.supervisor.moves()
            assert field.supervisor.moves() == stands
        finally:
            os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + PATIENCE_S
        while field.supervisor.moves() == stands:
            assert time.monotonic() < deadline, "a child that answers uses processor time"
            field.get("/state")


def wait_until_stopped(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline, f"process {pid} does not stop"
        threading.Event().wait(0.01)


def test_leaving_the_block_ends_the_children(tmp_path: Path) -> None:
    with running_field(tmp_path) as field:
        pid = field.supervisor.pid("field")
        assert is_alive(pid)
    assert not is_alive(pid)


def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    base = free_port_base(8)
    (tmp_path / "field.toml").write_text(f'directory = "w"\ncontrol_port = {base}\n')
    script = f"""
from pathlib import Path
from simulators.processes import Program, Supervisor
words = ("simulate", "field", "--settings", {str(tmp_path / "field.toml")!r})
supervisor = Supervisor()
supervisor.start(Program("field", words, "http://127.0.0.1:{base}/healthz", Path({str(tmp_path / "log")!r})))
supervisor.wait_ready("field", 30)
print(supervisor.pid("field"), flush=True)
input()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until_gone(child)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with (
        running_field(tmp_path) as field,
        pytest.raises(PortTaken, match=rf"{field.base} \(field\) is taken"),
    ):
        check_free({"field": field.base})


def wait_for_new_pid(field: RunningField, old: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while field.supervisor.pid("field") == old:
        assert time.monotonic() < deadline, "no new process"
        threading.Event().wait(0.02)
