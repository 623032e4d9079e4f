"""Journal entries that could not be applied: a person applies them once more, or dismisses them with a note."""

from dataclasses import replace
from datetime import datetime

import msgspec
from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service, set_aside_key
from gateway.db.rows import SetAsideRow, SetAsideState
from gateway.errors import Rejection
from gateway.services.draft import Draft
from gateway.services.holds import hold_accounts
from gateway.services.taps import ENTRY_FAULTS, TapHome
from gateway.working_set import WorkingSet
from wallet.journal import JournalEntry


class SettleSetAside(Struct, frozen=True):
    """Apply an entry once more, or dismiss it. Tap and token are those of the entry, so that they can be held."""

    edge: str
    epoch: str
    number: int
    replay: bool
    note: str
    tap_id: str = ""
    token_id: str = ""
    tapped_at: datetime | None = None


class SetAsideSettle(Service[SettleSetAside]):
    """Settles one entry that was set aside; a replay that fails again changes nothing and says why."""

    name = "set_aside.settle"

    def keys(self, body: SettleSetAside) -> frozenset[Key]:
        """The edge, the entry, and what the entry names."""
        keys = {Key(KeyKind.EDGE, body.edge), set_aside_key(body.edge, body.epoch, body.number)}
        if body.tap_id:
            keys.add(Key(KeyKind.TAP, body.tap_id))
        if body.token_id:
            keys.add(Key(KeyKind.TOKEN, body.token_id))
        return frozenset(keys)

    def expand(self, state: WorkingSet, body: SettleSetAside) -> frozenset[Key]:
        """The account that holds something for the tap."""
        return hold_accounts(state, [body.tap_id])

    def since(self, body: SettleSetAside) -> datetime | None:
        """When the tap was made."""
        return body.tapped_at

    def decide(self, state: WorkingSet, command: Command[SettleSetAside]) -> Outcome:
        """Apply or dismiss the entry."""
        body, draft = command.body, Draft(state)
        row = draft.get(SetAsideRow, body.edge, body.epoch, body.number)
        if row is None or row.state is not SetAsideState.WAITING:
            raise Rejection("not_waiting", 409, "This entry does not wait for anyone.")
        said = {"edge": body.edge, "epoch": body.epoch, "number": body.number, "note": body.note}
        if not body.replay:
            dismissed = replace(row, state=SetAsideState.DISMISSED, note=body.note)
            return Outcome(said, (dismissed,), (Event("journal.dismissed", said),))
        entry = msgspec.json.decode(row.entry, type=JournalEntry)
        try:
            events = TapHome(draft, command, 0, entry).apply()
        except ENTRY_FAULTS as fault:
            raise Rejection("cannot_apply", 409, f"The entry still cannot be applied: {fault}.") from None
        draft.put(replace(row, state=SetAsideState.REPLAYED, note=body.note))
        return Outcome(said, draft.rows, (*events, Event("journal.replayed", said)))
