"""The one writer of an edge: what waits is gathered, decided and journalled in one durable commit."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import msgspec

from readers.clock import Clock
from readers.store import Store, StoreDamaged, StoreUnwritable, Writing
from readers.store.store import Rested
from wallet.decide import decide
from wallet.journal import EntryKind
from wallet.reasons import Reason
from wallet.tap import Asks, Decision, PinCheck, Refused, Tap

log = logging.getLogger(__name__)

BATCH_MAX = 100
_CLOSED = "the edge is stopping"


@dataclass(frozen=True)
class Verdict:
    """What became of a tap. `pin_verifier` is there when a PIN is asked; `journalled` when it is durable."""

    decision: Decision
    journalled: bool
    pin_verifier: str = ""


@dataclass
class _Waiting:
    tap: Tap
    verdict: Future[Verdict] = field(default_factory=Future)


class Writer:
    """Decides taps one by one, so that two lanes can't both spend one use. Never waits for a network."""

    def __init__(
        self, store: Store, clock: Clock, *, online: Callable[[], bool], journalled: Callable[[], None]
    ) -> None:
        """Args:
        online: whether the gateway answered recently.
        journalled: called after each commit that brought entries.
        """
        self._store = store
        self._clock = clock
        self._online = online
        self._journalled = journalled
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer")
        self._entrance = threading.Lock()
        self._closed = False
        self.alarm = ""

    def start(self) -> None:
        """Begin to take taps."""
        self._thread.start()

    def stop(self) -> None:
        """Decide what waits, then end."""
        with self._entrance:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def decide(self, tap: Tap) -> Verdict:
        """Return the verdict of a tap once it is durable.

        A question (Asks) is not journalled; a wrong PIN is, and the tap is then decided as if none was given.
        A tap that can't be journalled is refused.
        """
        waiting = _Waiting(tap)
        with self._entrance:
            if self._closed:
                return Verdict(Refused(Reason.JOURNAL_FULL), journalled=False)
            self._queue.put(waiting)
        return waiting.verdict.result()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, last = [first], False
            while len(batch) < BATCH_MAX and not last:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                else:
                    batch.append(following)
            self._decide_all(batch)
            if last:
                return

    def _decide_all(self, batch: Sequence[_Waiting]) -> None:
        try:
            verdicts = self._commit(batch)
        except (StoreUnwritable, StoreDamaged) as error:
            self._alarm(str(error))
            verdicts = [Verdict(Refused(Reason.JOURNAL_FULL), journalled=False)] * len(batch)
        except (
            Exception
        ) as error:  # a tap that can't be handled takes neither the others nor the thread with it
            if len(batch) > 1:
                for waiting in batch:
                    self._decide_all([waiting])
                return
            log.exception("tap %s can't be decided", batch[0].tap.tap_id)
            self._alarm(f"tap {batch[0].tap.tap_id}: {error}")
            verdicts = [Verdict(Refused(Reason.EDGE_OUT_OF_DATE), journalled=False)]
        else:
            self.alarm = ""
        for waiting, verdict in zip(batch, verdicts, strict=True):
            waiting.verdict.set_result(verdict)
        if any(verdict.journalled for verdict in verdicts):
            self._journalled()

    def _commit(self, batch: Sequence[_Waiting]) -> list[Verdict]:
        online = self._online()
        with self._store.writing() as writing:
            return [self._decide_one(writing, waiting.tap, online) for waiting in batch]

    def _decide_one(self, writing: Writing, tap: Tap, online: bool) -> Verdict:
        # A tap that comes again gets the verdict it got: looked up before the rules are asked.
        known = writing.verdict(tap.tap_id)
        if known is not None:
            return Verdict(known, journalled=True)
        rested, decision = self._judge(writing, tap, online)
        if tap.pin is PinCheck.WRONG:
            writing.append(EntryKind.PIN_TRY, self._clock.now(), tap=tap, rested=rested, online=online)
            tap = msgspec.structs.replace(tap, pin=None)
            rested, decision = self._judge(writing, tap, online)
        if isinstance(decision, Asks):
            token = rested.facts.token if rested else None
            return Verdict(decision, journalled=False, pin_verifier=token.pin_verifier if token else "")
        writing.append(
            EntryKind.TAP, self._clock.now(), tap=tap, decision=decision, rested=rested, online=online
        )
        return Verdict(decision, journalled=True)

    def _judge(self, writing: Writing, tap: Tap, online: bool) -> tuple[Rested | None, Decision]:
        try:
            rested = writing.facts(tap, online=online)
        except msgspec.MsgspecError as error:
            log.warning("the document of a token is not understood here: %s", error)
            return None, Refused(Reason.EDGE_OUT_OF_DATE)
        if rested is None:
            # Nothing was ever heard of the resort, or not of this touchpoint.
            return None, Refused(Reason.EDGE_OUT_OF_DATE if writing.resort else Reason.FACTS_TOO_OLD)
        return rested, decide(tap, rested.facts)

    def _alarm(self, sentence: str) -> None:
        if sentence != self.alarm:
            log.error("%s", sentence)
        self.alarm = sentence
