"""/app/pass: the phone's pass, signed by the phone itself, or drawn here for a browser that can keep no key."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from markupsafe import Markup

from gateway.drawing import code_svg
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
    here: Annotated[Visit, Depends(visit("guest"))],
    guest: Annotated[str, Query(max_length=64)] = "",
    drawn: bool = False,
) -> Response:
    """Show the pass, signed by the phone's own key; `drawn` by the gateway, for a browser that can keep none."""
    live, now, resort = here.live(STREAM), here.gateway.clock.now(), here.resort
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    own = here.principal.subject.removeprefix("guest:")
    chosen = party.guest(guest or own)
    free = _phone_without_key(chosen)
    shown = await _drawing(here, chosen, free) if drawn and free else None
    renew_s = max(5, int((shown["valid_until"] - now).total_seconds() * _EARLY)) if shown else 0
    context: dict[str, Any] = {"pass": shown}
    return here.page(
        "app_pass.html",
        **live,
        **context,
        guest=who(here, party),
        holder={
            "id": chosen.guest_id,
            "token_id": chosen.token_id,
            "nickname": chosen.nickname,
            "own": chosen.guest_id == own,
        },
        drawn=drawn,
        drawn_url=f"/app/pass?guest={chosen.guest_id}&drawn=1",
        renew_s=renew_s,
        free=free,
        tokens=" ".join(each.token_id for each in party.guests),
        zone=resort.zone,
        party=[
            {"id": each.guest_id, "nickname": each.nickname, "chosen": each.guest_id == chosen.guest_id}
            for each in party.guests
        ],
        opens=opens(chosen, resort, now),
    )


@router.post("/app/pass")
async def make(post: Annotated[Post, Depends(posted("guest"))]) -> Response:
    """Give a guest of the party a phone as a medium, for a browser that can keep no key."""
    await post.api.command(f"/tokens/{post.text('token')}/media", post.key, {"kind": "phone"})
    return go("/app/pass", guest=post.text("guest"), drawn="1", done="pass-made")


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


def _phone_without_key(guest: GuestSeen) -> str:
    """Return the newest of the guest's phones that no key is bound to yet, empty for none."""
    phones = [each for each in guest.media if each.kind == "phone" and each.state == "active"]
    return max((each.medium_id for each in phones if not each.device_key), default="")


async def _drawing(here: Visit, guest: GuestSeen, medium_id: str) -> dict[str, Any] | None:
    try:
        told = await here.api.get(f"/tokens/{guest.token_id}/pass", medium_id=medium_id)
    except Rejection as refusal:
        if refusal.status in (404, 409):
            return None  # turned off since: the page offers a new one
        raise
    if told["qr"] is None:
        return None  # bound to a key since
    # The gateway's own drawing, of a code it has just signed: no word of a visitor is in it.
    drawn = code_svg(told["qr"])
    svg = Markup(drawn[drawn.index("<svg") :])  # noqa: S704 - see above
    return {"qr_svg": svg, "valid_until": datetime.fromisoformat(told["valid_until"])}
