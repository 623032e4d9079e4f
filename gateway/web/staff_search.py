"""/staff: find a guest by name, booking code, band id or a tap at the desk's reader."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response

from gateway.auth import Role
from gateway.web.party import PartySeen, party_of
from gateway.web.staff import STREAM, staff_of
from gateway.web.visit import Visit, visit

router = APIRouter(include_in_schema=False)

_SHOWN = 50
STATES = {"booked": "Expected", "checked_in": "In house", "checked_out": "Departed", "cancelled": "Cancelled"}


@router.get("/staff")
async def search(
    here: Annotated[Visit, Depends(visit("desk", "operations"))], q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Show who fits."""
    if Role.DESK not in here.principal.roles:
        return RedirectResponse("/staff/conflicts", 303)  # finding guests is the desk's; operations begins with these
    results = None
    if q.strip():
        found = await here.api.get("/parties", q=q.strip())
        results = [row_of(party_of(each)) for each in found["parties"]]
    return here.page(
        "staff_search.html",
        **here.live(STREAM),
        staff=staff_of(here),
        q=q,
        results=results[:_SHOWN] if results is not None else None,
        more=results is not None and len(results) > _SHOWN,
    )


def row_of(party: PartySeen) -> dict[str, Any]:
    """Return a party as one line of the table."""
    return {
        "id": party.party_id,
        "name": party.lead.full_name,
        "booking_reference": party.booking_reference,
        "state": STATES.get(party.state, party.state),
        "from": party.arrival_day,
        "until": party.departure_day,
        "room": ", ".join(party.rooms),
        "party": [each.nickname for each in party.guests],
    }
