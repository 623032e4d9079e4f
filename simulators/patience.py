"""How long to wait for processes that others' work may slow down: as long as something moves."""

import time
from collections.abc import Callable

QUIET_S = 40.0
"""After this long without any movement nothing will come any more."""

CEILING_S = 180.0
"""Longer than this nobody waits, whatever moves: a process that only turns in circles moves too."""


class Patience:
    """One wait. It ends where nothing has moved for a while, not where a slow machine has taken its time."""

    def __init__(
        self,
        moves: Callable[[], object],
        *,
        quiet_s: float = QUIET_S,
        ceiling_s: float = CEILING_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `moves` tells where things stand; another value than before is a movement."""
        self._moves = moves
        self._quiet_s = quiet_s
        self._monotonic = monotonic
        self._began = self._moved = monotonic()
        self._ceiling = self._began + ceiling_s
        self._stands = moves()

    @property
    def waited_s(self) -> float:
        """How long it has lasted so far."""
        return self._monotonic() - self._began

    def lasts(self) -> bool:
        """Look again, and return whether to go on waiting."""
        now, stands = self._monotonic(), self._moves()
        if stands != self._stands:
            self._stands, self._moved = stands, now
        return now < min(self._ceiling, self._moved + self._quiet_s)
