"""What edges bring: their journals, and the question for a hold."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import Caller, caller
from gateway.bootstrap import Gateway
from gateway.command import Channel, Envelope
from gateway.db import taps
from gateway.errors import Busy, Rejection
from gateway.services.holds import ExpireHold, PlaceHold
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
    edge, gateway = called.principal.edge, called.gateway
    if batch.edge != edge:
        raise Rejection("other_edge", 403, "An edge brings its own journal only.")
    # The batch names itself: however its request is retried, it is taken once.
    receipt = await replace(called, key=_batch_id(batch)).do("journal.take", TakeJournal(batch))
    await run_in_threadpool(_let_go, gateway, edge, batch)
    return receipt


@router.post("/edge/holds")
async def hold(request: Request, called: EdgeCaller) -> dict[str, Any]:
    """Hold the amount of a tap's sale, or say why not (wallet.tap.Hold)."""
    wish = _decoded(await request.body(), HoldWish)
    _check(called, wish)
    placed = PlaceHold(called.principal.edge, wish.tap, wish.token_id)
    return await replace(called, key=f"hold:{wish.tap.tap_id}").do("hold.place", placed)


def _decoded(data: bytes, kind: type[W]) -> W:
    try:
        return decode(data, kind)
    except WireError as error:
        raise Rejection("malformed", 400, f"The body is {error}.") from None


def _batch_id(batch: JournalBatch) -> str:
    first, last = (batch.entries[0].number, batch.entries[-1].number) if batch.entries else (0, 0)
    name = f"{batch.edge}:{batch.epoch}:{first}-{last}:{batch.head[:16]}"
    return name if len(name) <= _COMMAND_ID_MAX else f"journal:{hashlib.sha256(name.encode()).hexdigest()}"


def _let_go(gateway: Gateway, edge: str, batch: JournalBatch) -> None:
    """Have the holds expire that this journal has passed without their taps. What fails is tried at the next batch."""
    if not batch.entries:
        return
    last = batch.entries[-1]
    with gateway.database.read() as connection:
        passed = taps.holds_passed(connection, edge, last.at)
    now = gateway.clock.now()
    for tap_id in passed:
        envelope = Envelope(f"expire:{tap_id}:{last.number}", f"edge:{edge}", Channel.SYSTEM, None, now)
        with suppress(Busy):
            gateway.conveyor.submit("hold.expire", gateway.command(envelope, ExpireHold(edge, tap_id)))


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
