"""/staff/parties/…: everything that happened to a guest or party, and what the desk does for them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from gateway.web.actors import actor_words, staff_words
from gateway.web.guest_media import NAMES, STATES, STOPS
from gateway.web.party import GuestSeen, PartySeen, party_of
from gateway.web.staff import STREAM, staff_of
from gateway.web.staff_search import STATES as PARTY_STATES
from gateway.web.telling import amount_of, icon_of, verdict_of
from gateway.web.visit import Visit, visit
from wallet.resort import Resort, TouchpointKind

router = APIRouter(include_in_schema=False)

WHOLE_PARTY = "party"
"""What stands in the place of a token where the whole party is meant."""

_PAGE, _PAGES_MAX = 200, 25
_LATE = timedelta(minutes=1)
"""What comes home later than this after it happened says so."""
_KINDS = (
    ("", "All", ()),
    ("taps", "Taps", ("tap", "pin")),
    ("refused", "Refused", ()),
    ("money", "Money", ("transfer", "hold")),
    ("bookings", "Bookings", ("party", "reservation")),
    ("media", "Media", ("medium", "encoding", "token")),
    ("photos", "Photos", ("photo",)),
)


@router.get("/staff/parties/{party_id}")
async def timeline(
    here: Annotated[Visit, Depends(visit("desk"))],
    party_id: str,
    guest: Annotated[str, Query(max_length=64)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    channel: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the timeline of a party, or of one guest of it."""
    return await party_page(here, party_id, guest=guest, kind=kind, channel=channel)


async def party_page(
    here: Visit,
    party_id: str,
    *,
    guest: str = "",
    kind: str = "",
    channel: str = "",
    errors: dict[str, str] | None = None,
    code: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """Return the party's page.

    Args:
        errors: why a command of the desk was refused, by field.
        code: a sign-in code that was just made: shown once, here, and written nowhere.
    """
    live = here.live(f"{STREAM}?party={party_id}")
    party = party_of(await here.api.get(f"/parties/{party_id}"))
    folio = await here.api.get(f"/parties/{party_id}/folio")
    jobs = (await here.api.get(f"/parties/{party_id}/encodings"))["encodings"]
    chosen = next((each for each in party.guests if each.guest_id == guest), None)
    entries = await _entries(here, party_id, guest if chosen else "")
    shown = [each for each in entries if _is_of(each, kind) and (not channel or each["channel"] == channel)]
    return here.page(
        "staff_guest.html",
        status,
        **live,
        staff=staff_of(here),
        party=_party(party, folio),
        guest={"id": chosen.guest_id, "name": chosen.full_name} if chosen else None,
        kind=kind,
        filters=[
            {
                "value": value,
                "text": text,
                "chosen": value == kind,
                "count": sum(_is_of(e, value) for e in entries),
            }
            for value, text, _ in _KINDS
        ],
        channels=[{"value": "", "text": "All channels", "chosen": not channel}]
        + [
            {"value": value, "text": value.capitalize(), "chosen": value == channel}
            for value in sorted({each["channel"] for each in entries})
        ],
        days=days_of_entries(
            shown, party, here.resort, await staff_words(here, (each["actor"] for each in shown))
        ),
        media=[_medium(medium, each) for each in party.guests for medium in each.media],
        whole_party=WHOLE_PARTY,
        waiting=_waiting(jobs, party, here.resort),
        encoders=[p for p in here.resort.touchpoints if p.kind is TouchpointKind.ENCODER],
        code=code,
        errors=errors or {},
    )


def _waiting(jobs: list[dict[str, Any]], party: PartySeen, resort: Resort) -> list[dict[str, Any]]:
    """Return what encoders still have to write for a party, in their order; each encoder's first is the next there."""
    names = {each.token_id: each.nickname for each in party.guests}
    encoders = {each.id: each.name for each in resort.touchpoints}
    served: set[str] = set()
    lines = []
    for job in jobs:
        lines.append(
            {
                "id": job["encoding_id"],
                "guest": names.get(job["token_id"], "Guest"),
                "kind": NAMES.get(job["kind"], job["kind"]).lower(),
                "encoder": encoders.get(job["encoder"], job["encoder"]),
                "next": job["encoder"] not in served,
                "being_written": job["state"] == "issued",
                "sentence": job["sentence"],
            }
        )
        served.add(job["encoder"])
    return lines


def days_of_entries(
    entries: list[dict[str, Any]], party: PartySeen, resort: Resort, staff: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the entries day by day, newest first by when they happened: a late tap stands where it belongs.

    Args:
        staff: actor → how that member of staff is called.
    """
    names = {each.token_id: each.nickname for each in party.guests}
    guests = {each.guest_id: each.nickname for each in party.guests}
    lines = [_line(each, names, guests, staff) for each in entries]
    lines.sort(key=lambda line: (line["at"], line["id"]), reverse=True)

    def day_of(line: dict[str, Any]) -> date:
        return resort.day_of(line["at"])

    return [{"day": day, "entries": list(those)} for day, those in groupby(lines, key=day_of)]


def _line(
    entry: dict[str, Any], names: Mapping[str, str], guests: Mapping[str, str], staff: Mapping[str, str]
) -> dict[str, Any]:
    body = entry["body"]
    at, recorded_at = datetime.fromisoformat(entry["at"]), datetime.fromisoformat(entry["recorded_at"])
    return {
        "id": entry["position"],
        "at": at,
        "home_at": recorded_at if recorded_at - at >= _LATE else None,
        "icon": icon_of(entry["kind"]),
        "verdict": verdict_of(entry["kind"]),
        "text": entry["sentence"],
        "guest": names.get(entry["token_id"] or "", ""),
        "actor": actor_words(entry["actor"], guests, staff),
        "channel": entry["channel"],
        "case": entry["case"] or "",
        "offline": body.get("offline") is True,
        "amount_minor": amount_of(entry["kind"], body),
    }


def _is_of(entry: dict[str, Any], value: str) -> bool:
    if value == "refused":
        return verdict_of(entry["kind"]) == "refused"
    nouns = next((nouns for known, _, nouns in _KINDS if known == value), ())
    return not nouns or entry["kind"].partition(".")[0] in nouns


async def _entries(here: Visit, party_id: str, guest: str) -> list[dict[str, Any]]:
    """Return the whole timeline, oldest first; a stay's is a few hundred lines."""
    found: list[dict[str, Any]] = []
    after = 0
    query = {"guest": guest} if guest else {}
    for _ in range(_PAGES_MAX):
        told = await here.api.get(f"/parties/{party_id}/timeline", after=after, limit=_PAGE, **query)
        found += told["entries"]
        if len(told["entries"]) < _PAGE:
            break
        after = told["next"]
    return found


def _party(party: PartySeen, folio: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": party.party_id,
        "name": party.lead.full_name,
        "booking_reference": party.booking_reference,
        "state": party.state,
        "state_words": PARTY_STATES.get(party.state, party.state),
        "room": ", ".join(party.rooms),
        "from": party.arrival_day,
        "until": party.departure_day,
        "balance_minor": folio["balance_minor"],
        "held_minor": folio["held_minor"],
        "guests": [
            {"id": each.guest_id, "token_id": each.token_id, "nickname": each.nickname, "child": each.child}
            for each in party.guests
        ],
    }


def _medium(medium: Any, guest: GuestSeen) -> dict[str, Any]:
    name = NAMES.get(medium.kind, medium.kind)
    return {
        "id": medium.medium_id,
        "kind": medium.kind,
        "name": f"{guest.nickname}’s {name.lower()}",
        "chip": f"ends in {medium.medium_id[-6:]}",
        "state": STATES.get(medium.state, "blank"),
        "stops": STOPS,
    }
