"""Writing a band or card: the desk asks, the encoder's edge gets a credential for the chip it holds, and confirms."""

from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import (
    EncodingRow,
    EncodingState,
    EntitlementRow,
    IssuerKeyRow,
    IssuerKeyState,
    MediumRow,
    PartyRow,
)
from gateway.errors import Rejection
from gateway.services.booked import live_token
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.passes import chip_expires_at, rights_in_force
from gateway.working_set import WorkingSet
from wallet.credential import Credential, medium_tag
from wallet.grants import grants_for
from wallet.medium import MediumKind, MediumState
from wallet.resort import Resort, TouchpointKind


class RequestEncoding(Struct, frozen=True):
    """Write a token onto a band or card at an encoder."""

    token_id: str
    encoder: str
    kind: MediumKind


class EncodingRequest(Service[RequestEncoding]):
    """Asks an encoder to write a medium. The same wish again takes the place of the one still waiting."""

    name = "encoding.request"

    def keys(self, body: RequestEncoding) -> frozenset[Key]:
        """The token."""
        return frozenset({Key(KeyKind.TOKEN, body.token_id)})

    def decide(self, state: WorkingSet, command: Command[RequestEncoding]) -> Outcome:
        """Put the job."""
        body, draft, at = command.body, Draft(state), command.envelope.at
        token, party = live_token(draft, body.token_id)
        if body.kind is MediumKind.PHONE:
            raise Rejection("not_a_chip", 422, "A phone needs no encoder: add it to the guest.")
        encoder_venue(draft.resort, body.encoder)
        for job in draft.find(EncodingRow, token_id=token.id):
            if job.encoder == body.encoder and job.kind is body.kind and is_open(job):
                _drop(draft, job, command)
                replaced = "It was asked for again."
                draft.put(replace(job, state=EncodingState.FAILED, changed_at=at, sentence=replaced))
        row = EncodingRow(
            id=command.new_id(0),
            token_id=token.id,
            party_id=party.id,
            encoder=body.encoder,
            kind=body.kind,
            state=EncodingState.WAITING,
            asked_at=at,
        )
        draft.put(row)
        said = {"encoding_id": row.id, "encoder": row.encoder, "kind": row.kind.value}
        event = Event("encoding.requested", said, party_id=party.id, token_id=token.id)
        return Outcome(said | {"state": row.state.value}, draft.rows, (event,))


class IssueEncoding(Struct, frozen=True):
    """The encoder holds this chip: what is to be written onto it?"""

    encoding_id: str
    chip_uid: str
    venue: str


class EncodingIssue(Service[IssueEncoding]):
    """Binds the chip to the token as a pending medium. The same chip again gets the same claims."""

    name = "encoding.issue"

    def keys(self, body: IssueEncoding) -> frozenset[Key]:
        """The token, whoever else is on this chip, and the keys that sign."""
        return frozenset(
            {
                Key(KeyKind.ENCODING, body.encoding_id),
                Key(KeyKind.CHIP, body.chip_uid),
                Key(KeyKind.ISSUER, "keys"),
            }
        )

    def decide(self, state: WorkingSet, command: Command[IssueEncoding]) -> Outcome:
        """Put the pending medium and answer its claims; the route signs them, so that no credential is stored."""
        body, draft, at = command.body, Draft(state), command.envelope.at
        job = _job(draft, body.encoding_id, body.venue)
        token, party = live_token(draft, job.token_id)
        again = job.chip_uid == body.chip_uid and job.state in (EncodingState.ISSUED, EncodingState.DONE)
        if again:
            return Outcome(_claims(draft, job, state.need(MediumRow, job.medium_id), party))
        if not is_open(job):
            raise Rejection("not_waiting", 409, "This band was written already, or asked for again.")
        _take_over_chip(draft, body.chip_uid, token.id, command)
        _drop(draft, job, command)
        medium = MediumRow(
            id=Ids(command).next(),
            token_id=token.id,
            kind=job.kind,
            state=MediumState.PENDING,
            # A credential tells seconds only, and the same chip must get the same bytes.
            issued_at=at.replace(microsecond=0),
            chip_uid=body.chip_uid,
        )
        issued = replace(
            job,
            state=EncodingState.ISSUED,
            medium_id=medium.id,
            chip_uid=body.chip_uid,
            changed_at=at,
            sentence="",
        )
        draft.put(medium, issued)
        said = {"encoding_id": job.id, "medium_id": medium.id, "kind": job.kind.value, "encoder": job.encoder}
        event = Event("encoding.issued", said, party_id=party.id, token_id=token.id)
        return Outcome(_claims(draft, issued, medium, party), draft.rows, (event,))


class ConfirmEncoding(Struct, frozen=True):
    """What became of writing the chip."""

    encoding_id: str
    venue: str
    ok: bool
    sentence: str = ""


class EncodingConfirm(Service[ConfirmEncoding]):
    """Lets the written medium through from now on; after a failure the job waits for another chip."""

    name = "encoding.confirm"

    def keys(self, body: ConfirmEncoding) -> frozenset[Key]:
        """The token."""
        return frozenset({Key(KeyKind.ENCODING, body.encoding_id)})

    def decide(self, state: WorkingSet, command: Command[ConfirmEncoding]) -> Outcome:
        """Activate the medium, or drop it."""
        body, draft, at = command.body, Draft(state), command.envelope.at
        job = _job(draft, body.encoding_id, body.venue)
        medium = draft.get(MediumRow, job.medium_id) if job.medium_id else None
        # A tap may have shown before the encoder could tell it that the band was written: no word of failure undoes it.
        written = body.ok or (medium is not None and medium.state is MediumState.ACTIVE)
        if job.state is EncodingState.DONE and written:
            return Outcome(_state(job))
        if job.state is not EncodingState.ISSUED:
            raise Rejection("not_issued", 409, "No credential was issued for this band.")
        if written:
            if medium is None or medium.state is MediumState.REVOKED:
                raise Rejection("medium_revoked", 409, "This band was turned off before it was finished.")
            activate(draft, medium, command)
            changed = draft.get(EncodingRow, job.id) or job
            kind, said = "medium.activated", {"medium_id": job.medium_id, "kind": job.kind.value}
        else:
            _drop(draft, job, command)
            changed = replace(
                job,
                state=EncodingState.WAITING,
                medium_id="",
                chip_uid="",
                changed_at=at,
                sentence=body.sentence,
            )
            draft.put(changed)
            kind, said = "encoding.failed", {"encoding_id": job.id, "sentence": body.sentence}
        event = Event(kind, said | {"encoder": job.encoder}, party_id=job.party_id, token_id=job.token_id)
        return Outcome(_state(changed), draft.rows, (event,))


def is_open(job: EncodingRow) -> bool:
    """Return whether a job still waits for a chip, or for a chip to be read back."""
    return job.state in (EncodingState.WAITING, EncodingState.ISSUED)


def activate(draft: Draft, medium: MediumRow, command: Command[Any]) -> None:
    """Let a medium through that was written, and close its job, so that no other chip gets what it carries."""
    # Whatever this chip carried of the same guest before has been written over.
    for older in draft.find(MediumRow, chip_uid=medium.chip_uid) if medium.chip_uid else ():
        others = older.id != medium.id and older.token_id == medium.token_id
        if others and older.state is MediumState.ACTIVE:
            _revoke(draft, older, command)
    for job in draft.find(EncodingRow, token_id=medium.token_id):
        if job.medium_id == medium.id and job.state is EncodingState.ISSUED:
            draft.put(replace(job, state=EncodingState.DONE, changed_at=command.envelope.at, sentence=""))
    draft.put(replace(medium, state=MediumState.ACTIVE))


def encoder_venue(resort: Resort, touchpoint_id: str) -> str:
    """Return the venue of an encoder.

    Raises:
        Rejection: there is no encoder of that id.
    """
    try:
        touchpoint = resort.touchpoint(touchpoint_id)
    except KeyError:
        touchpoint = None
    if touchpoint is None or touchpoint.kind is not TouchpointKind.ENCODER:
        raise Rejection("unknown_encoder", 422, f"There is no encoder {touchpoint_id!r} here.")
    return touchpoint.venue


def _job(draft: Draft, encoding_id: str, venue: str) -> EncodingRow:
    """Return a job of the edge's own venue; another's does not exist for it."""
    job = draft.get(EncodingRow, encoding_id)
    if job is None or encoder_venue(draft.resort, job.encoder) != venue:
        raise Rejection("not_found", 404, f"There is no encoding {encoding_id!r}.")
    return job


def _take_over_chip(draft: Draft, chip_uid: str, token_id: str, command: Command[Any]) -> None:
    """Refuse a chip that is somebody else's; a medium that never was finished on it goes."""
    for medium in draft.find(MediumRow, chip_uid=chip_uid):
        if medium.token_id == token_id or medium.state is MediumState.REVOKED:
            continue
        if medium.state is MediumState.ACTIVE:
            raise Rejection("chip_in_use", 409, "This band is another guest's. Take another one.")
        _revoke(draft, medium, command)


def _drop(draft: Draft, job: EncodingRow, command: Command[Any]) -> None:
    """Drop the pending medium of a job, if it has one."""
    medium = draft.get(MediumRow, job.medium_id) if job.medium_id else None
    if medium is not None and medium.state is MediumState.PENDING:
        _revoke(draft, medium, command)


def _revoke(draft: Draft, medium: MediumRow, command: Command[Any]) -> None:
    draft.put(replace(medium, state=MediumState.REVOKED, revoked_at=command.envelope.at))


def _claims(draft: Draft, job: EncodingRow, medium: MediumRow, party: PartyRow) -> dict[str, Any]:
    keys = draft.find(IssuerKeyRow, state=IssuerKeyState.ACTIVE)
    assert keys, "a started gateway has an issuer key"
    key = max(keys, key=lambda key: key.epoch)
    rights = rights_in_force(draft.find(EntitlementRow, token_id=job.token_id))
    credential = Credential(
        token_id=job.token_id,
        medium_tag=medium_tag(medium.id),
        chip_uid=medium.chip_uid,
        issued_at=medium.issued_at,
        expires_at=chip_expires_at(draft.resort, party),
        epoch=key.epoch,
        key_id=key.key_id,
        grants=grants_for(rights, medium.issued_at, draft.resort),
    )
    return {"medium_id": medium.id, "claims": msgspec.to_builtins(credential)}


def _state(job: EncodingRow) -> dict[str, Any]:
    return {"encoding_id": job.id, "state": job.state.value, "medium_id": job.medium_id or None}
