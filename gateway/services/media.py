"""Media of a token: a phone is added at once and bound to its own key; any medium is turned off alone, for ever."""

from dataclasses import replace
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import MediumRow, TokenRow
from gateway.errors import Rejection
from gateway.services.booked import live_token
from gateway.services.draft import Draft
from gateway.working_set import WorkingSet
from wallet.medium import MediumKind, MediumState

PHONES_MAX = 5
"""Most phones that carry one token at the same time."""


class AddPhone(Struct, frozen=True):
    """Let a phone carry a token too."""

    token_id: str


class MediumAddPhone(Service[AddPhone]):
    """Adds a phone to a token. It turns off nothing."""

    name = "medium.add_phone"

    def keys(self, body: AddPhone) -> frozenset[Key]:
        """The token."""
        return frozenset({Key(KeyKind.TOKEN, body.token_id)})

    def decide(self, state: WorkingSet, command: Command[AddPhone]) -> Outcome:
        """Put the medium, active."""
        draft = Draft(state)
        token, party = live_token(draft, command.body.token_id)
        phones = [
            medium
            for medium in draft.find(MediumRow, token_id=token.id)
            if medium.kind is MediumKind.PHONE and medium.state is MediumState.ACTIVE
        ]
        if len(phones) >= PHONES_MAX:
            sentence = f"This guest has {PHONES_MAX} phones already. Turn one off first."
            raise Rejection("phones_max", 409, sentence)
        medium = MediumRow(
            command.new_id(0), token.id, MediumKind.PHONE, MediumState.ACTIVE, command.envelope.at
        )
        draft.put(medium)
        said = {"medium_id": medium.id, "kind": medium.kind.value}
        event = Event("medium.added", said, party_id=party.id, token_id=token.id)
        return Outcome({"token_id": token.id} | said, draft.rows, (event,))


class DeviceKey(Struct, frozen=True):
    """Bind a phone to its own key: P-256, compressed, hex. That the phone has the other half was checked before."""

    medium_id: str
    public_key: str


class MediumSetDeviceKey(Service[DeviceKey]):
    """Gives a phone the key that signs its codes, once; the same key again changes nothing."""

    name = "medium.set_device_key"

    def keys(self, body: DeviceKey) -> frozenset[Key]:
        """The token that it carries."""
        return frozenset({Key(KeyKind.MEDIUM, body.medium_id)})

    def decide(self, state: WorkingSet, command: Command[DeviceKey]) -> Outcome:
        """Put the key."""
        body, draft = command.body, Draft(state)
        medium = state.need(MediumRow, body.medium_id)
        _, party = live_token(draft, medium.token_id)
        if medium.kind is not MediumKind.PHONE:
            raise Rejection("not_a_phone", 409, "Only a phone has a key of its own.")
        if medium.state is not MediumState.ACTIVE:
            raise Rejection("medium_revoked", 409, "This phone was turned off. Please add it as a new one.")
        if medium.device_key not in ("", body.public_key):
            sentence = (
                "This pass belongs to another phone. Turn that one off, and add this phone as a new one."
            )
            raise Rejection("device_key_set", 409, sentence)
        answer = {"medium_id": medium.id, "token_id": medium.token_id, "device_key": body.public_key}
        if medium.device_key:
            return Outcome(answer)
        draft.put(replace(medium, device_key=body.public_key))
        said = {"medium_id": medium.id, "kind": medium.kind.value}
        event = Event("medium.bound", said, party_id=party.id, token_id=medium.token_id)
        return Outcome(answer, draft.rows, (event,))


class RevokeMedium(Struct, frozen=True):
    """Turn a medium off."""

    medium_id: str
    note: str = ""


class MediumRevoke(Service[RevokeMedium]):
    """Turns a medium off; nothing turns it on again, and turning it off again changes nothing."""

    name = "medium.revoke"

    def keys(self, body: RevokeMedium) -> frozenset[Key]:
        """The token that it carries."""
        return frozenset({Key(KeyKind.MEDIUM, body.medium_id)})

    def decide(self, state: WorkingSet, command: Command[RevokeMedium]) -> Outcome:
        """Revoke it as of now."""
        body, draft, at = command.body, Draft(state), command.envelope.at
        medium = state.need(MediumRow, body.medium_id)
        if medium.state is MediumState.REVOKED:
            return Outcome(_answer(medium))
        revoked = replace(medium, state=MediumState.REVOKED, revoked_at=at, note=body.note)
        draft.put(revoked)
        said = {"medium_id": medium.id, "kind": medium.kind.value}
        party_id = _party_of(draft, medium.token_id)
        event = Event("medium.revoked", said, party_id=party_id, token_id=medium.token_id)
        return Outcome(_answer(revoked), draft.rows, (event,))


def _party_of(draft: Draft, token_id: str) -> str:
    """Return the party that a token belongs to, cancelled or not."""
    token = draft.get(TokenRow, token_id)
    assert token is not None, "a medium's token is held with it"
    return token.party_id


def _answer(medium: MediumRow) -> dict[str, Any]:
    return {
        "medium_id": medium.id,
        "token_id": medium.token_id,
        "kind": medium.kind.value,
        "state": medium.state.value,
        "revoked_at": medium.revoked_at,
    }
