"""Photos: uploading, looking, downloading, taking someone out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, BinaryIO

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from gateway.api.deps import Caller, GatewayHere, caller, role
from gateway.auth import Principal
from gateway.bootstrap import Gateway
from gateway.errors import Rejection
from gateway.services.photo_links import point_named, touchpoints_of
from gateway.services.photos import AddPhoto, UnlinkPhoto, rejected
from photopass.groups import group_before
from photopass.ports import LinkedPhoto
from photopass.previews import UPLOAD_BYTES_MAX
from photopass.refusals import PhotoReason, PhotoRefusal, Unacceptable
from photopass.service import Seen, TakenIn

router = APIRouter(tags=["photos"])

RECENT = timedelta(minutes=20)

_PIECE_BYTES = 256 * 1024
_DECODING = CapacityLimiter(2)
"""Decoding takes a core and up to a few hundred MB: more at once would run out of memory."""
_PRIVATE = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
_STATUS = {PhotoReason.PLAN_NOT_OWNED: 403, PhotoReason.DOWNLOAD_OVER: 409, PhotoReason.FILE_TOO_LARGE: 413}
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "A JPEG image"}}
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "A ZIP file"}
}
_FULL: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "The photo in full size"}
}

Looker = Annotated[Principal, Depends(role("guest", "desk", "photographer"))]
Owner = Annotated[Principal, Depends(role("guest", "desk"))]


class Linked(BaseModel):
    """A guest in a photo."""

    token_id: str
    party_id: str


class Uploaded(BaseModel):
    """A photo on record, and whom it is linked to."""

    photo_id: str
    taken_at: AwareDatetime
    linked: list[Linked]


class UnlinkWish(BaseModel):
    """Whom to take out of the photo."""

    token_id: str = Field(min_length=1, max_length=64)


class Unlinked(BaseModel):
    """Whom the photo is no longer linked to; empty when that was so before."""

    photo_id: str
    unlinked: list[str]


@router.post("/photos", status_code=201)
async def upload(
    called: Annotated[Caller, Depends(caller("photographer"))],
    file: Annotated[UploadFile, File(description="A JPEG or PNG of at most 25 MiB")],
    photo_point: Annotated[str, Form(min_length=1, max_length=64)],
    taken_at: Annotated[AwareDatetime | None, Form()] = None,
    token_ids: Annotated[list[str] | None, Form(max_length=50)] = None,
) -> Uploaded:
    """Take a photo in and link it to `token_ids` (one empty value: to nobody), else to who tapped before."""
    bytes_max = called.gateway.settings.photo_bytes_max
    if (file.size or 0) > bytes_max:
        raise Rejection("too_large", 413, f"A photo here has at most {bytes_max} bytes.")
    point = point_named(called.gateway.feed.resort(), photo_point)
    kept = await to_thread.run_sync(_take_in, called.gateway, file.file, limiter=_DECODING)
    chosen = None if token_ids is None else tuple(sorted({each for each in token_ids if each}))
    body = AddPhoto(
        point,
        kept.digest,
        kept.media_type,
        kept.size_bytes,
        kept.width_px,
        kept.height_px,
        kept.original,
        kept.preview,
        taken_at,
        chosen,
    )
    return Uploaded(**await called.do("photo.add", body))


@router.get("/photo-points/{photo_point}/recent")
def recent(
    photo_point: str, gateway: GatewayHere, principal: Annotated[Principal, Depends(role("photographer"))]
) -> dict[str, Any]:
    """The taps and photos of the last 20 minutes, and the group that a photo taken now would be linked to."""
    resort, now = gateway.feed.resort(), gateway.clock.now()
    point = point_named(resort, photo_point)
    taps = gateway.photo_records.taps(touchpoints_of(resort, point), now - RECENT)
    taken = gateway.photo_records.taken(point, now - RECENT)
    group = group_before(now, taps, [each.photo.shot for each in taken])
    return {
        "photo_point": point,
        "group": [{"token_id": tap.token_id, "party_id": tap.party_id, "at": tap.at} for tap in group],
        "taps": [
            {"tap_id": tap.tap_id, "token_id": tap.token_id, "party_id": tap.party_id, "at": tap.at}
            for tap in reversed(taps)
        ],
        "photos": [_told(each) for each in taken],
    }


@router.get("/parties/{party_id}/photos")
def album(party_id: str, gateway: GatewayHere, principal: Owner) -> dict[str, list[dict[str, Any]]]:
    """The party's photos, newest first: watermarked or not, and the last day of downloads."""
    principal.must_reach(party_id)
    seen = gateway.album.of_party(party_id, gateway.feed.resort())
    return {"photos": [_told(each.photo) | _rights(each) for each in seen]}


@router.get("/parties/{party_id}/photos.zip", response_class=StreamingResponse, responses=_ZIP)
def archive(party_id: str, gateway: GatewayHere, principal: Owner) -> Response:
    """All photos that the party may download now, in one file."""
    principal.must_reach(party_id)
    pieces = gateway.album.archive(party_id, gateway.clock.now(), gateway.feed.resort())
    if isinstance(pieces, PhotoRefusal):
        raise refused(pieces)
    headers = {**_PRIVATE, "Content-Disposition": 'attachment; filename="photos.zip"'}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


@router.get("/photos/{photo_id}/preview", response_class=Response, responses=_JPEG)
def preview(photo_id: str, gateway: GatewayHere, principal: Looker) -> Response:
    """The photo at 1024 pixels, watermarked until the plan is owned."""
    return _image(gateway.album.preview(photo_id, _viewer(principal), gateway.feed.resort()))


@router.get("/photos/{photo_id}/thumbnail", response_class=Response, responses=_JPEG)
def thumbnail(photo_id: str, gateway: GatewayHere, principal: Looker) -> Response:
    """The photo at 320 pixels, watermarked until the plan is owned."""
    return _image(gateway.album.thumbnail(photo_id, _viewer(principal), gateway.feed.resort()))


@router.get("/photos/{photo_id}/original", response_class=StreamingResponse, responses=_FULL)
def original(photo_id: str, gateway: GatewayHere, principal: Owner) -> Response:
    """The photo in full size, for owners of the plan while downloads last."""
    found = gateway.album.original(photo_id, _viewer(principal), gateway.clock.now(), gateway.feed.resort())
    if isinstance(found, PhotoRefusal):
        raise refused(found)
    headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{found.file_name}"'}
    return StreamingResponse(_pieces(found.file), media_type=found.media_type, headers=headers)


@router.post("/photos/{photo_id}/unlink")
async def unlink(
    photo_id: str, body: UnlinkWish, called: Annotated[Caller, Depends(caller("guest", "desk"))]
) -> Unlinked:
    """Take a guest out of a photo; nobody else's photos change."""
    wish = UnlinkPhoto(photo_id, (body.token_id,), _viewer(called.principal))
    return Unlinked(**await called.do("photo.unlink", wish))


def refused(refusal: PhotoRefusal) -> Rejection:
    """Return photopass's refusal as HTTP says it."""
    return rejected(refusal, _STATUS.get(refusal.reason, 404))


def _take_in(gateway: Gateway, file: BinaryIO) -> TakenIn:
    try:
        return gateway.album.take_in(file.read(UPLOAD_BYTES_MAX + 1))
    except Unacceptable as fault:
        raise rejected(fault.refusal, _STATUS.get(fault.refusal.reason, 422)) from None


def _viewer(principal: Principal) -> str | None:
    """Staff sees any photo; who is no staff sees the own party's, and without a party none."""
    return None if principal.is_staff else principal.party_id or ""


def _image(found: BinaryIO | PhotoRefusal) -> Response:
    if isinstance(found, PhotoRefusal):
        raise refused(found)
    with found:
        return Response(found.read(), media_type="image/jpeg", headers=_PRIVATE)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _told(found: LinkedPhoto) -> dict[str, Any]:
    photo = found.photo
    return {
        "photo_id": photo.photo_id,
        "photo_point": photo.photo_point,
        "taken_at": photo.taken_at,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
        "linked": [{"token_id": each.token_id, "party_id": each.party_id} for each in found.links],
    }


def _rights(seen: Seen) -> dict[str, Any]:
    return {"marked": seen.view.marked, "download_until": seen.view.download_until}
