"""Time and entropy of an edge: the one place where they are read; tests and simulations give their own."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from wallet.ids import uuid7

_OFFSET_MAX = timedelta(days=36_525)
"""A century: a file that says more is garbled, and would end the calendar."""


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the instant, aware and in UTC."""
        ...

    def elapsed_s(self) -> float:
        """Return the machine's own seconds, for deadlines and back-off. Simulated days don't pass here."""
        ...


class Entropy(Protocol):
    """Where random bytes come from."""

    def bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


class SystemClock:
    """The machine's clock, moved forward by the simulation's offset file where there is one."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file
        self._offset = timedelta()
        self._stamp = (0, 0)

    def now(self) -> datetime:
        """Return the instant, aware and in UTC."""
        if self._offset_file is not None:
            self._read_offset(self._offset_file)
        return datetime.now(UTC) + self._offset

    def elapsed_s(self) -> float:
        """Return the machine's own seconds, for deadlines and back-off."""
        return time.monotonic()

    def _read_offset(self, path: Path) -> None:
        # The file is replaced as a whole, so its inode and time tell whether it has to be read again.
        try:
            found = path.stat()
            stamp = (found.st_ino, found.st_mtime_ns)
            if stamp != self._stamp:
                offset = timedelta(seconds=float(path.read_text()))
                if offset > _OFFSET_MAX:
                    return
                self._offset = max(self._offset, offset)
                self._stamp = stamp
        except (OSError, ValueError, OverflowError):
            # A missing, half-written or senseless file never moves time.
            return


class SystemEntropy:
    """The operating system's random bytes."""

    def bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return os.urandom(count)


def new_id(clock: Clock, entropy: Entropy) -> str:
    """Return a fresh identifier."""
    return uuid7(clock.now(), entropy.bytes(10))


def fraction(entropy: Entropy) -> float:
    """Return a random number in [0, 1), for jitter."""
    return int.from_bytes(entropy.bytes(4), "big") / 2**32
