"""Writing a band or card: the desk asks, the encoder's edge gets a credential for the chip it holds, and confirms."""

from dataclasses import replace
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import (
    ChipRow,
    ChipState,
    EncodingCause,
    EncodingRow,
    EncodingState,
    MediumRow,
    PartyRow,
)
from gateway.errors import Rejection
from gateway.services.booked import live_token
from gateway.services.claims import claims_for, in_force, issue_of, told
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.passes import CHIP_WITH_KEYS
from gateway.working_set import WorkingSet
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
            asked = job.cause is EncodingCause.ASKED and is_open(job)
            if asked and (job.encoder, job.kind) == (body.encoder, body.kind):
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
    chip_kind: str = ""


class EncodingIssue(Service[IssueEncoding]):
    """Binds the chip to the token as a pending medium. The same chip again gets the same claims.

    A medium that is refreshed stays in service all the while, and stays the same medium.
    """

    name = "encoding.issue"

    def keys(self, body: IssueEncoding) -> frozenset[Key]:
        """The token, whoever else is on this chip, the chip, and the keys."""
        return frozenset(
            {
                Key(KeyKind.ENCODING, body.encoding_id),
                Key(KeyKind.CHIP, body.chip_uid),
                Key(KeyKind.STOCK, body.chip_uid),
                Key(KeyKind.ISSUER, "keys"),
            }
        )

    def decide(self, state: WorkingSet, command: Command[IssueEncoding]) -> Outcome:
        """Put the pending medium and answer its claims; the route signs them, so that no credential is stored.

        Nor is any key: the answer names epochs, of which the route makes the keys anew.
        """
        body, draft = command.body, Draft(state)
        job = _job(draft, body.encoding_id, body.venue)
        token, party = live_token(draft, job.token_id)
        _check_kind(draft, body)
        same = job.chip_uid == body.chip_uid and bool(job.medium_id)
        if same and job.state is EncodingState.DONE and job.issued is not None:
            return Outcome(told(draft, job, party, body.chip_kind))
        if not is_open(job):
            raise Rejection("not_waiting", 409, "This band was written already, or asked for again.")
        if not same:
            _bind(draft, job, command)
        elif job.state is EncodingState.ISSUED and job.issued is not None:
            claims = claims_for(draft, job, party, job.issued.at, body.chip_kind)
            if issue_of(draft, claims, body.chip_kind) == job.issued:
                return Outcome(told(draft, job, party, body.chip_kind))
        job = _issued(draft, job.id, party, command)
        said = {
            "encoding_id": job.id,
            "medium_id": job.medium_id,
            "kind": job.kind.value,
            "encoder": job.encoder,
        }
        event = Event("encoding.issued", said, party_id=party.id, token_id=token.id)
        return Outcome(told(draft, job, party, body.chip_kind), draft.rows, (event,))


class ConfirmEncoding(Struct, frozen=True):
    """What became of writing the chip; `medium_id` is the one that was issued for it, if the encoder says so."""

    encoding_id: str
    venue: str
    ok: bool
    sentence: str = ""
    medium_id: str = ""


class EncodingConfirm(Service[ConfirmEncoding]):
    """Lets the written medium through from now on; after a failure the job waits for another chip."""

    name = "encoding.confirm"

    def keys(self, body: ConfirmEncoding) -> frozenset[Key]:
        """The token, and the keys."""
        return frozenset({Key(KeyKind.ENCODING, body.encoding_id), Key(KeyKind.ISSUER, "keys")})

    def expand(self, state: WorkingSet, body: ConfirmEncoding) -> frozenset[Key]:
        """The chip that it was written onto."""
        job = state.get(EncodingRow, body.encoding_id)
        return frozenset({Key(KeyKind.STOCK, job.chip_uid)} if job is not None and job.chip_uid else ())

    def decide(self, state: WorkingSet, command: Command[ConfirmEncoding]) -> Outcome:
        """Activate the medium, or drop it."""
        body, draft = command.body, Draft(state)
        job = _job(draft, body.encoding_id, body.venue)
        if body.medium_id and body.medium_id != job.medium_id:
            # Another chip was taken since, or this one was given up: what is told of it is none of the job's business.
            raise Rejection(
                "other_chip", 409, "This is not the band that was issued last. Hold it there again."
            )
        medium = draft.get(MediumRow, job.medium_id) if job.medium_id else None
        # A tap may have shown before the encoder could tell it that the band was written: no word of failure undoes it.
        # A band that is only brought up to date was in service before, which says nothing of what was written now.
        in_service = medium is not None and medium.state is MediumState.ACTIVE
        written = body.ok or (in_service and job.cause is not EncodingCause.REFRESH)
        if job.state is EncodingState.DONE and written:
            return Outcome(_state(job))
        if job.state is not EncodingState.ISSUED:
            raise Rejection("not_issued", 409, "No credential was issued for this band.")
        if written:
            if medium is None or medium.state is MediumState.REVOKED:
                raise Rejection("medium_revoked", 409, "This band was turned off before it was finished.")
            if body.ok and job.issued is not None and not in_force(draft, job.issued):
                sentence = "The keys changed meanwhile. Hold the band to the encoder once more."
                raise Rejection("keys_changed", 409, sentence)
            activate(draft, medium, command)
            changed = draft.get(EncodingRow, job.id) or job
            kind = "medium.refreshed" if job.cause is EncodingCause.REFRESH else "medium.activated"
            said = {"medium_id": job.medium_id, "kind": job.kind.value}
        else:
            changed = _failed(draft, job, command)
            kind, said = "encoding.failed", {"encoding_id": job.id, "sentence": body.sentence}
        event = Event(kind, said | {"encoder": job.encoder}, party_id=job.party_id, token_id=job.token_id)
        return Outcome(_state(changed), draft.rows, (event,))


def is_open(job: EncodingRow) -> bool:
    """Return whether a job still waits for a chip, or for a chip to be read back."""
    return job.state in (EncodingState.WAITING, EncodingState.ISSUED)


def is_kept(draft: Draft, job: EncodingRow) -> bool:
    """Return whether the chip that an open job names is still kept for it: its medium may have been turned off."""
    medium = draft.get(MediumRow, job.medium_id) if job.medium_id else None
    return is_open(job) and medium is not None and medium.state is MediumState.PENDING


def is_keyed(draft: Draft, medium: MediumRow) -> bool:
    """Return whether what was issued for the medium is for a chip with keys."""
    jobs = draft.find(EncodingRow, token_id=medium.token_id)
    return any(job.medium_id == medium.id and job.issued and job.issued.chip_epoch for job in jobs)


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
            medium = _as_written(draft, medium, job)
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


def _check_kind(draft: Draft, body: IssueEncoding) -> None:
    """Do nothing unless a chip that is known to have keys is told to be another: then any copy would pass for it.

    Raises:
        Rejection: it is.
    """
    chip = draft.get(ChipRow, body.chip_uid)
    if chip is not None and chip.kind == CHIP_WITH_KEYS != body.chip_kind:
        sentence = "This is another kind of chip than the one known by this number. Take another band."
        raise Rejection("other_chip", 409, sentence)


def _bind(draft: Draft, job: EncodingRow, command: Command[IssueEncoding]) -> None:
    """Put a pending medium on the chip for this job; what it had before for another chip goes."""
    if job.cause is not EncodingCause.ASKED:
        raise Rejection("other_chip", 409, "This is for another band. Hold that one to the encoder.")
    chip_uid = command.body.chip_uid
    _take_over_chip(draft, chip_uid, job, command)
    _drop(draft, job, command)
    medium = MediumRow(
        id=Ids(command).next(),
        token_id=job.token_id,
        kind=job.kind,
        state=MediumState.PENDING,
        issued_at=command.envelope.at,
        chip_uid=chip_uid,
    )
    draft.put(medium, replace(job, medium_id=medium.id, chip_uid=chip_uid, issued=None))


def _issued(draft: Draft, job_id: str, party: PartyRow, command: Command[IssueEncoding]) -> EncodingRow:
    """Put what is issued now for the chip that the job is bound to."""
    job, kind = draft.get(EncodingRow, job_id), command.body.chip_kind
    medium = draft.get(MediumRow, job.medium_id) if job else None
    assert job is not None, "it was found before"
    if medium is None or medium.state is MediumState.REVOKED:
        raise Rejection("medium_revoked", 409, "This band was turned off before it was finished.")
    # A credential tells seconds only, and the same chip must get the same bytes.
    at = command.envelope.at.replace(microsecond=0)
    claims = claims_for(draft, job, party, at, kind)
    if medium.state is MediumState.PENDING:
        draft.put(replace(medium, issued_at=at))
    issued = replace(
        job,
        state=EncodingState.ISSUED,
        changed_at=command.envelope.at,
        sentence="",
        issued=issue_of(draft, claims, kind),
    )
    chip = draft.get(ChipRow, job.chip_uid)
    if chip is None:
        draft.put(issued, ChipRow(job.chip_uid, "", "", kind, ChipState.LINKED, command.envelope.at))
    else:
        state = ChipState.LINKED if chip.state is ChipState.STOCK else chip.state
        draft.put(issued, replace(chip, kind=kind or chip.kind, state=state))
    return issued


def _failed(draft: Draft, job: EncodingRow, command: Command[ConfirmEncoding]) -> EncodingRow:
    """Let the job wait again: for another chip, or for the same one where it is for that one alone."""
    sentence = command.body.sentence
    changed = replace(job, state=EncodingState.WAITING, changed_at=command.envelope.at, sentence=sentence)
    if job.cause is EncodingCause.ASKED:
        _drop(draft, job, command)
        changed = replace(changed, medium_id="", chip_uid="", issued=None)
    draft.put(changed)
    return changed


def _take_over_chip(draft: Draft, chip_uid: str, job: EncodingRow, command: Command[Any]) -> None:
    """Refuse a chip that is somebody else's; a medium that never was finished on it goes."""
    for other in draft.find(EncodingRow, chip_uid=chip_uid):
        if other.cause is EncodingCause.LINKED and is_kept(draft, other) and other.id != job.id:
            if other.token_id != job.token_id:
                raise Rejection("chip_linked", 409, "This band is kept for another guest. Take another one.")
            end_job(draft, other, command, "It was written at the desk.")
    for medium in draft.find(MediumRow, chip_uid=chip_uid):
        if medium.token_id == job.token_id or medium.state is MediumState.REVOKED:
            continue
        if medium.state is MediumState.ACTIVE:
            raise Rejection("chip_in_use", 409, "This band is another guest's. Take another one.")
        _revoke(draft, medium, command)


def end_job(draft: Draft, job: EncodingRow, command: Command[Any], sentence: str) -> None:
    """Let an open job be over, with the medium that it never finished."""
    _drop(draft, job, command)
    draft.put(replace(job, state=EncodingState.FAILED, changed_at=command.envelope.at, sentence=sentence))


def _drop(draft: Draft, job: EncodingRow, command: Command[Any]) -> None:
    """Drop the pending medium of a job, if it has one."""
    medium = draft.get(MediumRow, job.medium_id) if job.medium_id else None
    if medium is not None and medium.state is MediumState.PENDING:
        _revoke(draft, medium, command)


def _as_written(draft: Draft, medium: MediumRow, job: EncodingRow) -> MediumRow:
    """Return the medium with what the job's credential and keys are, its chip told alike."""
    written = job.issued
    if written is None:
        return medium
    chip = draft.get(ChipRow, medium.chip_uid)
    if chip is not None:
        draft.put(replace(chip, state=ChipState.WRITTEN, key_epoch=written.chip_epoch))
    return replace(
        medium,
        issuer_epoch=written.issuer_epoch,
        expires_at=written.expires_at,
        content=written.content,
    )


def _revoke(draft: Draft, medium: MediumRow, command: Command[Any]) -> None:
    draft.put(replace(medium, state=MediumState.REVOKED, revoked_at=command.envelope.at))


def _state(job: EncodingRow) -> dict[str, Any]:
    return {"encoding_id": job.id, "state": job.state.value, "medium_id": job.medium_id or None}
