"""Commands on photos: put one on record, link it by late taps, take a guest out of it."""

from datetime import datetime, timedelta

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services import photo_links as links
from gateway.working_set import WorkingSet
from photopass.claims import check_taken_at
from photopass.groups import Guest, LinkCause, PhotoLink, Shot, link, unlink
from photopass.refusals import PhotoReason, PhotoRefusal
from photopass.service import photo_id_of


class AddPhoto(Struct, frozen=True):
    """A photo whose bytes are kept (photopass.service.TakenIn). `token_ids` None means: link by taps."""

    photo_point: str
    digest: str
    media_type: str
    size_bytes: int
    width_px: int
    height_px: int
    original: str
    preview: str
    taken_at: datetime | None = None
    token_ids: tuple[str, ...] | None = None


class PhotoAdd(Service[AddPhoto]):
    """Puts a photo on record and links it to who is in it; the same file at the same point is one photo."""

    name = "photo.add"

    def keys(self, body: AddPhoto) -> frozenset[Key]:
        """Return the photo, its point and the guests chosen by hand."""
        keys = {Key(KeyKind.PHOTO, _id_of(body)), Key(KeyKind.PHOTO_POINT, body.photo_point)}
        keys.update(Key(KeyKind.TOKEN, token_id) for token_id in body.token_ids or ())
        return frozenset(keys)

    def expand(self, state: WorkingSet, body: AddPhoto) -> frozenset[Key]:
        """Return what was tapped and taken around the shot, and the links of the photos found."""
        span = (
            _widened((body.taken_at, body.taken_at), state.resort.policies.photo_group_window_s)
            if body.taken_at
            else None
        )
        return links.keys_around(state, body.photo_point, span)

    def decide(self, state: WorkingSet, command: Command[AddPhoto]) -> Outcome:
        """Return the photo's id and whom it is linked to."""
        body, at = command.body, command.envelope.at
        photo_id = _id_of(body)
        known = state.get(r.PhotoRow, photo_id)
        photo = known or _photo_row(photo_id, body, command.envelope.actor, at)
        refusal = check_taken_at(photo.taken_at, at, state.resort)
        if refusal is not None and known is None:
            raise rejected(refusal, 422)
        changed: list[PhotoLink] = []
        if body.token_ids is not None:
            guests = [_guest(state, token_id) for token_id in body.token_ids]
            live = {each.token_id for each in links.links_in(state, photo_id) if each.live}
            changed += link(photo_id, (g for g in guests if g.token_id not in live), LinkCause.HAND, at)
        shot, span = Shot(photo_id, photo.taken_at, photo.by_hand), (photo.taken_at, photo.taken_at)
        changed += links.gathered(
            state, body.photo_point, span, at, state.resort.policies.photo_group_window_s, shot
        )
        after = {each.token_id: each for each in links.links_in(state, photo_id)}
        after.update((each.token_id, each) for each in changed if each.photo_id == photo_id)
        linked = [
            {"token_id": each.token_id, "party_id": each.party_id}
            for _, each in sorted(after.items())
            if each.live
        ]
        added = Event("photo.added", {"photo_id": photo_id, "photo_point": body.photo_point})
        return Outcome(
            {"photo_id": photo_id, "taken_at": photo.taken_at, "linked": linked},
            (*(() if known else (photo,)), *links.link_rows(changed)),
            (*(() if known else (added,)), *links.link_events(changed, body.photo_point)),
        )


class GatherPhotos(Struct, frozen=True):
    """Taps of this span of time at a photo point have arrived late."""

    photo_point: str
    from_at: datetime
    until_at: datetime


class PhotoGather(Service[GatherPhotos]):
    """Links the photos that late taps belong to, and unlinks those whose group they show to be another."""

    name = "photo.gather"

    def keys(self, body: GatherPhotos) -> frozenset[Key]:
        """Return the photo point."""
        return frozenset({Key(KeyKind.PHOTO_POINT, body.photo_point)})

    def expand(self, state: WorkingSet, body: GatherPhotos) -> frozenset[Key]:
        """Return what was tapped and taken around the span, and the links of the photos found."""
        span = _widened((body.from_at, body.until_at), state.resort.policies.photo_group_window_s)
        return links.keys_around(state, body.photo_point, span)

    def decide(self, state: WorkingSet, command: Command[GatherPhotos]) -> Outcome:
        """Return how many links were made and ended."""
        body = command.body
        span = (body.from_at, body.until_at)
        changed = links.gathered(
            state, body.photo_point, span, command.envelope.at, state.resort.policies.photo_group_window_s
        )
        made = sum(each.live for each in changed)
        return Outcome(
            {"linked": made, "unlinked": len(changed) - made},
            links.link_rows(changed),
            links.link_events(changed, body.photo_point),
        )


class UnlinkPhoto(Struct, frozen=True):
    """Take guests out of a photo. `party_id` is the asker's party, None when staff asks."""

    photo_id: str
    token_ids: tuple[str, ...]
    party_id: str | None = None


class PhotoUnlink(Service[UnlinkPhoto]):
    """Takes guests out of a photo, for good, and touches nobody else's link."""

    name = "photo.unlink"

    def keys(self, body: UnlinkPhoto) -> frozenset[Key]:
        """Return the photo."""
        return frozenset({Key(KeyKind.PHOTO, body.photo_id)})

    def decide(self, state: WorkingSet, command: Command[UnlinkPhoto]) -> Outcome:
        """Return whom it is no longer linked to; a guest may take out the own party alone."""
        body, envelope = command.body, command.envelope
        own = [
            each
            for each in links.links_in(state, body.photo_id)
            if body.party_id is None or each.party_id == body.party_id
        ]
        photo = state.get(r.PhotoRow, body.photo_id)
        if photo is None or (body.party_id is not None and not own):
            raise rejected(PhotoRefusal(PhotoReason.PHOTO_UNKNOWN), 404)
        if not {each.token_id for each in own} >= set(body.token_ids):
            raise rejected(PhotoRefusal(PhotoReason.NOT_LINKED), 404)
        ended = unlink(own, body.token_ids, envelope.actor, envelope.at)
        return Outcome(
            {"photo_id": photo.id, "unlinked": sorted(each.token_id for each in ended)},
            links.link_rows(ended),
            links.link_events(ended, photo.photo_point),
        )


def rejected(refusal: PhotoRefusal, status: int) -> Rejection:
    """Return photopass's refusal as a command's."""
    return Rejection(refusal.reason.value, status, refusal.sentence(), dict(refusal.detail))


def _id_of(body: AddPhoto) -> str:
    return photo_id_of(body.photo_point, body.digest)


def _widened(span: tuple[datetime, datetime], window_s: int) -> tuple[datetime, datetime]:
    """The photos concerned end a window after the span, and their groups begin a window before it."""
    return span[0] - timedelta(seconds=window_s), span[1] + timedelta(seconds=window_s)


def _guest(state: WorkingSet, token_id: str) -> Guest:
    token = state.need(r.TokenRow, token_id)
    return Guest(token.id, token.party_id)


def _photo_row(photo_id: str, body: AddPhoto, actor: str, at: datetime) -> r.PhotoRow:
    return r.PhotoRow(
        id=photo_id,
        photo_point=body.photo_point,
        taken_at=body.taken_at or at,
        uploaded_at=at,
        photographer=actor,
        digest=body.digest,
        media_type=body.media_type,
        size_bytes=body.size_bytes,
        width_px=body.width_px,
        height_px=body.height_px,
        original_blob=body.original,
        preview_blob=body.preview,
        by_hand=body.token_ids is not None,
    )
