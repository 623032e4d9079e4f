"""/app/tokens: what carries each guest's token, the PIN, and what each may spend a day."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.errors import Rejection
from gateway.web.guest_today import STREAM, who
from gateway.web.pages import go
from gateway.web.party import GuestSeen, party_of
from gateway.web.visit import Post, Visit, posted, visit

router = APIRouter(include_in_schema=False)

Form = Annotated[Post, Depends(posted("guest"))]
NAMES = {"band": "Band", "card": "Card", "phone": "Phone"}
STATES = {"active": "active", "pending": "blank", "revoked": "revoked"}
STOPS = (
    "Readers that are connected refuse it within seconds. One that is cut off learns it when it is back, "
    "or when its facts get too old."
)


@router.get("/app/tokens")
async def media(here: Annotated[Visit, Depends(visit("guest"))]) -> Response:
    """Show each guest's media."""
    return await _page(here, {})


@router.post("/app/media/{medium_id}/turn-off")
async def turn_off(post: Form, medium_id: str) -> Response:
    """Turn a lost band, card or phone off, for good."""
    await post.api.command(f"/media/{medium_id}/revoke", post.key, {"note": "turned off by the guest"})
    return go("/app/tokens", done="turned-off")


@router.post("/app/tokens/{token_id}/pin")
async def set_pin(post: Form, token_id: str) -> Response:
    """Set the PIN that larger purchases ask for."""
    return await _change(post, token_id, "pin", {"pin": post.text("pin")}, "pin-set")


@router.post("/app/tokens/{token_id}/limits")
async def set_limit(post: Form, token_id: str) -> Response:
    """Set what a guest may spend a day."""
    limit = minor_of(post.text("limit"))
    if limit is None:
        return await _page(post, {f"limit-{token_id}": "Enter an amount, for example 50.00."}, 422)
    return await _change(post, token_id, "limits", {"daily_limit_minor": limit}, "limit-set")


def minor_of(text: str) -> int | None:
    """Return an amount in minor units from what a person typed, None when it is none."""
    try:
        amount = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    minor = amount * 100
    if not amount.is_finite() or minor != minor.to_integral_value() or not 0 <= minor < 10**9:
        return None
    return int(minor)


async def _change(post: Post, token_id: str, what: str, body: dict[str, Any], done: str) -> Response:
    try:
        await post.api.command(f"/tokens/{token_id}/{what}", post.key, body, method="PUT")
    except Rejection as refusal:
        if refusal.status not in (409, 422):
            raise
        field = "pin" if what == "pin" else "limit"
        return await _page(post, {f"{field}-{token_id}": refusal.sentence}, refusal.status)
    return go("/app/tokens", done=done)


async def _page(here: Visit, errors: dict[str, str], status: int = 200) -> Response:
    live = here.live(STREAM)
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    limits = party.daily_limits
    members = [_member(each, limits.get(each.token_id)) for each in party.guests]
    return here.page("app_tokens.html", status, **live, guest=who(here, party), party=members, errors=errors)


def _member(guest: GuestSeen, limit_minor: int | None) -> dict[str, Any]:
    return {
        "id": guest.guest_id,
        "token_id": guest.token_id,
        "nickname": guest.nickname,
        "limit": f"{limit_minor // 100}.{limit_minor % 100:02d}" if limit_minor is not None else "",
        "media": [
            {
                "id": medium.medium_id,
                "kind": medium.kind,
                "name": NAMES.get(medium.kind, medium.kind),
                "tail": medium.medium_id[-6:],
                "state": STATES.get(medium.state, "blank"),
                "stops": STOPS,
            }
            for medium in guest.media
        ],
    }
