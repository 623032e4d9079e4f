"""Linking a chip from stock to a guest by its printed id or its UID: it is written when it first touches an encoder."""

from dataclasses import replace
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import ChipRow, ChipState, EncodingCause, EncodingRow, EncodingState, MediumRow
from gateway.errors import Rejection
from gateway.services.booked import live_token
from gateway.services.draft import Draft
from gateway.services.encodings import end_job, is_kept, is_open
from gateway.services.ids import Ids
from gateway.working_set import WorkingSet
from wallet.medium import MediumKind, MediumState

CHIP_UNKNOWN = "chip_unknown"


class LinkChip(Struct, frozen=True):
    """Keep a chip for a token. Exactly one of `printed_id` and `chip_uid` is given."""

    token_id: str
    kind: MediumKind
    printed_id: str = ""
    chip_uid: str = ""


class MediumLink(Service[LinkChip]):
    """Makes the pending medium and reserves the chip. A guest keeps one chip at a time: another lets the first go."""

    name = "medium.link"

    def keys(self, body: LinkChip) -> frozenset[Key]:
        """The token, the chip, and whoever is on it."""
        if body.printed_id:
            return frozenset({Key(KeyKind.TOKEN, body.token_id), Key(KeyKind.PRINTED, body.printed_id)})
        chip = {Key(KeyKind.CHIP, body.chip_uid), Key(KeyKind.STOCK, body.chip_uid)}
        return frozenset({Key(KeyKind.TOKEN, body.token_id), *chip})

    def expand(self, state: WorkingSet, body: LinkChip) -> frozenset[Key]:
        """The chip that the guest has kept before."""
        jobs = state.find(EncodingRow, token_id=body.token_id)
        return frozenset(Key(KeyKind.STOCK, job.chip_uid) for job in jobs if _is_link(job))

    def decide(self, state: WorkingSet, command: Command[LinkChip]) -> Outcome:
        """Link it once; the same again changes nothing."""
        body, draft, at = command.body, Draft(state), command.envelope.at
        token, party = live_token(draft, body.token_id)
        if body.kind is MediumKind.PHONE:
            raise Rejection("not_a_chip", 422, "A phone needs no encoder: add it to the guest.")
        chip = _chip(draft, command)
        for job in draft.find(EncodingRow, chip_uid=chip.uid):
            if _is_link(job) and is_kept(draft, job) and job.token_id == token.id:
                return Outcome(_told(job, chip))
        _must_be_free(draft, chip, command)
        for job in draft.find(EncodingRow, token_id=token.id):
            if _is_link(job):
                end_job(draft, job, command, "Another band was linked.")
                before = draft.get(ChipRow, job.chip_uid)
                if before is not None and before.state is ChipState.LINKED:
                    draft.put(replace(before, state=ChipState.STOCK))
        ids = Ids(command)
        medium = MediumRow(ids.next(), token.id, body.kind, MediumState.PENDING, at, chip.uid)
        job = EncodingRow(
            id=ids.next(),
            token_id=token.id,
            party_id=party.id,
            encoder="",
            kind=body.kind,
            state=EncodingState.WAITING,
            asked_at=at,
            medium_id=medium.id,
            chip_uid=chip.uid,
            cause=EncodingCause.LINKED,
        )
        draft.put(medium, job)
        if chip.state is ChipState.STOCK:
            draft.put(replace(chip, state=ChipState.LINKED))
        said = {"medium_id": medium.id, "kind": medium.kind.value, "printed_id": chip.printed_id}
        event = Event("medium.linked", said, party_id=party.id, token_id=token.id)
        return Outcome(_told(job, chip), draft.rows, (event,))


def _chip(draft: Draft, command: Command[LinkChip]) -> ChipRow:
    body = command.body
    chip = draft.get(ChipRow, body.chip_uid) if body.chip_uid else None
    if body.printed_id:
        chip = next(iter(draft.find(ChipRow, printed_id=body.printed_id)), None)
    if chip is None:
        raise _unknown()
    return chip


def _unknown() -> Rejection:
    sentence = "No band with this number can be linked here. Check the number, or see the front desk."
    return Rejection(CHIP_UNKNOWN, 404, sentence)


def _must_be_free(draft: Draft, chip: ChipRow, command: Command[LinkChip]) -> None:
    """Do nothing when nobody is on the chip, nor waits for it.

    Raises:
        Rejection: somebody is. A guest is told no more than of a chip that does not exist.
    """
    for medium in draft.find(MediumRow, chip_uid=chip.uid):
        if medium.state is MediumState.REVOKED:
            continue
        if medium.token_id == command.body.token_id:
            raise Rejection("already_carried", 409, "This guest has this band already.")
        if command.envelope.actor.startswith("guest:"):
            raise _unknown()
        if medium.state is MediumState.ACTIVE:
            raise Rejection("chip_in_use", 409, "This band is another guest's. Take another one.")
        raise Rejection("chip_linked", 409, "This band is kept for another guest. Take another one.")


def _is_link(job: EncodingRow) -> bool:
    return job.cause is EncodingCause.LINKED and is_open(job)


def _told(job: EncodingRow, chip: ChipRow) -> dict[str, Any]:
    return {
        "token_id": job.token_id,
        "encoding_id": job.id,
        "medium_id": job.medium_id,
        "kind": job.kind.value,
        "printed_id": chip.printed_id,
        "state": MediumState.PENDING.value,
    }
