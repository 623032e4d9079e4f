"""/staff/conflicts: where edges and ledger disagree, until a person has looked at it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from gateway.web.pages import go
from gateway.web.staff import STREAM, staff_of
from gateway.web.telling import conflict_words, place_of
from gateway.web.visit import Post, Visit, posted, visit
from wallet.reasons import Reason, sentence
from wallet.resort import Resort

router = APIRouter(include_in_schema=False)


@router.get("/staff/conflicts")
async def conflicts(
    here: Annotated[Visit, Depends(visit("operations"))],
    state: Annotated[str, Query(pattern="^(open|resolved)$")] = "open",
) -> Response:
    """Show open or resolved conflicts with both sides."""
    live = here.live(STREAM)
    told = await here.api.get("/conflicts", state=state)
    return here.page(
        "staff_conflicts.html",
        **live,
        staff=staff_of(here),
        state=state,
        conflicts=[shown(each, here.resort) for each in told["conflicts"]],
    )


@router.post("/staff/conflicts/{conflict_id}/resolve")
async def resolve(post: Annotated[Post, Depends(posted("operations"))], conflict_id: str) -> Response:
    """Resolve a conflict with a note on what was done."""
    await post.api.command(f"/conflicts/{conflict_id}/resolve", post.key, {"note": post.text("note")})
    return go("/staff/conflicts", done="resolved")


def shown(told: dict[str, Any], resort: Resort) -> dict[str, Any]:
    """Return a conflict with what the edge knew and what the ledger says."""
    detail = told.get("detail") or {}
    return {
        "id": told["conflict_id"],
        "at": datetime.fromisoformat(told["at"]),
        "text": conflict_words(told["kind"]),
        "sides": [side for side in (_edge_side(told, detail, resort), _our_side(detail, resort)) if side],
        "amount_minor": told["amount_minor"] or None,
        "note": told.get("note") or "",
        "resolved_by": told.get("resolved_by") or "",
        "is_open": told["state"] == "open",
    }


def _edge_side(told: dict[str, Any], detail: dict[str, Any], resort: Resort) -> str:
    edge = detail.get("edge") or {}
    place = place_of(edge, resort)
    how = "decided with the gateway" if edge.get("online") else "decided alone"
    as_of = edge.get("as_of")
    known = (
        f", knowing everything up to {resort.local(datetime.fromisoformat(as_of)):%H:%M:%S}" if as_of else ""
    )
    return f"The {told['edge']} edge let it pass at {place}: it {how}{known}." if told.get("edge") else ""


def _our_side(detail: dict[str, Any], resort: Resort) -> str:
    try:
        said = sentence(Reason(str(detail.get("our_reason", ""))), detail.get("our_detail") or {})
    except ValueError:
        return ""
    other_at = detail.get("other_at")
    other = ""
    if isinstance(other_at, str):
        at = resort.local(datetime.fromisoformat(other_at))
        other = f" The other use: {detail.get('other_place', '')}, {at:%H:%M:%S}."
    return f"The ledger would have said: {said}{other}"
