"""Signing in and out: one-time codes for guests, sessions for everyone."""

from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import GuestRow, PartyRow, PartyState, SessionRow, SignInCodeRow, StaffRow
from gateway.errors import Rejection
from gateway.working_set import WorkingSet


class GuestSignIn(Struct, frozen=True):
    """Sign a party's lead in. Code and session token come as hashes: what they are is nobody's business here."""

    booking_reference: str
    code_hash: str
    token_hash: str
    expires_at: datetime


class SignInGuest(Service[GuestSignIn]):
    """Opens a session for a booking reference and a one-time code, which is used up by it."""

    name = "session.open_guest"

    def keys(self, body: GuestSignIn) -> frozenset[Key]:
        """The party, and with it its codes."""
        return frozenset({Key(KeyKind.BOOKING, body.booking_reference)})

    def decide(self, state: WorkingSet, command: Command[GuestSignIn]) -> Outcome:
        """Use the code up and open the session."""
        body, at = command.body, command.envelope.at
        fitting = [
            code
            for party in state.find(PartyRow, booking_reference=body.booking_reference)
            if party.state is not PartyState.CANCELLED
            for code in state.find(SignInCodeRow, party_id=party.id)
            if code.code_hash == body.code_hash and code.used_at is None and at < code.expires_at
        ]
        if not fitting:
            # One answer for every cause: who guesses learns nothing.
            raise Rejection(
                "sign_in_refused", 401, "Booking reference and code do not fit, or the code was used."
            )
        code = fitting[0]
        (lead,) = state.find(GuestRow, party_id=code.party_id, lead=True)
        subject = f"guest:{lead.id}"
        session = SessionRow(body.token_hash, subject, ("guest",), code.party_id, at, body.expires_at)
        event = Event("session.opened", {"guest_id": lead.id}, code.party_id)
        answer = {"party_id": code.party_id, "guest_id": lead.id, "expires_at": body.expires_at}
        return Outcome(answer, (replace(code, used_at=at), session), (event,))


class StaffSignIn(Struct, frozen=True):
    """Open a session for a member of staff whose password was found right.

    `name` and `password_hash` are those it was checked with; a simulation's own session, of no account, has none.
    """

    staff_id: str
    roles: tuple[str, ...]
    token_hash: str
    expires_at: datetime
    name: str = ""
    password_hash: str = ""


class SignInStaff(Service[StaffSignIn]):
    """Opens a session for a member of staff, unless the account was closed or got another password meanwhile."""

    name = "session.open_staff"

    def keys(self, body: StaffSignIn) -> frozenset[Key]:
        """The account, if it is of one; a session is new."""
        return frozenset({Key(KeyKind.STAFF, body.name)} if body.name else ())

    def decide(self, state: WorkingSet, command: Command[StaffSignIn]) -> Outcome:
        """Open the session."""
        body, at = command.body, command.envelope.at
        if body.name:
            members = state.find(StaffRow, name=body.name)
            if not any(each.password_hash == body.password_hash and not each.closed for each in members):
                raise Rejection("sign_in_refused", 401, "Name and password do not fit.")
            # The clock of who changed the password may be a little ahead of this one.
            at = max(at, members[0].made_at)
        subject = f"staff:{body.staff_id}"
        session = SessionRow(body.token_hash, subject, body.roles, None, at, body.expires_at)
        return Outcome({"roles": list(body.roles), "expires_at": body.expires_at}, (session,))


class SignOut(Struct, frozen=True):
    """End a session."""

    token_hash: str


class EndSession(Service[SignOut]):
    """Ends a session at once; ending it again changes nothing."""

    name = "session.end"

    def keys(self, body: SignOut) -> frozenset[Key]:
        """The session."""
        return frozenset({Key(KeyKind.SESSION, body.token_hash)})

    def decide(self, state: WorkingSet, command: Command[SignOut]) -> Outcome:
        """End it."""
        session = state.get(SessionRow, command.body.token_hash)
        if session is None or session.ended_at is not None:
            return Outcome({"ended": False})
        return Outcome({"ended": True}, (replace(session, ended_at=command.envelope.at),))
