"""/app/photos: the party's photos, and claim cards."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.errors import Rejection
from gateway.web.guest_today import STREAM, who
from gateway.web.pages import go
from gateway.web.party import party_of
from gateway.web.telling import place_of
from gateway.web.visit import Post, Visit, posted, visit
from wallet.resort import Resort

router = APIRouter(include_in_schema=False)

Form = Annotated[Post, Depends(posted("guest"))]


@router.get("/app/photos")
async def photos(here: Annotated[Visit, Depends(visit("guest"))]) -> Response:
    """Show the album."""
    return await _page(here, {}, "")


@router.post("/app/photos/claims")
async def claim(post: Form) -> Response:
    """Claim the photos of a card."""
    code = post.text("code")
    if not code:
        return await _page(post, {"code": "Enter the code on the card."}, "", 422)
    try:
        answer = await post.api.command("/photo-claims", post.key, {"code": code})
    except Rejection as refusal:
        if refusal.status not in (404, 409, 422, 429):
            raise
        return await _page(post, {"code": refusal.sentence}, code, refusal.status)
    if not answer["claimed"]:
        return await _page(post, {"code": answer["sentence"]}, code)
    return go("/app/photos", done="claimed")


@router.post("/app/photos/{photo_id}/unlink")
async def unlink(post: Form, photo_id: str) -> Response:
    """Take a photo out of the party's album: each of its links is one command, under one press of the button."""
    for number, token_id in enumerate(sorted(post.texts("token"))):
        await post.api.command(f"/photos/{photo_id}/unlink", f"{post.key}.{number}", {"token_id": token_id})
    return go("/app/photos", done="unlinked")


async def _page(here: Visit, errors: dict[str, str], code: str, status: int = 200) -> Response:
    live = here.live(STREAM)
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    told = (await here.api.get(f"/parties/{here.party_id}/photos"))["photos"]
    names = {each.token_id: each.nickname for each in party.guests}
    return here.page(
        "app_photos.html",
        status,
        **live,
        guest=who(here, party),
        photos=[shown(each, names, here.resort) for each in told],
        claim={"code": code},
        errors=errors,
    )


def shown(told: dict[str, Any], names: dict[str, str], resort: Resort) -> dict[str, Any]:
    """Return a photo as the album shows it."""
    place = place_of(told, resort)
    linked = [each["token_id"] for each in told["linked"] if each["token_id"] in names]
    people = [names[token_id] for token_id in linked]
    owned = not told["marked"]
    return {
        "id": told["photo_id"],
        "preview_url": f"/api/v1/photos/{told['photo_id']}/preview",
        "download_url": f"/api/v1/photos/{told['photo_id']}/original" if owned else None,
        "words": f"Photo at {place}" + (f" with {', '.join(people)}" if people else ""),
        "place": place,
        "taken_at": datetime.fromisoformat(told["taken_at"]),
        "who": people,
        "tokens": linked,
    }
