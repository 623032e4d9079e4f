"""The one ordered stream of changes: numbered after each commit, waited for, and read by edges, pages and timelines."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition, Event, Thread

import msgspec

from gateway.bounds import AS_OF_MARGIN
from gateway.clock import Clock
from gateway.db import feed as stored
from gateway.db import load
from gateway.db.engine import Connection, Database
from gateway.db.feed import FeedEntry
from gateway.db.resort import ResortShelf
from gateway.errors import Rejection
from gateway.publish import KEYS, RESORT
from gateway.services.documents import split, takes_pins
from wallet.resort import Resort
from wallet.snapshot import WIRE_VERSION, FeedBatch, Snapshot, TokenChange
from wallet.token import TokenDocument

_TICK_S = 0.25
_RECENT_MAX = 20_000
_PAGE = 500


@dataclass(eq=False)
class _Waiter:
    after: int
    scope: str | None
    loop: asyncio.AbstractEventLoop
    event: asyncio.Event = field(default_factory=asyncio.Event)


class Feed:
    """The feed of one database. Its thread gives positions to what other processes have committed too."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self.clock = clock
        self._under_way: dict[Hashable, datetime] = {}
        self._changed = Condition()
        self._head = 0
        self._swept_s: float | None = None
        self._complete_at: datetime | None = None
        self._recent: deque[tuple[int, str]] = deque(maxlen=_RECENT_MAX)
        self._recent_from = 0
        self._waiters: defaultdict[str | None, set[_Waiter]] = defaultdict(set)
        self._stopping = Event()
        self._closing = Event()
        self._thread = Thread(target=self._tick, name="feed", daemon=True)
        self._shelf = ResortShelf()

    def start(self) -> None:
        """Read where the feed stands and begin to tick."""
        with self._database.read() as connection:
            self._head = self._recent_from = stored.head(connection)
        self.sweep()
        self._thread.start()

    def stop(self) -> None:
        """End the tick and wake whoever waits."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.release()

    @property
    def head(self) -> int:
        """The highest position this process knows."""
        return self._head

    @property
    def swept_s(self) -> float | None:
        """When the last sweep began, on the machine's own seconds."""
        return self._swept_s

    def release(self) -> None:
        """Let everyone who waits go, now and from now on: the process is about to end."""
        self._closing.set()
        self._wake(None)

    @property
    def closing(self) -> bool:
        """Whether whoever reads the feed should end."""
        return self._closing.is_set()

    def asked(self, mark: Hashable, at: datetime) -> None:
        """Note that a command with the instant `at` is under way: until it is settled, `as_of` stays behind that."""
        self._under_way[mark] = at

    def settled(self, marks: Iterable[Hashable]) -> None:
        """Note that these are committed, or never will be; one that is settled already stays so."""
        for mark in marks:
            self._under_way.pop(mark, None)

    def sweep(self) -> None:
        """Number what is committed and let waiting readers know."""
        # Looked at before the database is: a command that is asked after this has its own instant later still.
        began_at, began_s = self.clock.now(), self.clock.elapsed_s()
        complete_at = min([began_at, *self._under_way.copy().values()])
        with self._database.read() as connection:
            waiting, head = stored.has_unnumbered(connection), stored.head(connection)
        if waiting:
            with self._database.write() as connection:
                head = stored.number(connection)
        self.advance(head, began_s, complete_at)

    def advance(self, head: int, swept_s: float | None = None, complete_at: datetime | None = None) -> None:
        """Note that positions up to `head` are given.

        Args:
            swept_s: when the sweep that has given them began, on the machine's own seconds.
            complete_at: the instant of that, or of the oldest command that was still under way then.
        """
        known = self._head
        news: list[tuple[int, str, str]] = []
        if head > known:
            with self._database.read() as connection:
                news = stored.scopes_after(connection, known, _RECENT_MAX)
        concerned: set[str] | None = set()
        with self._changed:
            if len(news) == _RECENT_MAX:
                # Too much to remember one by one: whoever stands before this is simply told to look.
                self._recent.clear()
                self._recent_from = head
                concerned = None
            last = self._recent[-1][0] if self._recent else self._recent_from
            for position, kind, scopes in news:
                if last < position <= head:
                    if len(self._recent) == _RECENT_MAX:
                        self._recent_from = self._recent[0][0]
                    told = "*" if _is_for_all(kind) else scopes or f"|{topic(kind)}|"
                    self._recent.append((position, told))
                    concerned = None if concerned is None or told == "*" else concerned | split(told)
            self._head = max(self._head, head)
            self._swept_s = max(filter(None, (self._swept_s, swept_s)), default=None)
            self._complete_at = max(filter(None, (self._complete_at, complete_at)), default=None)
            self._changed.notify_all()
        if head > known:
            self._wake(concerned)

    # --- waiting ------------------------------------------------------------------------------------------------------

    def wait(self, after: int, timeout_s: float, scope: str | None = None) -> bool:
        """Wait in this thread until something (that concerns the venue or topic `scope`) stands behind `after`."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._closing.is_set() or self._has(after, scope), timeout_s
            )

    async def until(self, after: int, timeout_s: float, scope: str | None = None) -> bool:
        """The same without holding a thread: a thousand edges may wait at once."""
        waiter = _Waiter(after, scope, asyncio.get_running_loop())
        with self._changed:
            if self._has(after, scope) or self._closing.is_set():
                return True
            self._waiters[scope].add(waiter)
        try:
            await asyncio.wait_for(waiter.event.wait(), timeout_s)
        except TimeoutError:
            return False
        finally:
            with self._changed:
                self._waiters[scope].discard(waiter)
        return True

    def _has(self, after: int, scope: str | None) -> bool:
        if self._head <= after or scope is None:
            return self._head > after
        if after < self._recent_from:
            return True
        for position, scopes in reversed(self._recent):
            if position <= after:
                return False
            if scopes == "*" or f"|{scope}|" in scopes:
                return True
        return False

    def _wake(self, concerned: set[str] | None) -> None:
        """Wake who waits for anything at all or for one of these venues and topics; everyone for None."""
        with self._changed:
            scopes = self._waiters.keys() if concerned is None else self._waiters.keys() & {None, *concerned}
            waiting = [each for scope in scopes for each in self._waiters[scope]]
            ready = [each for each in waiting if self._closing.is_set() or self._has(each.after, each.scope)]
            self._changed.notify_all()
        for waiter in ready:
            with suppress(RuntimeError):  # its event loop has ended meanwhile, and the waiter with it
                waiter.loop.call_soon_threadsafe(waiter.event.set)

    # --- reading ------------------------------------------------------------------------------------------------------

    def entries(self, after: int, limit: int = _PAGE) -> list[FeedEntry]:
        """Return entries of every kind behind `after`, in order."""
        with self._database.read() as connection:
            return stored.entries(connection, after, limit)

    def entries_of_party(self, party_id: str, after: int, limit: int = _PAGE) -> list[FeedEntry]:
        """Return what happened to one party behind `after`, in order."""
        with self._database.read() as connection:
            return stored.entries_of_party(connection, party_id, after, limit)

    def must_continue(self, after: int, mark: str) -> None:
        """Do nothing if the entry at `after` is the one that `mark` names; without a mark nobody can tell.

        Raises:
            Rejection: it is another one: the database was restored from an older copy, and has gone on from there.
        """
        if after and mark:
            with self._database.read() as connection:
                _must_continue(connection, after, mark)

    def batch_for(self, venue: str, after: int, limit: int = _PAGE, *, mark: str = "") -> FeedBatch:
        """Return what an edge of `venue` must learn behind `after`: of each token the latest document, or a tombstone.

        Args:
            mark: what the edge was told to stand at `after`; empty when it was told none.
        Raises:
            Rejection: `after` is ahead of the feed, or another entry stands there (this is not the database the edge
                knew), or nothing is loaded yet.
        """
        with self._changed:
            head, complete_at = self._head, self._complete_at
        if after > head:
            # Another process may have numbered and served positions that this one has not seen yet.
            self.sweep()
            with self._changed:
                head, complete_at = self._head, self._complete_at
        if after > head:
            raise Rejection(
                "feed_ahead",
                409,
                f"The feed here ends at {head}, before {after}. Take a new snapshot.",
                {"head": head},
            )
        with self._database.read() as connection:
            _must_continue(connection, after, mark)
            entries = stored.entries_for_scope(connection, venue, after, head, limit)
            upto = entries[-1].position if len(entries) == limit else head
            as_of = self._as_of(connection, upto, head, complete_at)
            resort = self._resort_of(connection)
            reached = stored.mark_at(connection, upto)
        pins = takes_pins(resort, venue)
        latest = {entry.token_id: _change(entry, venue, pins) for entry in entries if entry.kind != RESORT}
        return FeedBatch(
            wire=WIRE_VERSION,
            from_position=after,
            to_position=upto,
            as_of=as_of,
            changes=tuple(sorted(latest.values(), key=lambda change: change.position)),
            resort=resort if any(entry.kind == RESORT for entry in entries) else None,
            mark=reached,
        )

    def snapshot_for(
        self, venue: str, after: str, position: int | None = None, limit: int = _PAGE, *, mark: str = ""
    ) -> Snapshot:
        """Return one page of the latest documents of a venue, behind the token id `after`.

        Args:
            position: the first page's position, given back for the pages that follow. A later page may hold newer
                documents than that; the feed brings them again and their version tells.
            mark: the first page's mark, given back with its position.
        Raises:
            Rejection: the pages before were another database's, or nothing is loaded yet.
        """
        with self._changed:
            head, complete_at = self._head, self._complete_at
        with self._database.read() as connection:
            _must_continue(connection, position or 0, mark)
            resort = self._resort_of(connection)
            rows = load.documents(connection, after, limit, scope=venue)
            upto = head if position is None else min(position, head)
            reached = stored.mark_at(connection, upto)
            as_of = self._as_of(connection, upto, head, complete_at)
        pins = takes_pins(resort, venue)
        return Snapshot(
            wire=WIRE_VERSION,
            position=upto,
            as_of=as_of,
            resort=resort,
            documents=tuple(_for_edge(row.body, pins) for row in rows),
            next_after=rows[-1].token_id if len(rows) == limit else None,
            mark=reached,
        )

    def _as_of(self, connection: Connection, upto: int, head: int, complete_at: datetime | None) -> datetime:
        """Return up to which instant everything is known to who knows the positions up to `upto`."""
        as_of = complete_at or self.clock.now()
        if upto < head:
            as_of = min(as_of, stored.instant_at(connection, upto) or as_of)
        return as_of - AS_OF_MARGIN

    def resort(self) -> Resort:
        """Return the current resort.

        Raises:
            Rejection: none is loaded.
        """
        with self._database.read() as connection:
            return self._resort_of(connection)

    def _resort_of(self, connection: Connection) -> Resort:
        resort = self._shelf.current(connection)
        if resort is None:
            raise Rejection("no_resort", 409, "No resort is loaded here yet: passband gateway load FILE.")
        return resort

    def _tick(self) -> None:
        while not self._stopping.wait(_TICK_S):
            try:
                self.sweep()
            except Exception:
                # The database is away for a moment; the next tick tries again, and /readyz tells meanwhile.
                logging.getLogger(__name__).exception("the feed could not be numbered")


def _is_for_all(kind: str) -> bool:
    return kind == RESORT or kind.partition(".")[0] == KEYS


def topic(kind: str) -> str:
    """Return what to wait for, as a scope, to hear of events of this kind's noun: "@encoding" for "encoding.issued"."""
    return f"@{kind.partition('.')[0]}"


def _must_continue(connection: Connection, after: int, mark: str) -> None:
    if after and mark and stored.mark_at(connection, after) != mark:
        raise Rejection(
            "feed_forked",
            409,
            f"Another entry stands at {after} here: this ledger was restored from an older copy. Take a new snapshot.",
        )


def _change(entry: FeedEntry, venue: str, pins: bool) -> TokenChange:
    document = msgspec.json.decode(entry.body, type=TokenDocument)
    seen = _for_edge(document, pins) if venue in split(entry.scopes_after) else None
    return TokenChange(entry.position, document.token_id, document.version, seen)


def _for_edge(document: TokenDocument, pins: bool) -> TokenDocument:
    """Return the document as an edge may have it: a PIN does not survive a stolen box, so few edges get one."""
    if pins or not document.pin_verifier:
        return document
    return msgspec.structs.replace(document, pin_verifier="")
