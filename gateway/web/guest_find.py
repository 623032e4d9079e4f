"""/app/find and /app/picks: return windows to book, and those that are held."""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from gateway.errors import Rejection
from gateway.web.guest_today import STREAM, who
from gateway.web.pages import go
from gateway.web.party import PartySeen, party_of, picks_of
from gateway.web.visit import Post, Visit, posted, visit
from wallet.resort import Resort

router = APIRouter(include_in_schema=False)

Here = Annotated[Visit, Depends(visit("guest"))]
Form = Annotated[Post, Depends(posted("guest"))]
_DAYS_MAX = 14


@router.get("/app/find")
async def find(
    here: Here, day: Annotated[date | None, Query()] = None, park: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Show the windows of a day with the places left."""
    return await _find_page(here, day, park, {}, set())


@router.post("/app/picks")
async def book(post: Form) -> Response:
    """Book a window for the chosen members: for all of them, or for none."""
    attraction, _, starts_at = post.text("window").partition("@")
    day, park, members = _day_in(post.text("day")), post.text("park"), post.texts("member")
    if not attraction or not members:
        errors = {"form": "Choose who is coming and a time."}
        return await _find_page(post, day, park, errors, set(members), 422)
    wish = {"token_ids": members, "attraction": attraction, "starts_at": starts_at}
    try:
        answer = await post.api.command("/reservations", post.key, wish)
    except Rejection as refusal:
        if refusal.status >= 500 or refusal.status == 401:
            raise
        return await _find_page(post, day, park, {"form": refusal.sentence}, set(members), refusal.status)
    if not answer["booked"]:
        errors = {"form": await _whose(post, answer)}
        return await _find_page(post, day, park, errors, set(members), 200)
    return go("/app/picks", done="booked")


@router.get("/app/picks")
async def picks(here: Here) -> Response:
    """Show every pick, day by day."""
    live, now, resort = here.live(STREAM), here.gateway.clock.now(), here.resort
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    held = picks_of(party, resort, now)
    days = [
        {"day": day, "picks": [pick.shown() for pick in those]}
        for day, those in groupby(held, key=lambda pick: resort.day_of(pick.starts_at))
    ]
    return here.page("app_picks.html", **live, guest=who(here, party), days=days, more_picks=_more(resort))


@router.post("/app/picks/cancel")
async def cancel(post: Form) -> Response:
    """Cancel the chosen members' reservations; each is a command of its own, under one press of the button."""
    for number, entitlement_id in enumerate(sorted(post.texts("reservation"))):
        await post.api.command(f"/reservations/{entitlement_id}/cancel", f"{post.key}.{number}")
    return go("/app/picks", done="cancelled")


async def _find_page(
    here: Visit, day: date | None, park: str, errors: dict[str, str], chosen: set[str], status: int = 200
) -> Response:
    live, now, resort = here.live(STREAM), here.gateway.clock.now(), here.resort
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    days = days_of(party, resort.day_of(now))
    day = day if day in days else days[0]
    parks = [each.id for each in resort.parks]
    park = park if park in parks else (parks[0] if parks else "")
    told = await here.api.get("/attractions/windows", day=day.isoformat())
    return here.page(
        "app_find.html",
        status,
        **live,
        guest=who(here, party),
        day=day.isoformat(),
        park=park,
        days=[{"value": each.isoformat(), "day": each, "chosen": each == day} for each in days],
        parks=[{"id": each.id, "name": each.name, "chosen": each.id == park} for each in resort.parks],
        party=[
            {
                "id": each.token_id,
                "nickname": each.nickname,
                "chosen": each.token_id in chosen if chosen else True,
            }
            for each in party.guests
        ],
        attractions=attractions_of(told["windows"], resort, park, now),
        more_picks=_more(resort),
        errors=errors,
    )


def days_of(party: PartySeen, today: date) -> list[date]:
    """Return the days of the stay that are not over, the first of them when all are."""
    length = (party.departure_day - party.arrival_day).days + 1
    stay = [party.arrival_day + timedelta(days=number) for number in range(min(length, _DAYS_MAX))]
    return [day for day in stay if day >= today] or stay[-1:]


def attractions_of(
    windows: list[dict[str, Any]], resort: Resort, park: str, now: datetime
) -> list[dict[str, Any]]:
    """Return the attractions of a park with the windows that are not over."""
    shown = []
    for attraction in resort.attractions:
        if attraction.park != park:
            continue
        mine = [each for each in windows if each["attraction"] == attraction.id]
        shown.append(
            {
                "id": attraction.id,
                "name": attraction.name,
                "tier": attraction.tier,
                "windows": [_window(each) for each in mine if datetime.fromisoformat(each["ends_at"]) > now],
            }
        )
    return shown


def _window(told: dict[str, Any]) -> dict[str, Any]:
    starts_at = datetime.fromisoformat(told["starts_at"])
    left = int(told["left"])
    return {
        "id": f"{told['attraction']}@{told['starts_at']}",
        "from": starts_at,
        "left": left,
        "fits": left > 0,
    }


async def _whose(post: Post, answer: dict[str, Any]) -> str:
    """Return the refusal's sentence, with the name of whom it concerns."""
    party = party_of(await post.api.get(f"/parties/{post.party_id}"))
    names = {each.token_id: each.nickname for each in party.guests}
    name = names.get(str(answer.get("token_id", "")), "")
    return f"{name}: {answer['sentence']}" if name else str(answer["sentence"])


def _more(resort: Resort) -> str:
    most = resort.policies.picks_held_max
    return f"Up to {most} times can be held at once; another is free as soon as one is used or has lapsed."


def _day_in(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
