"""Conflicts: where an edge had approved what the gateway would have refused, until a person has looked at it."""

from dataclasses import replace

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import ConflictRow, ConflictState
from gateway.errors import Rejection
from gateway.working_set import WorkingSet


class ResolveConflict(Struct, frozen=True):
    """Someone has looked at a conflict and says what was done about it."""

    conflict_id: str
    note: str


class ConflictResolve(Service[ResolveConflict]):
    """Resolves a conflict with a note; it stays in the list of the resolved for ever."""

    name = "conflict.resolve"

    def keys(self, body: ResolveConflict) -> frozenset[Key]:
        """The conflict."""
        return frozenset({Key(KeyKind.CONFLICT, body.conflict_id)})

    def decide(self, state: WorkingSet, command: Command[ResolveConflict]) -> Outcome:
        """Resolve it once."""
        body, envelope = command.body, command.envelope
        conflict = state.need(ConflictRow, body.conflict_id)
        if conflict.state is ConflictState.RESOLVED:
            raise Rejection("already_resolved", 409, "This conflict was resolved before.")
        resolved = replace(
            conflict,
            state=ConflictState.RESOLVED,
            note=body.note,
            resolved_by=envelope.actor,
            resolved_at=envelope.at,
        )
        said = {"conflict_id": conflict.id, "note": body.note}
        event = Event("conflict.resolved", said, party_id=conflict.party_id, token_id=conflict.token_id)
        return Outcome(said, (resolved,), (event,))
