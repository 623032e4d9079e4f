"""Members of staff: who may sign in, and with which roles."""

from dataclasses import replace

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import StaffRow
from gateway.errors import not_found
from gateway.working_set import WorkingSet


class NewStaff(Struct, frozen=True):
    """Let someone sign in, or change the password and roles of someone who may."""

    name: str
    password_hash: str
    roles: tuple[str, ...]


class AddStaff(Service[NewStaff]):
    """Makes a member of staff, or gives one a new password and other roles.

    A new password, and opening a closed account again, end every session from before; other roles alone do not.
    """

    name = "staff.add"

    def keys(self, body: NewStaff) -> frozenset[Key]:
        """The name."""
        return frozenset({Key(KeyKind.STAFF, body.name)})

    def decide(self, state: WorkingSet, command: Command[NewStaff]) -> Outcome:
        """Put the row."""
        body = command.body
        known = state.find(StaffRow, name=body.name)
        if known:
            row = replace(known[0], password_hash=body.password_hash, roles=body.roles, closed=False)
            if known[0].closed or known[0].password_hash != body.password_hash:
                row = replace(row, made_at=command.envelope.at)
        else:
            row = StaffRow(command.new_id(0), body.name, body.password_hash, body.roles, command.envelope.at)
        event = Event(
            "staff.changed" if known else "staff.added", {"staff_id": row.id, "roles": list(body.roles)}
        )
        return Outcome({"staff_id": row.id, "name": row.name, "roles": list(row.roles)}, (row,), (event,))


class FormerStaff(Struct, frozen=True):
    """Let someone in no longer."""

    name: str


class CloseStaff(Service[FormerStaff]):
    """Closes a member of staff: no sign-in from now on, and every session of theirs is over; `add` opens again."""

    name = "staff.close"

    def keys(self, body: FormerStaff) -> frozenset[Key]:
        """The name."""
        return frozenset({Key(KeyKind.STAFF, body.name)})

    def decide(self, state: WorkingSet, command: Command[FormerStaff]) -> Outcome:
        """Close the row; closing it again changes nothing."""
        known = state.find(StaffRow, name=command.body.name)
        if not known:
            raise not_found("member of staff", command.body.name)
        answer = {"staff_id": known[0].id, "name": known[0].name, "closed": True}
        if known[0].closed:
            return Outcome(answer)
        event = Event("staff.closed", {"staff_id": known[0].id})
        return Outcome(answer, (replace(known[0], closed=True),), (event,))
