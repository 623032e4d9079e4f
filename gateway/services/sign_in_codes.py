"""One-time codes with which a party signs in, given out by the desk."""

from datetime import timedelta

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import PartyRow, PartyState, SignInCodeRow
from gateway.errors import Rejection
from gateway.working_set import WorkingSet

CODE_LASTS = timedelta(hours=24)
"""How long a code from the desk is good."""


class MakeSignInCode(Struct, frozen=True):
    """Let a party sign in once more. The code itself is made in the route; only its hash comes here."""

    party_id: str
    code_hash: str


class SignInCodeMake(Service[MakeSignInCode]):
    """Gives a party a one-time code."""

    name = "sign_in_code.make"

    def keys(self, body: MakeSignInCode) -> frozenset[Key]:
        """The party."""
        return frozenset({Key(KeyKind.PARTY, body.party_id)})

    def decide(self, state: WorkingSet, command: Command[MakeSignInCode]) -> Outcome:
        """Put the code's hash."""
        party, at = state.need(PartyRow, command.body.party_id), command.envelope.at
        if party.state is PartyState.CANCELLED:
            raise Rejection("booking_cancelled", 409, "This booking was cancelled.")
        expires_at = at + CODE_LASTS
        code = SignInCodeRow(command.new_id(0), party.id, command.body.code_hash, at, expires_at)
        event = Event("sign_in_code.made", {"expires_at": expires_at.isoformat()}, party_id=party.id)
        return Outcome({"party_id": party.id, "expires_at": expires_at}, (code,), (event,))
