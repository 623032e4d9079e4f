"""/staff: find a guest by name, booking code, band id or a tap at the desk's reader."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response

from gateway.auth import Role
from gateway.web.staff import STREAM, staff_of
from gateway.web.visit import Visit, visit

router = APIRouter(include_in_schema=False)

_SHOWN = 50
_LETTERS_MIN = 2
STATES = {"booked": "Expected", "checked_in": "In house", "checked_out": "Departed", "cancelled": "Cancelled"}


@router.get("/staff")
async def search(
    here: Annotated[Visit, Depends(visit("desk", "operations"))],
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show who fits."""
    if Role.DESK not in here.principal.roles:
        return RedirectResponse(
            "/staff/conflicts", 303
        )  # finding guests is the desk's; operations begins with these
    results = None
    if len(q.strip()) >= _LETTERS_MIN:
        found = await here.api.get("/parties", q=q.strip(), limit=_SHOWN + 1)
        results = [row_of(each) for each in found["parties"]]
    return here.page(
        "staff_search.html",
        **here.live(STREAM),
        staff=staff_of(here),
        q=q,
        results=results[:_SHOWN] if results is not None else None,
        names={each.id: each.name for each in here.resort.products} if results else {},
        more=results is not None and len(results) > _SHOWN,
    )


def row_of(told: dict[str, Any]) -> dict[str, Any]:
    """Return a party as one line of the table."""
    return {
        "id": told["party_id"],
        "name": f"{told['given_name']} {told['family_name']}".strip() or "Forgotten guest",
        "booking_reference": told["booking_reference"],
        "state": STATES.get(told["state"], told["state"]),
        "product": told["product"],
        "from": date.fromisoformat(told["arrival_day"]),
        "until": date.fromisoformat(told["departure_day"]),
    }
