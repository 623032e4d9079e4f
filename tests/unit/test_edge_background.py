"""A task that fails is told and begins again; one that ends because it should is not."""

import threading

from readers.background import Background
from readers.backoff import Backoff
from readers.clock import SystemEntropy


def test_a_task_that_fails_is_an_alarm_and_begins_again():
    background = Background(lambda: Backoff(SystemEntropy(), first_s=0.01, max_s=0.01))
    stop, again = threading.Event(), threading.Event()
    tries = []

    def task(stop):
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("the entry can't be read")
        again.set()
        stop.wait()

    background.start("push", task, stop)
    assert again.wait(10)
    assert background.alarms == ("push failed: the entry can't be read",)
    assert not background.join(0.01), "it runs"
    stop.set()
    assert background.join(10)
    assert len(tries) == 2


def test_a_task_that_is_stopped_raises_no_alarm():
    background = Background(lambda: Backoff(SystemEntropy(), max_s=0.01))
    stop = threading.Event()
    background.start("pull", lambda stop: stop.wait(), stop)
    stop.set()
    assert background.join(10)
    assert background.alarms == ()
