"""What is left for a person: conflicts, journal entries that were set aside, and a single tap in full."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import Caller, GatewayHere, caller, role
from gateway.bootstrap import Gateway
from gateway.db import taps
from gateway.db.rows import ConflictRow, ConflictState, SetAsideRow, SetAsideState
from gateway.errors import not_found
from gateway.services.conflicts import ResolveConflict
from gateway.services.set_aside import SettleSetAside
from wallet.journal import JournalEntry
from wallet.reasons import Language, Reason, sentence
from wallet.tap import Refused

router = APIRouter(tags=["conflicts"])

Operations = Annotated[Caller, Depends(caller("operations"))]


_PLACE_OR_NONE = r"^([^/]+/[^/]+/[0-9]{1,18})?$"
"""Edge, epoch and number of a journal entry, as a cursor names it."""


class Note(BaseModel):
    """What was done about it."""

    note: str = Field(min_length=1, max_length=2000)


@router.get("/conflicts", dependencies=[Depends(role("operations"))])
def conflicts(
    gateway: GatewayHere,
    state: ConflictState | None = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Conflicts behind `after`, in the order in which they were filed."""
    with gateway.database.read() as connection:
        found = taps.conflicts(connection, state, after, limit)
    return {"conflicts": [_conflict(row) for row in found], "next": found[-1].id if found else after}


@router.post("/conflicts/{conflict_id}/resolve")
async def resolve(conflict_id: str, body: Note, called: Operations) -> dict[str, Any]:
    """Say what was done about a conflict; it stays in the list of the resolved."""
    return await called.do("conflict.resolve", ResolveConflict(conflict_id, body.note))


@router.get("/set-aside", dependencies=[Depends(role("operations"))])
def set_aside(
    gateway: GatewayHere,
    state: SetAsideState = SetAsideState.WAITING,
    after: Annotated[str, Query(max_length=160, pattern=_PLACE_OR_NONE, examples=["park/e1/17"])] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Journal entries behind `after` that could not be applied, and why; by edge, epoch and number."""
    with gateway.database.read() as connection:
        found = taps.set_aside(connection, state, _place(after), limit)
    last = found[-1] if found else None
    following = f"{last.edge}/{last.epoch}/{last.number}" if last else after
    return {"set_aside": [_aside(row) for row in found], "next": following}


@router.post("/set-aside/{edge}/{epoch}/{number}/replay")
async def replay(edge: str, epoch: str, number: int, body: Note, called: Operations) -> dict[str, Any]:
    """Apply an entry once more."""
    return await _settle(called, edge, epoch, number, body.note, again=True)


@router.post("/set-aside/{edge}/{epoch}/{number}/dismiss")
async def dismiss(edge: str, epoch: str, number: int, body: Note, called: Operations) -> dict[str, Any]:
    """Give an entry up, with a note."""
    return await _settle(called, edge, epoch, number, body.note, again=False)


@router.get("/taps/{tap_id}", dependencies=[Depends(role("desk", "operations"))])
def tap(tap_id: str, gateway: GatewayHere, lang: Language = Language.ENGLISH) -> dict[str, Any]:
    """One tap: what the guest saw, what it rested on, what it used, and what was filed about it."""
    with gateway.database.read() as connection:
        row = taps.tap_named(connection, tap_id)
        uses, filed = taps.uses_of(connection, tap_id), taps.conflicts_of_tap(connection, tap_id)
    if row is None:
        raise not_found("tap", tap_id)
    decision = row.entry.decision
    said = sentence(Reason(decision.reason), decision.detail, lang) if isinstance(decision, Refused) else None
    return {
        "tap_id": row.id,
        "touchpoint": row.touchpoint,
        "reader": row.reader,
        "at": row.at,
        "received_at": row.received_at,
        "decision": row.decision,
        "reason": row.reason,
        "sentence": said,
        "edge": row.edge,
        "epoch": row.epoch,
        "number": row.number,
        "online": row.online,
        "token_id": row.token_id,
        "party_id": row.party_id,
        "medium_id": row.medium_id,
        "entitlement_id": row.entitlement_id,
        "amount_minor": row.amount_minor,
        "rested_on": {
            "position": row.entry.position,
            "as_of": row.entry.as_of,
            "document_version": row.entry.document_version,
            "rulebook": row.entry.rulebook,
        },
        "uses": [
            {"entitlement_id": use.entitlement_id, "step": use.step, "place": use.place} for use in uses
        ],
        "conflicts": [_conflict(conflict) for conflict in filed],
    }


async def _settle(
    called: Caller, edge: str, epoch: str, number: int, note: str, *, again: bool
) -> dict[str, Any]:
    entry = await run_in_threadpool(_entry, called.gateway, edge, epoch, number)
    wish = SettleSetAside(
        edge=edge,
        epoch=epoch,
        number=number,
        replay=again,
        note=note,
        tap_id=entry.tap.tap_id if entry.tap else "",
        token_id=entry.token_id,
        tapped_at=entry.tap.at if entry.tap else None,
    )
    return await called.do("set_aside.settle", wish)


def _entry(gateway: Gateway, edge: str, epoch: str, number: int) -> JournalEntry:
    with gateway.database.read() as connection:
        row = taps.set_aside_named(connection, edge, epoch, number)
    if row is None:
        raise not_found("entry", f"{edge}/{epoch}/{number}")
    return msgspec.json.decode(row.entry, type=JournalEntry)


def _place(cursor: str) -> tuple[str, str, int] | None:
    if not cursor:
        return None
    edge, epoch, number = cursor.split("/")
    return edge, epoch, int(number)


def _conflict(row: ConflictRow) -> dict[str, Any]:
    return {
        "conflict_id": row.id,
        "kind": row.kind,
        "at": row.at,
        "tap_id": row.tap_id,
        "edge": row.edge,
        "token_id": row.token_id,
        "party_id": row.party_id,
        "detail": row.detail,
        "amount_minor": row.amount_minor,
        "state": row.state,
        "note": row.note,
        "resolved_by": row.resolved_by,
        "resolved_at": row.resolved_at,
    }


def _aside(row: SetAsideRow) -> dict[str, Any]:
    return {
        "edge": row.edge,
        "epoch": row.epoch,
        "number": row.number,
        "sentence": row.sentence,
        "at": row.at,
        "state": row.state,
        "note": row.note,
        "entry": msgspec.json.decode(row.entry),
    }
