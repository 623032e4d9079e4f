"""Counts the steps of a story, so that a fault can be timed by what happens and not by the speed of the machine."""

import threading


class Beats:
    """A counter that threads can wait for."""

    def __init__(self) -> None:
        self._count = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """How many beats there were."""
        return self._count

    def tick(self) -> None:
        """Count one."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> bool:
        """Wait until `count` beats were counted; return False when the story ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._count >= count)
            return self._count >= count

    def close(self) -> None:
        """The story is over: let everyone go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
