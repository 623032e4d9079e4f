"""What edges bring: their journals, and the question for a hold."""

import hashlib
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import Caller, caller
from gateway.errors import Rejection
from gateway.homecoming import follow_up
from gateway.services.holds import PlaceHold
from gateway.services.journal import TakeJournal
from wallet.journal import JournalBatch
from wallet.snapshot import WireError, decode
from wallet.tap import Tap

router = APIRouter(tags=["journal"])

EdgeCaller = Annotated[Caller, Depends(caller("edge"))]
_COMMAND_ID_MAX = 80
W = TypeVar("W", bound=Struct)


class HoldWish(Struct, frozen=True):
    """A tap whose sale needs the gateway's hold, as the edge would journal it."""

    tap: Tap
    token_id: str


@router.post("/edge/journal")
async def take(request: Request, called: EdgeCaller) -> dict[str, Any]:
    """Take a batch of the edge's journal (wallet.journal.JournalBatch) and return the receipt."""
    batch = _decoded(await request.body(), JournalBatch)
    if batch.edge != called.principal.edge:
        raise Rejection("other_edge", 403, "An edge brings its own journal only.")
    # The batch names itself: however its request is retried, it is taken once.
    try:
        receipt = await replace(called, key=_batch_id(batch)).do("journal.take", TakeJournal(batch))
    except Rejection as refusal:
        if "acknowledged" in refusal.detail:
            # The edge takes this mark like a receipt's, and lets go of what the feed has told of it.
            refusal.detail["position"] = await _told_up_to(called)
        raise
    # Before the answer, so that an edge whose answer was lost, or which hears that there was no time, asks again.
    await follow_up(called.gateway, batch)
    # Not part of the stored answer: the entries have their positions only once they are committed.
    return receipt | {"position": await _told_up_to(called)}


@router.post("/edge/holds")
async def hold(request: Request, called: EdgeCaller) -> dict[str, Any]:
    """Hold the amount of a tap's sale, or say why not (wallet.tap.Hold)."""
    wish = _decoded(await request.body(), HoldWish)
    _check(called, wish)
    placed = PlaceHold(called.principal.edge, wish.tap, wish.token_id)
    return await replace(called, key=f"hold:{wish.tap.tap_id}").do("hold.place", placed)


async def _told_up_to(called: Caller) -> int:
    """Return the feed position up to which everything committed so far is told."""
    await run_in_threadpool(called.gateway.feed.sweep)
    return called.gateway.feed.head


def _decoded(data: bytes, kind: type[W]) -> W:
    try:
        return decode(data, kind)
    except WireError as error:
        raise Rejection("malformed", 400, f"The body is {error}.") from None


def _batch_id(batch: JournalBatch) -> str:
    first, last = (batch.entries[0].number, batch.entries[-1].number) if batch.entries else (0, 0)
    name = f"{batch.edge}:{batch.epoch}:{first}-{last}:{batch.head[:16]}"
    return name if len(name) <= _COMMAND_ID_MAX else f"journal:{hashlib.sha256(name.encode()).hexdigest()}"


def _check(called: Caller, wish: HoldWish) -> None:
    credential = wish.tap.presented.credential
    if credential is None or credential.token_id != wish.token_id:
        raise Rejection("other_token", 422, "The tap's credential is not of the token that is to be charged.")
    try:
        venue = called.gateway.feed.resort().touchpoint(wish.tap.touchpoint).venue
    except KeyError as missing:
        raise Rejection("unknown_touchpoint", 422, f"{missing.args[0]}.") from None
    if venue != called.principal.venue:
        raise Rejection("other_venue", 403, "An edge asks for its own venue's touchpoints only.")
