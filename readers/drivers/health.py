"""Keeps count of how one device is, for any thread to ask."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from readers.drivers.base import DriverHealth


class HealthLog:
    """The one place where a driver notes what happens to its device."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._health = DriverHealth("starting", monotonic(), "", 0, 0, occupied=False)

    def snapshot(self) -> DriverHealth:
        """Return the health now."""
        with self._lock:
            return self._health

    def up(self) -> None:
        """Note that the device is open and looks for chips or codes."""
        self._enter("up")

    def down(self, sentence: str) -> None:
        """Note that the device failed; it will be opened again."""
        self.fault(sentence)
        self._enter("down")

    def presented(self) -> None:
        """Note one presentation."""
        with self._lock:
            presentations = self._health.presentations + 1
            self._health = replace(self._health, presentations=presentations, occupied=True)

    def vacated(self) -> None:
        """Note that what was presented has left."""
        with self._lock:
            self._health = replace(self._health, occupied=False)

    def fault(self, sentence: str) -> None:
        """Note one fault that left the device open."""
        with self._lock:
            self._health = replace(self._health, faults=self._health.faults + 1, last_error=sentence)

    def _enter(self, state: Literal["up", "down"]) -> None:
        with self._lock:
            if self._health.state != state:
                self._health = replace(self._health, state=state, since=self._monotonic())
