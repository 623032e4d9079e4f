"""Pauses after failures: growing, capped, and fully jittered, so that edges don't all return at once."""

from readers.clock import Entropy, fraction


class Backoff:
    """Gives the next pause. Full jitter: anything between nothing and the current bound."""

    def __init__(self, entropy: Entropy, *, first_s: float = 0.2, max_s: float) -> None:
        self._entropy = entropy
        self._first_s = min(first_s, max_s)
        self._max_s = max_s
        self._bound_s = self._first_s

    def pause_s(self, at_least_s: float | None = None) -> float:
        """Return how long to wait now; the bound doubles. `at_least_s` is what the other side asked for."""
        bound = self._bound_s
        self._bound_s = min(2 * bound, self._max_s)
        return min(max(at_least_s or 0.0, bound * fraction(self._entropy)), self._max_s)

    def succeed(self) -> None:
        """Begin anew with short pauses."""
        self._bound_s = self._first_s
