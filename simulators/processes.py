"""Real child processes: started, waited for, restarted when they die, and never left behind."""

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from simulators.patience import Patience

ROOT = Path(__file__).resolve().parent.parent
STOP_WAIT_S = 5.0
_POLL_S = 0.03
_TAIL_LINES = 8
# A child that was ready once and then dies this often within this time will hardly come to itself: say so.
_DEATHS_MAX, _DEATHS_WITHIN_S = 4, 10.0


class ChildFailed(Exception):
    """A child could not be started or does not become ready; the sentence ends with the tail of its log."""


@dataclass(frozen=True)
class Program:
    """One program to run.

    Attributes:
        name: how it is called in sentences and logs.
        words: the `passband` command line.
        ready_url: answers 200 when the program is ready; asked until it does.
        log: takes the program's output, appended over restarts.
        environment: variables beyond those of this process.
    """

    name: str
    words: tuple[str, ...]
    ready_url: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    wanted: bool = True
    was_ready: bool = False
    restarts: int = 0
    expected_deaths: int = 0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=_DEATHS_MAX))
    failure: str = ""


class Supervisor:
    """Runs programs and keeps them running; leaving its `with` block ends them all.

    It ends only what it started, by process id, politely first. Were this process killed, each child would
    end by itself (simulators/leash.py).
    """

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}
        self._http = httpx.Client(timeout=1.0, trust_env=False)
        self._lock = threading.Lock()
        self._say: Callable[[str], None] | None = None
        self._ending = threading.Event()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(self, program: Program) -> None:
        """Start a program and keep it running. Returns at once; `wait_ready` waits.

        Raises:
            ValueError: it runs already.
        """
        with self._lock:
            known = self._children.get(program.name)
            if known is not None and known.wanted:
                raise ValueError(f"{program.name} runs already")
            child = _Child(program, _spawn(program))
            self._children[program.name] = child
        threading.Thread(target=self._watch, args=(child,), name=f"watch-{program.name}", daemon=True).start()

    def wait_ready(self, name: str, quiet_s: float) -> None:
        """Return once the program answers at its ready address.

        Raises:
            ChildFailed: it died for good, or neither answered nor did anything for `quiet_s` seconds.
        """
        child = self._children[name]
        patience = Patience(lambda: (_cpu_ticks(child.process.pid), child.restarts), quiet_s=quiet_s)
        while patience.lasts():
            if child.failure:
                raise ChildFailed(child.failure)
            if self._answers(child.program.ready_url):
                child.was_ready = True
                return
            time.sleep(_POLL_S)
        tail = _tail(child.program.log)
        raise ChildFailed(f"{name} did not become ready within {patience.waited_s:.0f} s. {tail}")

    def check(self) -> None:
        """Raise ChildFailed when a program died for good."""
        for child in self._children.values():
            if child.failure:
                raise ChildFailed(child.failure)

    def endure(self, say: Callable[[str], None]) -> None:
        """From now on give no child up: one that dies again and again is started again after a pause, told by `say`."""
        self._say = say

    def kill(self, name: str) -> int:
        """End the program at once with SIGKILL; it is started again. Returns the process id that was."""
        with self._lock:
            child = self._children[name]
            child.expected_deaths += 1
            child.process.kill()
            return child.process.pid

    def stop(self, name: str) -> None:
        """End the program for good: asked with SIGTERM, after five seconds told with SIGKILL."""
        with self._lock:
            child = self._children[name]
            child.wanted = False
            process = child.process
        _end([process])

    def stop_all(self) -> None:
        """End every program for good, all at the same time."""
        self._ending.set()
        with self._lock:
            for child in self._children.values():
                child.wanted = False
            processes = [child.process for child in self._children.values()]
        _end(processes)

    def pid(self, name: str) -> int:
        """Return the program's present process id."""
        return self._children[name].process.pid

    def restarts(self, name: str) -> int:
        """Return how often the program was started again."""
        return self._children[name].restarts

    def moves(self) -> tuple[int, ...]:
        """Return what grows while the programs work: the processor time of each, in ticks, and its restarts.

        Zero where the operating system tells no times (there is no /proc).
        """
        with self._lock:
            children = [(child.process.pid, child.restarts) for child in self._children.values()]
        return tuple(figure for pid, restarts in children for figure in (_cpu_ticks(pid), restarts))

    @property
    def names(self) -> list[str]:
        """The programs that were started."""
        return list(self._children)

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(url).status_code == 200
        except httpx.TransportError:
            return False

    def _watch(self, child: _Child) -> None:
        while True:
            status = child.process.wait()
            with self._lock:
                if not child.wanted:
                    return
                killed_by_us = child.expected_deaths > 0
                if killed_by_us:
                    child.expected_deaths -= 1
                else:
                    child.deaths.append(time.monotonic())
                again_and_again = not killed_by_us and _dies_again_and_again(child.deaths)
                say = self._say
                if (not killed_by_us and not child.was_ready) or (again_and_again and say is None):
                    child.wanted = False
                    child.failure = f"{_how(child.program.name, status)} {_tail(child.program.log)}"
                    return
            if again_and_again and say is not None:
                pause_s = child.deaths[0] + _DEATHS_WITHIN_S - time.monotonic()
                how = _how(child.program.name, status)
                often = f"That was {_DEATHS_MAX} times within {_DEATHS_WITHIN_S:.0f} s"
                say(f"{how} {often}: it is started again in {max(0.0, pause_s):.0f} s.")
                self._ending.wait(pause_s)
            if not self._started_again(child):
                return

    def _started_again(self, child: _Child) -> bool:
        with self._lock:
            if child.wanted:
                child.process = _spawn(child.program)
                child.restarts += 1
            return child.wanted


def _spawn(program: Program) -> subprocess.Popen[bytes]:
    program.log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **program.environment}
    with program.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "simulators.leash", *program.words],
            stdin=subprocess.PIPE,  # the leash: held open, never written to
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            # Ctrl-C is for the parent, which ends its children in good order.
            start_new_session=True,
        )


def _cpu_ticks(pid: int) -> int:
    """Return the processor time that a process has used, in the kernel's ticks (proc_pid_stat(5))."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    # The second field is the program's name, in brackets, and may hold spaces and brackets of its own.
    after_name = told.rpartition(")")[2].split()
    user, system = 11, 12
    return int(after_name[user]) + int(after_name[system])


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_WAIT_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _dies_again_and_again(deaths: deque[float]) -> bool:
    return len(deaths) == _DEATHS_MAX and deaths[-1] - deaths[0] < _DEATHS_WITHIN_S


def _how(name: str, status: int) -> str:
    return f"{name} was ended by signal {-status}." if status < 0 else f"{name} ended with status {status}."


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return f"It wrote nothing to {log}."
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in lines[-_TAIL_LINES:])])
