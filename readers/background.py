"""The threads beside the way of a tap: one that fails is told as an alarm and begins again."""

import logging
import threading
from collections.abc import Callable

from readers.backoff import Backoff

log = logging.getLogger(__name__)

Task = Callable[[threading.Event], None]


class Background:
    """Keeps an edge's tasks running: a push or pull that ended unnoticed would leave the edge silently stale."""

    def __init__(self, backoff: Callable[[], Backoff]) -> None:
        """Args: `backoff` makes the pauses of one task."""
        self._backoff = backoff
        self._threads: list[threading.Thread] = []
        self._alarms: dict[str, str] = {}

    def start(self, name: str, task: Task, stop: threading.Event) -> None:
        """Run the task, which itself returns once `stop` is set, in a thread of its own."""
        thread = threading.Thread(target=self._keep, args=(name, task, stop), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` seconds for each task and return whether all have ended."""
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What failed that should not have. It stands until the edge is started again: somebody has to look."""
        return tuple(self._alarms.values())

    def _keep(self, name: str, task: Task, stop: threading.Event) -> None:
        backoff = self._backoff()
        while not stop.is_set():
            try:
                task(stop)
            except Exception as error:  # whatever it is, the next revocation and the next tap still count
                log.exception("%s failed and begins again", name)
                self._alarms[name] = f"{name} failed: {str(error) or type(error).__name__}"
                stop.wait(backoff.pause_s())
