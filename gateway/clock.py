"""Time and entropy: the one place where the gateway reads the clock and rolls dice; the rest gets them."""

import math
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Protocol

_OFFSET_MAX_S = 36_525 * 86_400.0
"""A century: a file that says more is garbled, and would end the calendar."""


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the aware instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back and leap with a simulated day: for windows of the resort's own time."""
        ...

    def elapsed_s(self) -> float:
        """Return the machine's own seconds, for how long work takes or waits. Simulated days don't pass here."""
        ...


class Entropy(Protocol):
    """Random bytes that nobody can guess."""

    def draw(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the aware instant, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def elapsed_s(self) -> float:
        """Return the machine's own seconds."""
        return time.monotonic()


class SimulationClock:
    """The machine's clock moved forward by the seconds in a file that all processes of a simulation share.

    The offset only grows: a file that shows less than before is taken as not yet written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._offset_s = 0.0

    def now(self) -> datetime:
        """Return the aware instant of the simulation, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._offset())

    def monotonic(self) -> float:
        """Return seconds that never go back, moved like the clock."""
        return time.monotonic() + self._offset()

    def elapsed_s(self) -> float:
        """Return the machine's own seconds, whatever day it is."""
        return time.monotonic()

    def _offset(self) -> float:
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                offset_s = float(self._path.read_text())
                with self._lock:
                    self._seen = seen
                    if math.isfinite(offset_s) and offset_s <= _OFFSET_MAX_S:
                        self._offset_s = max(self._offset_s, offset_s)
        except (OSError, ValueError):
            # Being replaced at this moment, or not made yet: the last offset holds.
            return self._offset_s
        return self._offset_s


class SystemEntropy:
    """The operating system's random bytes."""

    def draw(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return os.urandom(count)
