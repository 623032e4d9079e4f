"""Commands on claim cards: print one for guests without a band, and claim its photos later."""

from datetime import timedelta

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db import rows as r
from gateway.db.photo_rows import link_row
from gateway.errors import not_found
from gateway.services.photo_links import links_in
from gateway.services.photos import rejected
from gateway.working_set import WorkingSet
from photopass.claims import ClaimCard, claim, claim_until
from photopass.groups import Guest, Shot
from photopass.refusals import PhotoReason, PhotoRefusal


class MakeCard(Struct, frozen=True):
    """A card for these photos; its code is known here as a hash alone."""

    photo_ids: tuple[str, ...]
    code_hash: str


class PhotoCard(Service[MakeCard]):
    """Makes a claim card for guests without a band."""

    name = "photo.card"

    def keys(self, body: MakeCard) -> frozenset[Key]:
        """Return the photos."""
        return frozenset(Key(KeyKind.PHOTO, photo_id) for photo_id in body.photo_ids)

    def decide(self, state: WorkingSet, command: Command[MakeCard]) -> Outcome:
        """Return the last resort day on which a photo of the card can be claimed."""
        photos = [_photo(state, photo_id) for photo_id in dict.fromkeys(command.body.photo_ids)]
        if not photos:
            raise rejected(PhotoRefusal(PhotoReason.PHOTO_UNKNOWN), 422)
        resort = state.resort
        last_day = max(claim_until(photo.taken_at, resort) for photo in photos)
        row = r.PhotoClaimRow(
            code_hash=command.body.code_hash,
            photo_ids=tuple(photo.id for photo in photos),
            made_at=command.envelope.at,
            expires_at=resort.instant(last_day + timedelta(days=1), resort.day_starts),
        )
        made = Event("photo.card_made", {"photo_ids": list(row.photo_ids)})
        return Outcome({"claim_until": last_day}, (row,), (made,))


class ClaimPhotos(Struct, frozen=True):
    """Claim the photos of the card with this code's hash for a guest of a party; None when staff asks."""

    code_hash: str
    token_id: str
    party_id: str | None = None


class PhotoClaim(Service[ClaimPhotos]):
    """Links a card's photos to the guest who shows its code, and to the guest's party: once, to one party."""

    name = "photo.claim"

    def keys(self, body: ClaimPhotos) -> frozenset[Key]:
        """Return the card, which leads on to its photos, and the guest."""
        return frozenset({Key(KeyKind.CLAIM, body.code_hash), Key(KeyKind.TOKEN, body.token_id)})

    def decide(self, state: WorkingSet, command: Command[ClaimPhotos]) -> Outcome:
        """Return the photos claimed, or the reason why not."""
        body = command.body
        row = state.get(r.PhotoClaimRow, body.code_hash)
        if row is None:
            raise rejected(PhotoRefusal(PhotoReason.CODE_UNKNOWN), 404)
        token = state.need(r.TokenRow, body.token_id)
        if body.party_id not in (None, token.party_id):
            raise not_found("token", body.token_id)
        photos = [_photo(state, photo_id) for photo_id in row.photo_ids]
        card = ClaimCard(
            row.code_hash, row.photo_ids, row.made_at, row.expires_at, row.claimed_at, row.claimed_by
        )
        result = claim(
            card,
            [Shot(photo.id, photo.taken_at) for photo in photos],
            [each for photo in photos for each in links_in(state, photo.id)],
            Guest(token.id, token.party_id),
            command.envelope.at,
            state.resort,
        )
        if isinstance(result, PhotoRefusal):
            answer = {"claimed": False, "reason": result.reason, "sentence": result.sentence()}
            return Outcome(answer)
        points = {photo.id: photo.photo_point for photo in photos}
        claimed = r.PhotoClaimRow(
            row.code_hash,
            row.photo_ids,
            row.made_at,
            row.expires_at,
            result.card.claimed_at,
            result.card.claimed_by,
        )
        events = [
            Event(
                "photo.linked",
                {"photo_id": each.photo_id, "photo_point": points[each.photo_id], "how": each.cause.value},
                each.party_id,
                each.token_id,
            )
            for each in result.links
        ]
        open_ids = [photo_id for photo_id in row.photo_ids if photo_id not in result.over]
        return Outcome(
            {"claimed": True, "photo_ids": open_ids, "over": list(result.over)},
            (claimed, *(link_row(each) for each in result.links)),
            tuple(events),
        )


def _photo(state: WorkingSet, photo_id: str) -> r.PhotoRow:
    photo = state.get(r.PhotoRow, photo_id)
    if photo is None or photo.removed_at is not None:
        raise rejected(PhotoRefusal(PhotoReason.PHOTO_UNKNOWN), 404)
    return photo
