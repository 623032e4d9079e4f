"""/photo: the photographer's page: who tapped, upload, whom the photos are linked to, and claim cards."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from gateway.bootstrap import Gateway
from gateway.db.nicknames import nicknames
from gateway.errors import Rejection
from gateway.web.pages import go
from gateway.web.staff import STREAM, staff_of
from gateway.web.visit import Post, Visit, posted, visit
from photopass.cards import card_svg
from wallet.resort import TouchpointKind

router = APIRouter(include_in_schema=False)

Here = Annotated[Visit, Depends(visit("photographer"))]
Form = Annotated[Post, Depends(posted("photographer"))]


@router.get("/photo")
async def studio(here: Here, point: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Show a photo point: the group in front of the camera and the latest photos."""
    return await _page(here, point, {}, None)


@router.post("/photo/uploads")
async def upload(post: Form) -> Response:
    """Take photos in. Several files of one press are one command each, under one id."""
    point, files = post.text("point"), post.files("photo")
    if not files:
        return await _refused(post, point, Rejection("photo_missing", 422, "Choose a photo first."))
    for number, file in enumerate(files):
        content = (
            file.filename or "photo",
            await file.read(),
            file.content_type or "application/octet-stream",
        )
        try:
            await post.api.ask(
                "POST",
                "/photos",
                key=f"{post.key}.{number}",
                files={"file": content},
                data={"photo_point": point},
            )
        except Rejection as refusal:
            return await _refused(post, point, refusal)
    if _is_script(post):
        return JSONResponse({"photos": len(files)}, 201)
    return go("/photo", point=point)


@router.post("/photo/cards")
async def card(post: Form) -> Response:
    """Make a claim card for guests without a band; the same press shows the same card."""
    made = await post.api.command("/photo-claim-cards", post.key, {"photo_ids": post.texts("photo")})
    return await _page(post, post.text("point"), {}, made)


async def _refused(post: Post, point: str, refusal: Rejection) -> Response:
    if _is_script(post) or refusal.status == 401:
        raise refusal
    return await _page(post, point, {"photo": refusal.sentence}, None, refusal.status)


def _is_script(post: Post) -> bool:
    return "text/html" not in post.request.headers.get("accept", "")


async def _page(
    here: Visit, wished: str, errors: dict[str, str], card: dict[str, Any] | None, status: int = 200
) -> Response:
    live = here.live(STREAM)
    points = [each for each in here.resort.touchpoints if each.kind is TouchpointKind.PHOTO_POINT]
    point = next((each for each in points if each.id == wished), points[0] if points else None)
    told: dict[str, Any] = {"group": [], "photos": []}
    if point is not None:
        told = await here.api.get(f"/photo-points/{point.place}/recent")
    concerned = {each["token_id"] for each in told["group"]}
    concerned |= {each["token_id"] for photo in told["photos"] for each in photo["linked"]}
    names = await run_in_threadpool(_names, here.gateway, concerned)
    return here.page(
        "photo.html",
        status,
        **live,
        photographer=staff_of(here),
        points=[{"id": each.id, "name": each.name, "chosen": each is point} for each in points],
        tapped=[
            {
                "id": each["token_id"],
                "nickname": names.get(each["token_id"]) or "Guest",
                "tapped_at": datetime.fromisoformat(each["at"]),
            }
            for each in told["group"]
        ],
        uploads=[_upload(each, names) for each in told["photos"]],
        card=card and _card(here, card),
        max_size_mb=here.gateway.settings.photo_bytes_max >> 20,
        errors=errors,
    )


def _card(here: Visit, told: dict[str, Any]) -> dict[str, Any]:
    """Return a claim card whose QR leads a phone's camera to where a guest claims, with the code filled in."""
    address = str(here.request.url.replace(path="/app/photos", query=""))
    qr = Markup(card_svg(told["code"], address))  # noqa: S704 - the gateway's own drawing
    return {"code": told["code"], "qr": qr, "claim_until": told["claim_until"]}


def _upload(told: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    linked = [names.get(each["token_id"]) or "Guest" for each in told["linked"]]
    return {
        "id": told["photo_id"],
        "preview_url": f"/api/v1/photos/{told['photo_id']}/preview",
        "words": "Photo of " + (", ".join(linked) if linked else "nobody yet"),
        "taken_at": datetime.fromisoformat(told["taken_at"]),
        "linked": linked,
    }


def _names(gateway: Gateway, tokens: set[str]) -> dict[str, str]:
    with gateway.database.read() as connection:
        return nicknames(connection, tokens)
