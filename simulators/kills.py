"""Kills processes with SIGKILL at seeded steps of a story, while a supervisor starts them again."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.beats import Beats
from simulators.dice import Dice
from simulators.processes import Supervisor

KILLS_EACH = 2
STEPS_USED = 50
"""Fewer steps than the story has (some 60): a kill beyond its end would not happen."""

_DELAY_S_MAX = 0.12


@dataclass(frozen=True)
class Kill:
    """One kill: `delay_s` after step number `beat`."""

    beat: int
    name: str
    delay_s: float


def plan_kills(
    dice: Dice, names: Sequence[str], *, each: int = KILLS_EACH, steps: int = STEPS_USED
) -> list[Kill]:
    """Return when which process dies: each of them `each` times, in the order of steps."""
    stream = dice.stream("kills")
    kills = [
        Kill(stream.randint(2, steps), name, stream.uniform(0.0, _DELAY_S_MAX))
        for name in names
        for _ in range(each)
    ]
    return sorted(kills, key=lambda kill: (kill.beat, kill.name, kill.delay_s))


class Killer:
    """Carries a plan of kills out, in a thread of its own."""

    def __init__(self, supervisor: Supervisor, beats: Beats, kills: Sequence[Kill]) -> None:
        self._supervisor = supervisor
        self._beats = beats
        self._kills = kills
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self.done: list[Kill] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Kill no more, and wait until the one under way is done."""
        self._stop.set()
        self._beats.close()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        for kill in self._kills:
            if not self._beats.wait_for(kill.beat) or self._stop.wait(kill.delay_s):
                return
            self._supervisor.kill(kill.name)
            self.done.append(kill)
