"""/app/folio: every line on the room bill."""

from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.web.guest_today import STREAM, who
from gateway.web.party import party_of
from gateway.web.visit import Visit, visit
from wallet.resort import Resort

router = APIRouter(include_in_schema=False)


@router.get("/app/folio")
async def folio(here: Annotated[Visit, Depends(visit("guest"))]) -> Response:
    """Show the folio, on screen and on paper."""
    live = here.live(STREAM)
    party = party_of(await here.api.get(f"/parties/{here.party_id}"))
    told = await here.api.get(f"/parties/{here.party_id}/folio")
    return here.page(
        "app_folio.html",
        **live,
        guest=who(here, party),
        booking_reference=party.booking_reference,
        stay={
            "room": ", ".join(party.rooms),
            "from": party.arrival_day,
            "until": party.departure_day,
            "party": [each.nickname for each in party.guests],
        },
        balance_minor=told["balance_minor"],
        held_minor=told["held_minor"],
        limit_minor=told["limit_minor"],
        days=days_of_lines(told["lines"], here.resort),
        checked_out=party.state == "checked_out",
    )


def days_of_lines(lines: list[dict[str, Any]], resort: Resort) -> list[dict[str, Any]]:
    """Return the lines day by day, the latest day first."""
    outlets = {each.id: each.name for each in resort.outlets}
    shown = [
        {
            "id": each["transfer_id"],
            "at": datetime.fromisoformat(each["at"]),
            "text": each["description"],
            "outlet": _outlet(each, outlets),
            "guest": each["given_name"],
            "amount_minor": each["amount_minor"],
        }
        for each in lines
    ]
    shown.sort(key=lambda line: line["at"], reverse=True)

    def day_of(line: dict[str, Any]) -> date:
        return resort.day_of(line["at"])

    grouped = [(day, list(those)) for day, those in groupby(shown, key=day_of)]
    return [
        {"day": day, "lines": those, "total_minor": sum(line["amount_minor"] for line in those)}
        for day, those in grouped
    ]


def _outlet(line: dict[str, Any], outlets: dict[str, str]) -> str:
    """Return where it was bought, unless the line says so already."""
    name = outlets.get(line["outlet"] or "", "")
    return "" if name == line["description"] else name
