"""What the guest sees and hears at a touchpoint, and the log that says which light was shown."""

import fcntl
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from wallet.evidence import Lamp, Light
from wallet.reasons import Reason, sentence
from wallet.tap import Approved, Asks, Decision, Refused

log = logging.getLogger(__name__)


class Sight(Struct, frozen=True):
    """What is shown for a verdict: the lamp and the sentence for a display beside it."""

    lamp: Lamp
    sentence: str


class Output(Protocol):
    """A device that shows verdicts: lamps, a sounder, a gate."""

    def show(self, sight: Sight) -> None:
        """Show the verdict. Returns once it is under way; must not wait for the guest."""
        ...


class LampLog:
    """Appends one JSON line per light, each with a single write, so that lines of two processes never mix.

    A line that a full disk or a power cut tore is cut off again: another appended to it would spoil both.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._lock = threading.Lock()
        with self._alone():
            self._cut_torn_line()

    def show(self, sight: Sight) -> None:
        """Append the line."""
        line = msgspec.json.encode(sight.lamp) + b"\n"
        with self._alone():
            if os.write(self._descriptor, line) != len(line):
                self._cut_torn_line()
                raise OSError("the lamp log took only a part of a line; is its disk full?")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and processes from the file meanwhile."""
        with self._lock:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _cut_torn_line(self) -> None:
        size = whole = os.fstat(self._descriptor).st_size
        while whole and os.pread(self._descriptor, 1, whole - 1) != b"\n":
            whole -= 1
        if whole < size:
            os.ftruncate(self._descriptor, whole)


class Console:
    """Tells the light on the program's log: the output of an edge without lamps."""

    def show(self, sight: Sight) -> None:
        """Log one line."""
        lamp = sight.lamp
        log.info("%s at %s: %s", lamp.light.value, lamp.touchpoint, sight.sentence)


class Outputs:
    """Shows a verdict on all outputs of the edge; a broken one neither stops the others nor the reader."""

    def __init__(self, edge: str, outputs: Iterable[Output]) -> None:
        self._edge = edge
        self._outputs = tuple(outputs)
        self.last_error = ""

    def show(self, tap_id: str, touchpoint: str, reader: str, decision: Decision, at: datetime) -> Sight:
        """Show the verdict of a tap, green for an approval alone, and return what was shown."""
        words = sentence_of(decision)
        lamp = Lamp(
            tap_id=tap_id,
            edge=self._edge,
            touchpoint=touchpoint,
            reader=reader,
            light=Light.GREEN if isinstance(decision, Approved) else Light.BLUE,
            decision=word_of(decision),
            reason=reason_of(decision),
            shown_at=at,
        )
        sight = Sight(lamp, words)
        for output in self._outputs:
            try:
                output.show(sight)
            except Exception as error:  # a lamp's driver may raise anything; the next guest waits
                self.last_error = f"{type(output).__name__}: {error}"
                log.exception("an output failed")
        return sight


def word_of(decision: Decision) -> str:
    """Return "approved", "refused" or "asks"."""
    match decision:
        case Approved():
            return "approved"
        case Refused():
            return "refused"
        case Asks():
            return "asks"


def reason_of(decision: Decision) -> str:
    """Return the reason's code, empty unless refused."""
    return decision.reason.value if isinstance(decision, Refused) else ""


def sentence_of(decision: Decision) -> str:
    """Return the plain sentence that goes with a verdict."""
    match decision:
        case Approved():
            return "Welcome."
        case Refused(reason=Reason() as reason, detail=detail):
            return sentence(reason, detail)
        case Asks():
            return "One moment, please."
