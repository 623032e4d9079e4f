"""/app: the guest's day, with the next thing to do first."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.web.party import PartySeen, Pick, party_of, picks_of
from gateway.web.visit import Visit, visit
from wallet.resort import Resort

router = APIRouter(include_in_schema=False)

STREAM = "/app/live"


@router.get("/app")
async def today(here: Annotated[Visit, Depends(visit("guest"))]) -> Response:
    """Show today."""
    live, now, resort = here.live(STREAM), here.gateway.clock.now(), here.resort
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    folio = await here.api.get(f"/parties/{here.party_id}/folio")
    photos = (await here.api.get(f"/parties/{here.party_id}/photos"))["photos"]
    picks = [
        pick for pick in picks_of(party, resort, now) if resort.day_of(pick.starts_at) == resort.day_of(now)
    ]
    return here.page(
        "app_today.html",
        **live,
        guest=who(here, party),
        now=now,
        next=next_thing(party, picks, resort, now),
        picks=[pick.shown() for pick in picks],
        stay={"room": ", ".join(party.rooms), "until": party.key_until} if party.rooms else None,
        folio={"balance_minor": folio["balance_minor"], "today_minor": _today_minor(folio, resort, now)},
        photos=len(photos),
    )


def who(here: Visit, party: PartySeen) -> dict[str, str]:
    """Return the guest who is signed in, for the shell."""
    return {"nickname": party.guest(here.principal.subject.removeprefix("guest:")).nickname}


def next_thing(party: PartySeen, picks: list[Pick], resort: Resort, now: datetime) -> dict[str, Any]:
    """Return what to do next: what is open, else what opens next, else what may be done."""
    for pick in picks:
        if pick.state in ("open", "entered"):
            return _go_now(pick, resort)
    coming = [pick for pick in picks if pick.state in ("soon", "booked")]
    if coming:
        pick = coming[0]
        return _said(
            "waiting",
            f"Opens in {_minutes(pick.accepted_from - now)}",
            pick.attraction,
            f"{pick.park}, bypass entrance. Until then the park is yours.",
            window=(pick.starts_at, pick.ends_at),
        )
    if party.state == "booked" and resort.day_of(now) < party.arrival_day:
        days = (party.arrival_day - resort.day_of(now)).days
        words = "Choose your attractions now, so that the day itself is free."
        return _said("rest", f"In {days} day" + ("" if days == 1 else "s"), "Your stay", words, action=_FIND)
    if party.state == "booked":
        words = "The front desk gives you bands and keys. Your pass already opens what you booked."
        return _said("waiting", "Today", "Check in at the front desk", words, action=_PASS)
    if party.state == "checked_out":
        return _said("rest", "Thank you", "See you again", "Your photos stay here for you.", action=_PHOTOS)
    return _said(
        "rest", "Free time", "Choose a ride", "Pick a time and skip the standby queue.", action=_FIND
    )


_FIND = {"href": "/app/find", "text": "Find a time"}
_PASS = {"href": "/app/pass", "text": "Show my pass"}
_PHOTOS = {"href": "/app/photos", "text": "My photos"}


def _go_now(pick: Pick, resort: Resort) -> dict[str, Any]:
    names = _all([name for _, name in pick.holders])
    if pick.state == "entered":
        words = f"{names} entered in time. Tap again where the queues join."
        return _said("approved", "You are in the queue", pick.attraction, words)
    words = f"{pick.park}, bypass entrance, until {resort.local(pick.accepted_until):%H:%M}. {names}: tap your bands."
    return _said(
        "approved", "Go now", pick.attraction, words, window=(pick.starts_at, pick.ends_at), action=_PASS
    )


def _said(
    ring: str,
    eyebrow: str,
    title: str,
    words: str,
    *,
    window: tuple[datetime, datetime] | None = None,
    action: dict[str, str] | None = None,
) -> dict[str, Any]:
    begins, ends = window or (None, None)
    return {
        "ring": ring,
        "eyebrow": eyebrow,
        "title": title,
        "words": words,
        "from": begins,
        "until": ends,
        "action": action,
    }


def _all(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _minutes(length: timedelta) -> str:
    minutes = max(1, -(-int(length.total_seconds()) // 60))
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{rest} min"] if rest or not hours else []
    return " ".join(parts)


def _today_minor(folio: Any, resort: Resort, now: datetime) -> int:
    day = resort.day_of(now)
    amounts = [
        line["amount_minor"]
        for line in folio["lines"]
        if resort.day_of(datetime.fromisoformat(line["at"])) == day and line["amount_minor"] > 0
    ]
    return sum(amounts)
