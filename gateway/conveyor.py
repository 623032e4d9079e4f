"""The one way to write: gather what waits, hold it still, decide one after the other, write and commit once, answer."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from threading import Condition, Event, Thread
from typing import Any

import msgspec

from gateway import books, publish
from gateway.bounds import QUEUED_MAX_S, ROOM_TO_GROW_S, WRITTEN_WITHIN_S
from gateway.clock import Entropy
from gateway.command import Command, Key, KeyKind, Outcome, Service
from gateway.db import feed as stored_feed
from gateway.db import load, locks, write
from gateway.db.engine import (
    UNSTORABLE,
    Connection,
    Database,
    glance,
    is_conflict,
    is_locked,
    is_retryable,
    is_unavailable,
    said_by,
    take_your_time,
)
from gateway.db.resort import ResortShelf
from gateway.db.rows import CommandRow, FeedEntryRow, ResortVersionRow, TokenDocumentRow
from gateway.errors import Busy, Rejection, Unavailable, unstorable
from gateway.feed import Feed
from gateway.waiting import Answer, Waiting, answered, expanded, guarded, stored
from gateway.working_set import WorkingSet
from wallet.resort import Resort

_log = logging.getLogger(__name__)
_TRIES_MAX = 8
_LOOK_BACK_MAX = timedelta(days=60)
"""No edge is cut off for longer, and one whose clock lies must not load the uses of years."""
_RESORT = Key(KeyKind.RESORT, "current")


class Conveyor:
    """Carries out commands on one thread. Several processes may each have one on the same database."""

    def __init__(
        self,
        database: Database,
        feed: Feed,
        services: Mapping[str, Service[Any]],
        entropy: Entropy,
        *,
        queue_max: int = 2000,
        batch_max: int = 100,
        on_batch: Callable[[list[tuple[str, str]]], None] = lambda outcomes: None,
    ) -> None:
        self._database = database
        self._feed = feed
        self._services = services
        # The feed's own: how long a command is under way, and what `as_of` says, are one promise.
        self._clock = feed.clock
        self._entropy = entropy
        self._queue_max = queue_max
        self._batch_max = batch_max
        self._batch_now = batch_max
        """What a batch may hold at this moment: less than `batch_max` while the database is slow."""
        self._on_batch = on_batch
        self._queue: deque[Waiting] = deque()
        self._queued_weight = 0
        self._arrived = Condition()
        self._stopping = Event()
        self._shelf = ResortShelf()
        self._thread = Thread(target=self._run, name="conveyor", daemon=True)

    def start(self) -> None:
        """Begin to carry out what is submitted."""
        self._thread.start()

    def stop(self) -> None:
        """Carry out what still waits, then end."""
        with self._arrived:
            self._stopping.set()
            self._arrived.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return len(self._queue)

    def submit(self, name: str, command: Command[Any]) -> "Future[Answer]":
        """Put a command on the conveyor; the future gives its answer once it is committed, or the Rejection.

        Raises:
            Busy: too much work waits: a journal's batch counts as many times as it has entries.
        """
        service = self._services[name]
        asked_s = self._clock.elapsed_s()
        waiting = Waiting(service, command, command.body_hash(name), service.weight(command.body), asked_s)
        with self._arrived:
            # One that is heavier than the whole queue may come alone: it could never come otherwise.
            weight = self._queued_weight
            full = weight >= self._queue_max or (weight and weight + waiting.weight > self._queue_max)
            if self._stopping.is_set() or full:
                raise Busy()
            self._feed.asked(waiting, command.envelope.at)
            self._queue.append(waiting)
            self._queued_weight += waiting.weight
            self._arrived.notify()
        return waiting.future

    def call(self, name: str, command: Command[Any], timeout_s: float = 30.0) -> Answer:
        """Submit a command and wait for its answer."""
        return self.submit(name, command).result(timeout_s)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._gather():
            try:
                self._carry_out(batch)
                self._on_batch([(each.service.name, each.outcome_word) for each in batch])
            except Exception as error:
                # The thread outlives whatever happens: a conveyor that stands still would be worse than any error.
                _log.exception("a batch failed beyond its transaction")
                for each in batch:
                    if not each.future.done():
                        each.future.set_exception(error)
            finally:
                self._feed.settled(batch)

    def _gather(self) -> list[Waiting]:
        with self._arrived:
            self._arrived.wait_for(lambda: bool(self._queue) or self._stopping.is_set())
            batch: list[Waiting] = []
            weight = 0
            while self._queue and weight < self._batch_now:
                first = self._queue[0]
                weight += first.weight
                if batch and (first.service.alone or weight > self._batch_now):
                    break
                batch.append(self._queue.popleft())
                self._queued_weight -= first.weight
                if first.service.alone:
                    break
            return batch

    def _carry_out(self, waiting: list[Waiting]) -> None:
        batch = [each for each in waiting if self._is_in_time(each)]
        if not batch:
            return
        began_s = self._clock.elapsed_s()
        try:
            self._transaction(batch)
        except Exception as error:
            if isinstance(error, _TooLate):
                # By now all of it is too old to be tried alone: as large, the next would end like this one.
                self._batch_now = max(1, self._batch_now // 2)
            if len(batch) == 1:
                self._again(batch[0], error)
                return
            _log.warning("a batch of %d is carried out one by one: %r", len(batch), error)
            for each in self._carry_out_free(batch) if is_locked(error) else batch:
                self._carry_out([each])
            return
        if sum(each.weight for each in batch) >= self._batch_now:
            took_s = self._clock.elapsed_s() - began_s
            self._batch_now = min(self._batch_max, self._batch_now * (2 if took_s <= ROOM_TO_GROW_S else 1))
        self._tell(batch)

    def _carry_out_free(self, batch: Sequence[Waiting]) -> list[Waiting]:
        """Carry out what finds its locks free, and return the rest: nobody grows too old behind another's lock."""
        rest = []
        for each in batch:
            if not self._is_in_time(each):
                continue
            try:
                self._transaction([each], glances=True)
            except Exception:
                # Whatever it is, the rest is carried out once more, and answered then.
                rest.append(each)
            else:
                self._tell([each])
        return rest

    def _again(self, waiting: Waiting, error: Exception) -> None:
        """Carry out one command again while its transaction may still succeed."""
        for attempt in range(_TRIES_MAX):
            # A broken uniqueness may be another process that was faster with the same command: then the next try
            # finds its answer. Broken again, it is the command's own fault, and everyone behind it waits.
            if not is_retryable(error) or (attempt > 1 and is_conflict(error)):
                break
            # Jitter, so that two processes that met in a deadlock do not meet again.
            self._stopping.wait(0.002 * 2**attempt * (0.5 + self._entropy.draw(1)[0] / 255))
            if not self._is_in_time(waiting):
                return
            try:
                self._transaction([waiting])
            except Exception as next_error:
                error = next_error
                continue
            self._tell([waiting])
            return
        if isinstance(error, UNSTORABLE):
            error = unstorable()
        elif is_unavailable(error) or isinstance(error, _TooLate):
            _log.warning("%s %s is answered busy: %s", waiting.service.name, waiting.id, said_by(error))
            error = Busy() if isinstance(error, _TooLate) else Unavailable()
        else:
            _log.error("%s %s failed", waiting.service.name, waiting.id, exc_info=error)
        waiting.outcome = error
        waiting.tell()

    def _is_in_time(self, waiting: Waiting) -> bool:
        """Answer Busy to a command that has waited too long: carried out now, it would show later than `as_of` says."""
        if self._clock.elapsed_s() - waiting.asked_s <= QUEUED_MAX_S:
            return True
        waiting.outcome = Busy()
        waiting.tell()
        return False

    def _tell(self, batch: Sequence[Waiting]) -> None:
        """Give a batch its positions, then answer it, so that who wrote something can read it in the feed."""
        self._feed.settled(batch)
        try:
            self._feed.sweep()
        except Exception:
            _log.exception("the feed will be numbered by its next tick")
        for each in batch:
            each.tell()

    # --- one transaction ----------------------------------------------------------------------------------------------

    def _transaction(self, batch: Sequence[Waiting], *, glances: bool = False) -> None:
        with self._database.write() as connection:
            # A resort's load goes through every document: it takes its time, and everyone waits for it.
            hurried = [each for each in batch if not each.service.alone]
            if not hurried:
                take_your_time(connection)
            if glances:
                glance(connection)
            # The same command in another process: the second must find the answer, not decide on what it changed.
            locks.hold(connection, [f"COMMAND:{each.id}" for each in batch])
            known = load.answers(connection, {each.id for each in batch})
            fresh = [each for each in batch if not answered(each, known)]
            if not fresh:
                return
            state = self._loaded(connection, fresh)
            commands: list[CommandRow] = []
            entries: list[FeedEntryRow] = []
            for each in fresh:
                if each.outcome is None and not answered(each, known):
                    self._decide(connection, state, each, commands, entries)
                    known.update((row.id, row) for row in commands[-1:])
            inserts, updates = state.changes()
            write.write_rows(connection, inserts, updates)
            write.write_commands(connection, commands)
            write.write_feed(connection, entries)
            if self._database.is_sqlite:
                # The one writer holds the database, so commit order is the order here: no second commit needed.
                stored_feed.number(connection)
            if any(self._clock.elapsed_s() - each.asked_s > WRITTEN_WITHIN_S for each in hurried):
                raise _TooLate("it took too long to write")

    def _loaded(self, connection: Connection, batch: Sequence[Waiting]) -> WorkingSet:
        """Hold the keys kind by kind, in their order, and load what hangs on them; each may lead to later ones."""
        wanted: set[Key] = set()
        for each in batch:
            each.outcome = None
            wanted |= guarded(each, lambda each=each: each.service.keys(each.command.body))
        if _RESORT in wanted:
            locks.hold(connection, [_name(_RESORT)])
        else:
            locks.hold_shared(connection, _name(_RESORT))
        state = WorkingSet(self._shelf.current(connection))
        earliest = min(each.command.envelope.at for each in batch)
        since = max(min(each.since for each in batch), earliest - _LOOK_BACK_MAX)
        state.hold(key for key in wanted if key.kind < KeyKind.RESORT)
        wanted |= load.resolve(connection, [key for key in wanted if key.kind < KeyKind.RESORT])
        wanted |= expanded(batch, state, None)
        for kind in KeyKind:
            keys = {key for key in wanted if key.kind is kind}
            if kind < KeyKind.RESORT or not keys:
                continue
            if kind is not KeyKind.RESORT:
                locks.hold(connection, [_name(key) for key in keys])
            at = since if kind is KeyKind.TOKEN else earliest
            rows = load.load(connection, kind, {key.id for key in keys}, at)
            state.hold(keys)
            # A chip's media are their tokens' rows: they count as read only once the tokens are held.
            state.take(row for row in rows if kind is not KeyKind.CHIP)
            wanted |= load.leads_on(kind, rows) | expanded(batch, state, kind)
        return state

    def _decide(
        self,
        connection: Connection,
        state: WorkingSet,
        waiting: Waiting,
        commands: list[CommandRow],
        entries: list[FeedEntryRow],
    ) -> None:
        """Decide one command and apply its outcome to the working set; a refusal or an error leaves no trace there."""
        state.mark()
        name, command = waiting.service.name, waiting.command
        try:
            outcome = waiting.service.decide(state, command)
            books.check(state, outcome)
            state.put(outcome.rows)
            told = [publish.event_entry(name, command, event) for event in outcome.events]
            told += _documents(state, waiting, outcome)
            told += self._resort_changed(connection, state, waiting, outcome)
            answer: Answer = msgspec.json.decode(msgspec.json.encode(outcome.answer))
        except Rejection as rejection:
            state.undo()
            waiting.outcome = rejection
        except Exception as error:
            state.undo()
            _log.exception("%s %s could not be decided", name, waiting.id)
            waiting.outcome = error
        else:
            waiting.outcome = answer
            entries += told
            commands.append(stored(waiting, answer))

    def _resort_changed(
        self, connection: Connection, state: WorkingSet, waiting: Waiting, outcome: Outcome
    ) -> list[FeedEntryRow]:
        """Tell every edge of a new resort, and send the documents that other venues need from now on."""
        name, command = waiting.service.name, waiting.command
        told: list[FeedEntryRow] = []
        before = state.resort_or_none
        for version in outcome.rows:
            if not isinstance(version, ResortVersionRow):
                continue
            told.append(publish.resort_entry(name, command, version))
            page, after = load.documents(connection, "", 1000), ""
            while page:
                for row in page:
                    told += _rescoped(state, waiting, row, before, version.body)
                after = page[-1].token_id
                page = load.documents(connection, after, 1000)
        return told


def _documents(state: WorkingSet, waiting: Waiting, outcome: Outcome) -> list[FeedEntryRow]:
    """Publish the documents that an outcome has changed: no service can forget to."""
    told = []
    for token_id in publish.changed_tokens(outcome.rows):
        renewed = publish.renewed(state, token_id, waiting.command.envelope.at)
        if renewed is not None:
            row, scopes_before = renewed
            state.put([row])
            told.append(publish.token_entry(waiting.service.name, waiting.command, row, scopes_before))
    return told


def _rescoped(
    state: WorkingSet, waiting: Waiting, row: TokenDocumentRow, before: Resort | None, resort: Resort
) -> list[FeedEntryRow]:
    renewed = publish.rescoped(row, before, resort)
    if renewed is None:
        return []
    # Every other command shares the resort's lock, so holding it alone holds every token.
    state.hold([Key(KeyKind.TOKEN, row.token_id)])
    state.take([row])
    state.put([renewed])
    return [publish.token_entry(waiting.service.name, waiting.command, renewed, row.scopes)]


class _TooLate(Exception):
    """A transaction may not commit any more: what it holds would show later than `as_of` says."""


def _name(key: Key) -> str:
    return f"{key.kind.name}:{key.id}"
