"""Simulation time: real time plus an offset that only grows, in a file that all processes follow."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.files import replace_text


class SimulationClock:
    """The writer of the offset file (one decimal number of seconds); there is one per simulation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        if not path.exists():
            replace_text(path, "0.0")

    @property
    def offset_s(self) -> float:
        """How far simulation time is ahead of real time, in seconds."""
        return float(self.path.read_text(encoding="utf-8"))

    def now(self) -> datetime:
        """Return the instant in simulation time, aware and in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once.

        Raises:
            ValueError: negative; simulation time never runs back.
        """
        if seconds < 0:
            raise ValueError("simulation time only runs forward")
        with self._lock:
            replace_text(self.path, repr(self.offset_s + seconds))

    def advance_to(self, instant: datetime) -> bool:
        """Let time pass until `instant`; return False, and change nothing, when that is over already."""
        with self._lock:
            missing_s = (instant - self.now()).total_seconds()
            if missing_s <= 0:
                return False
            replace_text(self.path, repr(self.offset_s + missing_s))
            return True
