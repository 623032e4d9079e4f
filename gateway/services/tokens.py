"""What a guest or the party's lead sets on a token: the PIN and the daily limit."""

from dataclasses import replace

import msgspec
from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.errors import Rejection
from gateway.services.booked import live_token, revoke, rights_of
from gateway.services.documents import entitlement_row
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.working_set import WorkingSet
from wallet.entitlement import Spending
from wallet.money import format_amount


class SetPin(Struct, frozen=True):
    """Set a token's PIN; only its verifier ever comes here."""

    token_id: str
    pin_verifier: str


class TokenSetPin(Service[SetPin]):
    """Sets the PIN that a till asks for; wrong tries are forgotten with the old one."""

    name = "token.set_pin"

    def keys(self, body: SetPin) -> frozenset[Key]:
        """The token."""
        return frozenset({Key(KeyKind.TOKEN, body.token_id)})

    def decide(self, state: WorkingSet, command: Command[SetPin]) -> Outcome:
        """Put the verifier."""
        draft = Draft(state)
        token, party = live_token(draft, command.body.token_id)
        draft.put(replace(token, pin_verifier=command.body.pin_verifier, pin_tries=0))
        event = Event("token.pin_set", {}, party_id=party.id, token_id=token.id)
        return Outcome({"token_id": token.id}, draft.rows, (event,))


class SetLimits(Struct, frozen=True):
    """Set how much a guest may charge in a day."""

    token_id: str
    daily_limit_minor: int


class TokenSetLimits(Service[SetLimits]):
    """Sets a guest's daily limit, from nothing up to what the resort allows a guest."""

    name = "token.set_limits"

    def keys(self, body: SetLimits) -> frozenset[Key]:
        """The token."""
        return frozenset({Key(KeyKind.TOKEN, body.token_id)})

    def decide(self, state: WorkingSet, command: Command[SetLimits]) -> Outcome:
        """Give the right to spend anew: taps made before are judged by the old limit."""
        body, draft, ids, at = command.body, Draft(state), Ids(command), command.envelope.at
        token, party = live_token(draft, body.token_id)
        most_minor = draft.resort.policies.guest_daily_limit_minor
        if not 0 <= body.daily_limit_minor <= most_minor:
            most = format_amount(most_minor, party.currency)
            raise Rejection(
                "limit_out_of_range", 422, f"A daily limit is at most {most}.", {"most_minor": most_minor}
            )
        old = [row for row in rights_of(draft, token.id, ("spending",)) if row.ends_at > at]
        if not old:
            raise Rejection(
                "no_spending", 409, "This guest can charge nothing to the room yet: check in first."
            )
        revoke(draft, old, at)
        for row in old:
            assert isinstance(row.body, Spending), "a row's kind is the tag of its body"
            right = msgspec.structs.replace(
                row.body, entitlement_id=ids.next(), daily_limit_minor=body.daily_limit_minor
            )
            draft.put(entitlement_row(token.id, right, made_at=at, resort=draft.resort))
        said = {"daily_limit_minor": body.daily_limit_minor, "currency": party.currency}
        event = Event("token.limits_set", said, party_id=party.id, token_id=token.id)
        return Outcome({"token_id": token.id} | said, draft.rows, (event,))
