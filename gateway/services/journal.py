"""Taps come home: an edge's journal is taken without gaps, each tap counted once, each difference filed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service, journal_key
from gateway.db.rows import EdgeRow, EdgeState, JournalHeadRow, SetAsideRow, TapRow
from gateway.errors import Rejection
from gateway.services.draft import Draft
from gateway.services.holds import hold_accounts
from gateway.services.presented import chips_to_activate, keys_of_presented
from gateway.services.taps import ENTRY_FAULTS, TapHome
from gateway.working_set import WorkingSet
from wallet.ids import is_id
from wallet.journal import (
    GENESIS,
    JournalBatch,
    JournalEntry,
    JournalFault,
    JournalReceipt,
    encode_entry,
    follow,
)
from wallet.snapshot import WIRE_VERSION

ENTRIES_MAX = 1000
"""Most entries of one batch."""


class TakeJournal(Struct, frozen=True):
    """A batch of an edge's journal, as the edge signed it."""

    batch: JournalBatch


class JournalTake(Service[TakeJournal]):
    """Takes the entries that continue the known journal; what is known already is skipped, a gap or fork is refused."""

    name = "journal.take"

    def keys(self, body: TakeJournal) -> frozenset[Key]:
        """The edge, every tap and token that the entries name, and what was shown at them."""
        batch = body.batch
        keys = {Key(KeyKind.EDGE, batch.edge)}
        for entry in batch.entries:
            if entry.token_id:
                keys.add(Key(KeyKind.TOKEN, entry.token_id))
            if entry.tap is not None:
                keys.add(Key(KeyKind.TAP, entry.tap.tap_id))
        return frozenset(keys) | keys_of_presented(entry.tap for entry in batch.entries if entry.tap)

    def expand(self, state: WorkingSet, body: TakeJournal) -> frozenset[Key]:
        """The accounts that hold something for the taps, chips that a tap may confirm, and what is known already."""
        batch = body.batch
        found = chips_to_activate(state, (entry.token_id for entry in batch.entries))
        found |= hold_accounts(state, (entry.tap.tap_id for entry in batch.entries if entry.tap is not None))
        head = state.get(JournalHeadRow, batch.edge, batch.epoch)
        if head is None or not batch.entries or not 0 < batch.entries[0].number <= head.number:
            return found
        # The one behind the last, too: it names what the chain was before it.
        last = min(batch.entries[-1].number, head.number) + 1
        return found | {journal_key(batch.edge, batch.epoch, batch.entries[0].number, last)}

    def since(self, body: TakeJournal) -> datetime | None:
        """An edge may have been cut off for days: what its guests used on those days decides their taps."""
        return min((entry.tap.at for entry in body.batch.entries if entry.tap is not None), default=None)

    def weight(self, body: TakeJournal) -> int:
        """Each entry is as much work as a command."""
        return max(1, len(body.batch.entries))

    def decide(self, state: WorkingSet, command: Command[TakeJournal]) -> Outcome:
        """Apply what is new, entry by entry; an entry that cannot be applied is set aside and blocks nobody."""
        batch, draft = command.body.batch, Draft(state)
        _check(draft, batch)
        head = draft.get(JournalHeadRow, batch.edge, batch.epoch)
        number, chain = (head.number, head.head) if head else (0, GENESIS)
        if not batch.entries:
            return Outcome(_receipt(batch, number, chain, ()))
        try:
            _follows(draft, batch, number, chain)
        except JournalFault as fault:
            code = "journal_gap" if batch.entries[0].number > number + 1 else "journal_fork"
            raise _broken(batch, code, number, chain, str(fault)) from None
        fresh = tuple(entry for entry in batch.entries if entry.number > number)
        last = batch.entries[-1]
        if not fresh:
            # As far as it was brought now: what follows from the entries behind it may not be done yet.
            return Outcome(_receipt(batch, last.number, batch.head, ()))
        events: list[Event] = []
        aside: list[int] = []
        for index, entry in enumerate(fresh):
            mark = draft.mark()
            try:
                events += TapHome(draft, command, index, entry).apply()
            except ENTRY_FAULTS as fault:
                draft.take_back(mark)
                events.append(_set_aside(draft, command, entry, str(fault)))
                aside.append(entry.number)
        draft.put(JournalHeadRow(batch.edge, batch.epoch, last.number, batch.head, last.at))
        return Outcome(_receipt(batch, last.number, batch.head, aside), draft.rows, tuple(events))


def _check(draft: Draft, batch: JournalBatch) -> None:
    if batch.wire > WIRE_VERSION:
        raise Rejection(
            "wire_too_new", 409, f"This gateway reads wire version {WIRE_VERSION}; update it first."
        )
    if len(batch.entries) > ENTRIES_MAX:
        raise Rejection(
            "batch_too_large", 413, f"A batch holds {ENTRIES_MAX} entries at most; send less at once."
        )
    for entry in batch.entries:
        if (entry.edge, entry.epoch) != (batch.edge, batch.epoch):
            raise Rejection(
                "journal_mixed", 422, "Every entry of a batch is of the batch's own edge and epoch."
            )
        if entry.number < 1:
            raise Rejection("journal_number", 422, "A journal's entries are numbered from 1 on.")
    if not is_id(batch.epoch):
        raise Rejection("journal_epoch", 422, "An epoch is the id that the edge made for its journal.")
    edge = draft.get(EdgeRow, batch.edge)
    if edge is None or edge.state is not EdgeState.ENROLLED:
        raise Rejection("edge_not_enrolled", 403, f"The edge {batch.edge!r} is not enrolled here.")


def _follows(draft: Draft, batch: JournalBatch, number: int, chain: str) -> None:
    """Do nothing if the batch continues the journal known up to `number`, or repeats a part of it word for word.

    Raises:
        JournalFault: a gap, or another story than the one that is known.
    """
    first, last = batch.entries[0], batch.entries[-1]
    if first.number > number + 1:
        raise JournalFault(f"entry {first.number} follows {number}: expected {number + 1}")
    if follow(batch.entries, first.number - 1, first.previous) != batch.head:
        raise JournalFault("its last entry is not the one that the edge chained")
    if first.number == 1 and first.previous != GENESIS:
        raise JournalFault("its first entry follows another one")
    known = tuple(entry for entry in batch.entries if entry.number <= number)
    if last.number >= number:
        # The chain value at `number` stands for every entry before it.
        if follow(known, first.number - 1, first.previous) != chain:
            raise JournalFault(f"it tells another story up to entry {number}")
        return
    stored = {row.number: row.entry for row in draft.find(TapRow, edge=batch.edge, epoch=batch.epoch)}
    for entry in known:
        if stored.get(entry.number, entry) != entry:
            raise JournalFault(f"it tells another entry {entry.number}")
    after = stored.get(last.number + 1)
    if after is not None and after.previous != batch.head:
        raise JournalFault(f"it tells another story up to entry {last.number}")


def _broken(batch: JournalBatch, code: str, number: int, chain: str, why: str) -> Rejection:
    detail = {"acknowledged": number, "head": chain}
    return Rejection(code, 409, f"The journal of {batch.edge} does not continue: {why}.", detail)


def _set_aside(draft: Draft, command: Command[TakeJournal], entry: JournalEntry, sentence: str) -> Event:
    text = encode_entry(entry).decode()
    draft.put(SetAsideRow(entry.edge, entry.epoch, entry.number, text, sentence, command.envelope.at))
    body: dict[str, Any] = {
        "edge": entry.edge,
        "epoch": entry.epoch,
        "number": entry.number,
        "sentence": sentence,
        "tap_id": entry.tap.tap_id if entry.tap else None,
    }
    return Event("journal.set_aside", body)


def _receipt(batch: JournalBatch, number: int, chain: str, aside: Iterable[int]) -> dict[str, Any]:
    receipt = JournalReceipt(batch.edge, batch.epoch, number, chain, tuple(aside))
    built: dict[str, Any] = msgspec.to_builtins(receipt)
    return built
