"""/app/pass: the phone's pass as a QR code, fresh before the last one ends."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from markupsafe import Markup

from gateway.errors import Rejection
from gateway.web.guest_today import STREAM, who
from gateway.web.pages import go
from gateway.web.party import GuestSeen, party_of
from gateway.web.visit import Post, Visit, posted, visit
from wallet.entitlement import Admission, Parking, RoomKey, Spending
from wallet.resort import Resort

router = APIRouter(include_in_schema=False)

_EARLY = 0.5
"""A code is replaced after this part of its life, so that none ends in the guest's hand."""


@router.get("/app/pass")
async def show(
    here: Annotated[Visit, Depends(visit("guest"))], guest: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Show a code that is good for a moment; the page asks for another by itself."""
    live, now, resort = here.live(STREAM), here.gateway.clock.now(), here.resort
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    chosen = party.guest(guest or here.principal.subject.removeprefix("guest:"))
    shown, renew_s = None, 0
    if any(medium.kind == "phone" and medium.state == "active" for medium in chosen.media):
        told = await _pass_of(here, chosen)
        if told is not None:
            valid_until = datetime.fromisoformat(told["valid_until"])
            renew_s = max(5, int((valid_until - now).total_seconds() * _EARLY))
            # The gateway's own drawing, of a code it has just signed: no word of a visitor is in it.
            shown = {"qr_svg": Markup(told["svg"][told["svg"].index("<svg") :]), "valid_until": valid_until}  # noqa: S704 - see above
    context: dict[str, Any] = {"pass": shown}
    return here.page(
        "app_pass.html",
        **live,
        **context,
        guest=who(here, party),
        holder={"id": chosen.guest_id, "token_id": chosen.token_id, "nickname": chosen.nickname},
        renew_s=renew_s,
        party=[
            {"id": each.guest_id, "nickname": each.nickname, "chosen": each.guest_id == chosen.guest_id}
            for each in party.guests
        ],
        opens=opens(chosen, resort, now),
    )


@router.post("/app/pass")
async def make(post: Annotated[Post, Depends(posted("guest"))]) -> Response:
    """Give a guest of the party a phone as a medium."""
    await post.api.command(f"/tokens/{post.text('token')}/media", post.key, {"kind": "phone"})
    return go("/app/pass", guest=post.text("guest"), done="pass-made")


def opens(guest: GuestSeen, resort: Resort, now: datetime) -> list[dict[str, str]]:
    """Return what the guest's token opens, in plain words: nothing that has ended, as a stay's rights have once it is
    over."""
    found = []
    for right in guest.entitlements:
        match right:
            case RoomKey(until_at=until_at) | Parking(until_at=until_at) | Spending(until_at=until_at) if (
                until_at <= now
            ):
                pass
            case Admission(until_day=until_day) if until_day < resort.day_of(now):
                pass
            case RoomKey(rooms=rooms):
                found.append({"icon": "room", "text": f"Room {', '.join(rooms)}"})
            case Parking(lots=lots):
                names = ", ".join(resort.lot(lot).name for lot in lots)
                found.append({"icon": "parking_lane", "text": f"Parking: {names}"})
            case Admission(parks=parks):
                names = ", ".join(resort.park(park).name for park in parks)
                found.append({"icon": "park_gate", "text": names})
            case Spending():
                found.append({"icon": "till", "text": "Shops and restaurants, on the folio"})
    return found


async def _pass_of(here: Visit, guest: GuestSeen) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = await here.api.get(f"/tokens/{guest.token_id}/pass")
    except Rejection as refusal:
        if refusal.status in (404, 409):
            return None  # turned off since: the page offers a new one
        raise
    return told
