"""A person's data: emptied on demand, without touching anything that is counted or owed."""

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import GuestRow, PersonRow
from gateway.working_set import WorkingSet


class Forget(Struct, frozen=True):
    """Forget who a guest is."""

    guest_id: str


class ForgetPerson(Service[Forget]):
    """Empties the person's row and nothing else: ledger, journals and feed name pseudonymous ids only."""

    name = "person.forget"

    def keys(self, body: Forget) -> frozenset[Key]:
        """The guest's party, and with it the person."""
        return frozenset({Key(KeyKind.GUEST, body.guest_id)})

    def decide(self, state: WorkingSet, command: Command[Forget]) -> Outcome:
        """Empty the row."""
        guest = state.need(GuestRow, command.body.guest_id)
        at = command.envelope.at
        event = Event("person.forgotten", {"guest_id": guest.id}, guest.party_id)
        return Outcome(
            {"guest_id": guest.id, "forgotten_at": at}, (PersonRow(guest.id, forgotten_at=at),), (event,)
        )
