"""How a reader outlives its device."""

import logging
import threading
from collections.abc import Callable

import pytest

from readers.drivers.endurance import keep_open
from readers.drivers.health import HealthLog


class Pauses(threading.Event):
    """A stop event that notes the pauses asked of it instead of making them, and is set after so many."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.asked: list[float] = []
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.asked.append(timeout)
        if len(self.asked) == self._count:
            self.set()
        return self.is_set()


def run(session: Callable[[HealthLog], None], count: int) -> tuple[list[float], HealthLog]:
    health, stop = HealthLog(lambda: 5.0), Pauses(count)
    keep_open(lambda: session(health), health, stop, "a reader")
    return stop.asked, health


def absent(health: HealthLog) -> None:
    raise OSError


def test_pauses_grow_while_the_device_is_absent() -> None:
    asked, health = run(absent, 7)
    assert asked == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert health.snapshot().state == "down"
    assert health.snapshot().faults == 7
    assert health.snapshot().last_error == "OSError without a message."


def test_pauses_start_anew_after_the_device_was_there() -> None:
    tries = iter([False, False, False, True, False, False])

    def session(health: HealthLog) -> None:
        if next(tries):
            health.up()
        raise IndexError("The device talks nonsense.")

    asked, health = run(session, 6)
    assert asked == [0.1, 0.2, 0.4, 0.1, 0.2, 0.4]
    assert health.snapshot().last_error == "The device talks nonsense."


def test_the_log_tells_each_fault_once_while_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    words = iter(["No such device.", "No such device.", "No permission.", "No permission."])

    def session(health: HealthLog) -> None:
        raise OSError(next(words))

    with caplog.at_level(logging.WARNING):
        run(session, 4)
    assert [record.args for record in caplog.records] == [
        ("a reader", "No such device."),
        ("a reader", "No permission."),
    ]
