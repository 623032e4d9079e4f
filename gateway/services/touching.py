"""A chip on an encoder without a job started at the desk: what is to be done for it, if anything."""

from dataclasses import replace
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import ChipRow, EncodingCause, EncodingRow, EncodingState, MediumRow, PartyRow
from gateway.errors import Rejection
from gateway.services.booked import live_token
from gateway.services.claims import claims_for, content_of, newest_chip_epoch
from gateway.services.draft import Draft
from gateway.services.encodings import encoder_venue, is_open
from gateway.services.passes import CHIP_WITH_KEYS
from gateway.working_set import WorkingSet
from wallet.medium import MediumState


class TouchEncoder(Struct, frozen=True):
    """This chip lies on that encoder."""

    encoder: str
    chip_uid: str
    venue: str


class EncodingTouch(Service[TouchEncoder]):
    """Gives the job for a chip: a linked chip's encoding, one that was torn, or the refresh of a live medium.

    A refresh writes the same medium again where its keys, its signature or what it grants are no longer the latest;
    the medium stays in service all the while.
    """

    name = "encoding.touch"

    def keys(self, body: TouchEncoder) -> frozenset[Key]:
        """Who is on the chip, the chip, and the keys."""
        return frozenset(
            {
                Key(KeyKind.CHIP, body.chip_uid),
                Key(KeyKind.STOCK, body.chip_uid),
                Key(KeyKind.ISSUER, "keys"),
            }
        )

    def decide(self, state: WorkingSet, command: Command[TouchEncoder]) -> Outcome:
        """Answer the job, or say why there is none."""
        body, draft = command.body, Draft(state)
        if encoder_venue(draft.resort, body.encoder) != body.venue:
            raise Rejection("unknown_encoder", 422, f"There is no encoder {body.encoder!r} here.")
        media = {medium.id: medium for medium in draft.find(MediumRow, chip_uid=body.chip_uid)}
        carried = {each.id for each in media.values() if each.state is not MediumState.REVOKED}
        for job in draft.find(EncodingRow, chip_uid=body.chip_uid):
            if is_open(job) and job.medium_id in carried:
                live_token(draft, job.token_id)
                moved = replace(job, encoder=body.encoder)
                return Outcome(_told(moved), () if moved == job else (moved,))
        active = [each for each in media.values() if each.state is MediumState.ACTIVE]
        if not active:
            raise _nothing_for(bool(media))
        return _refresh(draft, active[-1], command)


def _nothing_for(was_ours: bool) -> Rejection:
    if was_ours:
        return Rejection("medium_revoked", 409, "This band was turned off. Ask the front desk for another.")
    return Rejection(
        "nothing_to_write", 409, "Nothing waits to be written onto this band. Start it at the desk first."
    )


def _refresh(draft: Draft, medium: MediumRow, command: Command[TouchEncoder]) -> Outcome:
    token, party = live_token(draft, medium.token_id)
    job = EncodingRow(
        id=command.new_id(0),
        token_id=token.id,
        party_id=party.id,
        encoder=command.body.encoder,
        kind=medium.kind,
        state=EncodingState.WAITING,
        asked_at=command.envelope.at,
        medium_id=medium.id,
        chip_uid=medium.chip_uid,
        cause=EncodingCause.REFRESH,
    )
    why = _out_of_date(draft, job, medium, party, command)
    if not why:
        raise Rejection("band_up_to_date", 409, "This band is up to date.")
    said = {"encoding_id": job.id, "medium_id": medium.id, "kind": job.kind.value, "encoder": job.encoder}
    event = Event("encoding.refresh", said | {"why": why}, party_id=party.id, token_id=token.id)
    return Outcome(_told(job), (job,), (event,))


def _out_of_date(
    draft: Draft, job: EncodingRow, medium: MediumRow, party: PartyRow, command: Command[TouchEncoder]
) -> str:
    """Return what on the chip is no longer the latest: "chip_keys", "issuer_key" or "content"; empty for nothing."""
    chip = draft.get(ChipRow, job.chip_uid)
    kind = chip.kind if chip else ""
    claims = claims_for(draft, job, party, command.envelope.at.replace(microsecond=0), kind)
    if claims.expires_at <= command.envelope.at:
        raise Rejection("stay_over", 409, "The stay that this band was for is over.")
    if chip is not None and kind == CHIP_WITH_KEYS and chip.key_epoch != newest_chip_epoch(draft):
        return "chip_keys"
    if medium.issuer_epoch != claims.epoch:
        return "issuer_key"
    return "content" if medium.content != content_of(claims) else ""


def _told(job: EncodingRow) -> dict[str, Any]:
    return {
        "encoding_id": job.id,
        "token_id": job.token_id,
        "encoder": job.encoder,
        "kind": job.kind.value,
        "cause": job.cause.value,
    }
