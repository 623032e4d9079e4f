"""Between edge and gateway: the journal is pushed home, the feed is pulled, apart from the way of a tap."""

import logging
import threading
from collections.abc import Callable

from msgspec.structs import replace

from readers.backoff import Backoff
from readers.clock import Clock
from readers.store import OutOfStep, Store, StoreUnwritable
from readers.transport.base import (
    Anchors,
    Denied,
    FeedGone,
    JournalRefused,
    Transport,
    TransportFault,
    Unreachable,
)
from wallet.journal import JournalBatch
from wallet.snapshot import WIRE_VERSION

log = logging.getLogger(__name__)

BATCH_MAX = 500
ANCHORS_EVERY_S = 3600.0


class Pusher:
    """Brings journal entries home, in order, each batch as often as needed."""

    def __init__(self, store: Store, transport: Transport, edge: str, backoff: Backoff) -> None:
        self._store = store
        self._transport = transport
        self._edge = edge
        self._backoff = backoff
        self._wake = threading.Event()
        self._in_flight: JournalBatch | None = None
        self._batch_max = BATCH_MAX
        self.alarm = ""
        self.last_error = ""

    def wake(self) -> None:
        """Tell that something was journalled."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Push whatever is journalled until `stop` is set; `wake` must be called after that."""
        self._wake.set()
        while not stop.is_set():
            self._wake.wait()
            self._wake.clear()
            self._push_all(stop)

    def push_once(self) -> bool:
        """Push one batch and return whether there may be more.

        Raises:
            TransportFault: it didn't arrive, or the answer was lost: the same batch goes again.
        """
        batch = self._in_flight or self._next_batch()
        if batch is None:
            return False
        self._in_flight = batch
        try:
            receipt = self._transport.push(batch)
        except JournalRefused as refusal:
            self._in_flight = None
            self._adopt(
                batch.epoch, refusal.acknowledged, refusal.head, str(refusal), position=refusal.position
            )
            return True
        self._in_flight = None
        self._batch_max = min(BATCH_MAX, self._batch_max * 2)
        if receipt.set_aside:
            log.warning("the gateway set aside the entries %s", receipt.set_aside)
        self._adopt(receipt.epoch, receipt.acknowledged, receipt.head, "", receipt.position)
        return True

    def _push_all(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                more = self.push_once()
            except (TransportFault, StoreUnwritable) as fault:
                self.last_error = str(fault)
                retry_after_s = fault.retry_after_s if isinstance(fault, Unreachable) else None
                if retry_after_s is not None:
                    self._take_less()
                stop.wait(self._backoff.pause_s(retry_after_s))
                continue
            self._backoff.succeed()
            self.last_error = ""
            if not more:
                return

    def _take_less(self) -> None:
        """Cut the next batch to half: a gateway that has no time for a large one would have none for ever."""
        self._in_flight = None
        self._batch_max = max(1, self._batch_max // 2)

    def _next_batch(self) -> JournalBatch | None:
        lines = self._store.unacknowledged(self._batch_max)
        if not lines:
            return None
        entries = tuple(line.entry for line in lines)
        return JournalBatch(WIRE_VERSION, self._edge, entries[0].epoch, entries, lines[-1].head)

    def _adopt(self, epoch: str, acknowledged: int, head: str, why: str, position: int = 0) -> None:
        """Take the gateway's mark if the chain agrees; otherwise the two tell different stories."""
        before = self._store.mark().acknowledged
        if not self._store.acknowledge(epoch, acknowledged, head, position):
            self.alarm = f"the gateway knows another entry {acknowledged} of epoch {epoch} than this edge"
            raise TransportFault(self.alarm)
        if acknowledged == before:
            # Nothing moved: going on at once would only ask the same again.
            self.alarm = f"the gateway takes nothing after entry {acknowledged}: {why or 'no reason given'}"
            raise TransportFault(self.alarm)
        self.alarm = ""


class Puller:
    """Keeps what this edge knows up to date: a snapshot first, then the feed."""

    def __init__(
        self,
        store: Store,
        transport: Transport,
        clock: Clock,
        backoff: Backoff,
        *,
        feed_wait_s: float,
        renew: Callable[[Anchors], None],
        gone: Callable[[], None],
        trusted: Anchors | None = None,
    ) -> None:
        """Args:
        feed_wait_s: how long one request waits for news.
        renew: called with the anchors: at the start, once an hour, and when the feed tells of other ones.
        trusted: the anchors as they were told last.
        gone: called when the feed can't be continued: the gateway may be an older one, restored.
        """
        self._store = store
        self._transport = transport
        self._clock = clock
        self._backoff = backoff
        self._feed_wait_s = feed_wait_s
        self._renew = renew
        self._gone = gone
        self._trusted = trusted
        self._anchors_at_s: float | None = None
        self._anchors_told = ""
        self._whole = store.known().whole
        self._denials = 0
        self.alarm = ""
        self.last_error = ""

    def run(self, stop: threading.Event) -> None:
        """Pull until `stop` is set."""
        while not stop.is_set():
            try:
                self.pull_once()
            except (TransportFault, OutOfStep, StoreUnwritable, ValueError, OSError) as fault:
                # Not accepted, an edge only looks connected: it learns of no revocation until somebody acts.
                # Once alone it may be a day that was set forward between signing and checking: it signs anew.
                self._denials = self._denials + 1 if isinstance(fault, Denied) else 0
                lasts = self._denials > 1
                self.alarm = f"the gateway doesn't accept this edge: {fault}" if lasts else ""
                if self._denials == 2 or str(fault) != self.last_error:
                    log.log(logging.INFO if self._denials == 1 else logging.WARNING, "pull: %s", fault)
                self.last_error = str(fault)
                retry_after_s = fault.retry_after_s if isinstance(fault, Unreachable) else None
                stop.wait(self._backoff.pause_s(retry_after_s))
                continue
            self._backoff.succeed()
            self.alarm = self.last_error = ""
            self._denials = 0

    def pull_once(self) -> None:
        """Take the next news, a whole snapshot where the feed can't be continued.

        Raises:
            TransportFault: the gateway can't be reached, or doesn't accept this edge.
        """
        self._ask_for_anchors()
        if not self._whole:
            self._take_snapshot()
            return
        try:
            known = self._store.known()
            batch = self._transport.feed(known.position, self._feed_wait_s, known.mark)
            self._store.put_batch(batch)
            self._anchors_told = batch.anchors
        except (FeedGone, OutOfStep) as fault:
            log.warning("the feed can't be continued (%s): taking a snapshot", fault)
            self._whole = False
            self._gone()

    def _ask_for_anchors(self) -> None:
        now_s = self._clock.elapsed_s()
        known = self._trusted
        others = bool(self._anchors_told) and (known is None or known.version != self._anchors_told)
        if self._anchors_at_s is not None and now_s - self._anchors_at_s < ANCHORS_EVERY_S and not others:
            return
        anchors = self._transport.anchors()
        if known and known.version != anchors.version and not _only_issuers_differ(known, anchors):
            # Every chip has a key more, or one that this edge has to be told of one by one from now on. Durable
            # before the anchors are: after a crash in between, these would be no news any more.
            self._store.open_snapshot()
            self._whole = False
        # Asked for once, whatever comes of it: anchors that can't be taken must not keep the feed away.
        self._anchors_at_s, self._anchors_told, self._trusted = now_s, "", anchors
        self._renew(anchors)

    def _take_snapshot(self) -> None:
        page = self._transport.snapshot(None, None)
        self._store.put_page(page, first=True)
        while page.next_after is not None:
            page = self._transport.snapshot(page.next_after, page.position, page.mark)
            self._store.put_page(page, first=False)
        self._whole = True


def _only_issuers_differ(known: Anchors, told: Anchors) -> bool:
    """Return whether no key of a chip can be new to this edge.

    A kind of touchpoint that is new at a venue may show in nothing but the resort's version: its keys come chip by
    chip.
    """
    return replace(known, issuer_keys=told.issuer_keys, version=told.version) == told


class Presence:
    """Whether the gateway answered recently."""

    def __init__(self, transport: Transport, clock: Clock, online_s: float) -> None:
        self._transport = transport
        self._clock = clock
        self._online_s = online_s

    def online(self) -> bool:
        """Return whether the last answer came within the last `online_s` seconds."""
        answered = self._transport.answered_at_s()
        return answered is not None and self._clock.elapsed_s() - answered <= self._online_s
