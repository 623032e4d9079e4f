"""What keeps a reader alive: reopening a lost device, and outliving a handler that fails."""

import logging
import threading
from collections.abc import Callable

from readers.drivers.base import Contact, Handle
from readers.drivers.health import HealthLog

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0


def keep_open(session: Callable[[], None], health: HealthLog, stop: threading.Event, name: str) -> None:
    """Run `session` (open the device and serve it) again whenever it fails, until `stop` is set.

    Pauses double from 0.1 s to 2 s and start anew once a session had its device open.
    """
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            session()
        except Exception as error:  # device libraries raise anything, and the reader must outlive it
            before, sentence = health.snapshot(), sentence_of(error)
            if before.state == "up":
                pause_s = FIRST_PAUSE_S
            health.down(sentence)
            # The same again fills a log and tells nothing.
            if (before.state, before.last_error) != ("down", sentence):
                log.warning("Reader %s is down: %s", name, sentence)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def hand_over(handle: Handle, contact: Contact, health: HealthLog, name: str) -> None:
    """Give one presentation to `handle`, which may fail without harm to the reader."""
    health.presented()
    try:
        handle(contact)
    except Exception as error:  # the edge's fault must not take the reader down with it
        health.fault(sentence_of(error))
        log.exception("Reader %s: the handler failed on a presentation.", name)


def sentence_of(error: BaseException) -> str:
    """Return an error as one sentence, even where a library gave it no words."""
    return str(error).strip() or f"{type(error).__name__} without a message."
