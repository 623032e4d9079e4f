"""A party's bands in one go: one job per guest who has none, the lead first."""

from datetime import timedelta
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import EncodingCause, EncodingRow, EncodingState, GuestRow, MediumRow, PartyRow
from gateway.errors import Rejection
from gateway.services.booked import guests_of, live_token
from gateway.services.draft import Draft
from gateway.services.encodings import encoder_venue, is_kept, is_open
from gateway.services.ids import Ids
from gateway.working_set import WorkingSet
from wallet.medium import MediumKind, MediumState


class RequestPartyEncodings(Struct, frozen=True):
    """Write a band or card for every guest of a party who has none."""

    party_id: str
    encoder: str
    kind: MediumKind


class PartyEncodings(Service[RequestPartyEncodings]):
    """Asks an encoder for the bands of a party, one after the other. Jobs that wait there already stay as they are."""

    name = "encoding.request_party"

    def keys(self, body: RequestPartyEncodings) -> frozenset[Key]:
        """The party, and with it its tokens."""
        return frozenset({Key(KeyKind.PARTY, body.party_id)})

    def decide(self, state: WorkingSet, command: Command[RequestPartyEncodings]) -> Outcome:
        """Put the jobs that are missing."""
        body, draft, ids = command.body, Draft(state), Ids(command)
        party = state.need(PartyRow, body.party_id)
        if body.kind is MediumKind.PHONE:
            raise Rejection("not_a_chip", 422, "A phone needs no encoder: add it to the guest.")
        encoder_venue(draft.resort, body.encoder)
        jobs: list[tuple[GuestRow, EncodingRow]] = []
        events: list[Event] = []
        for place, guest in enumerate(guests_of(draft, party)):
            live_token(draft, guest.token_id)
            if _has_band(draft, guest.token_id):
                continue
            job = _waiting(draft, guest.token_id, body)
            if job is None:
                job = EncodingRow(
                    id=ids.next(),
                    token_id=guest.token_id,
                    party_id=party.id,
                    encoder=body.encoder,
                    kind=body.kind,
                    state=EncodingState.WAITING,
                    # An encoder serves first what was asked for first.
                    asked_at=command.envelope.at + timedelta(microseconds=place),
                )
                draft.put(job)
                said = {"encoding_id": job.id, "encoder": job.encoder, "kind": job.kind.value}
                events.append(Event("encoding.requested", said, party_id=party.id, token_id=guest.token_id))
            jobs.append((guest, job))
        told = [_told(guest, job) for guest, job in jobs]
        return Outcome({"party_id": party.id, "encodings": told}, draft.rows, tuple(events))


def _has_band(draft: Draft, token_id: str) -> bool:
    """Return whether a guest carries a chip, or has one kept that only needs its first touch."""
    carried = any(
        medium.state is MediumState.ACTIVE and medium.chip_uid
        for medium in draft.find(MediumRow, token_id=token_id)
    )
    return carried or any(
        job.cause is EncodingCause.LINKED and is_kept(draft, job)
        for job in draft.find(EncodingRow, token_id=token_id)
    )


def _waiting(draft: Draft, token_id: str, wish: RequestPartyEncodings) -> EncodingRow | None:
    for job in draft.find(EncodingRow, token_id=token_id):
        asked = job.cause is EncodingCause.ASKED and is_open(job)
        if asked and (job.encoder, job.kind) == (wish.encoder, wish.kind):
            return job
    return None


def _told(guest: GuestRow, job: EncodingRow) -> dict[str, Any]:
    return {
        "encoding_id": job.id,
        "guest_id": guest.id,
        "token_id": job.token_id,
        "encoder": job.encoder,
        "kind": job.kind.value,
        "state": job.state.value,
    }
