"""What follows once a batch of an edge's journal is home: holds that it has passed, photos that its taps belong to."""

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime

from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from gateway.bootstrap import Gateway
from gateway.command import Channel, Envelope
from gateway.db import taps
from gateway.errors import Busy
from gateway.services.holds import ExpireHold
from gateway.services.photos import GatherPhotos
from gateway.waiting import Answer
from wallet.journal import JournalBatch
from wallet.resort import TouchpointKind
from wallet.tap import Approved

_log = logging.getLogger(__name__)

_Wish = tuple[str, str, Struct]
"""A command's name, its id, and what it asks for."""


async def follow_up(gateway: Gateway, batch: JournalBatch) -> None:
    """Carry out what follows from a batch that is home; asked again, it changes nothing more.

    Raises:
        Busy: not all of it was carried out. Nobody else asks for it, so the edge has to bring the batch again.
    """
    if not batch.entries:
        return
    asked = await run_in_threadpool(_asked, gateway, batch)
    # Shielded: an edge that hangs up takes nothing off the conveyor.
    told = await asyncio.shield(
        asyncio.gather(*(asyncio.wrap_future(future) for _, future in asked), return_exceptions=True)
    )
    busy: Busy | None = None
    for (command_id, _), outcome in zip(asked, told, strict=True):
        if isinstance(outcome, Busy):
            busy = outcome
        elif isinstance(outcome, BaseException):
            # Brought again it would fail again: it must not keep the edge's journal from going on.
            _log.warning("%s did not follow from a journal: %r", command_id, outcome)
    if busy is not None:
        raise busy


def _asked(gateway: Gateway, batch: JournalBatch) -> list[tuple[str, Future[Answer]]]:
    """Put what follows on the conveyor; one that finds it full ends as if it had waited there in vain."""
    asked: list[tuple[str, Future[Answer]]] = []
    for name, command_id, wish in (*_holds_passed(gateway, batch), *_photos_around(gateway, batch)):
        at = gateway.clock.now()
        envelope = Envelope(command_id, f"edge:{batch.edge}", Channel.SYSTEM, None, at)
        try:
            future = gateway.conveyor.submit(name, gateway.command(envelope, wish))
        except Busy as busy:
            future = Future()
            future.set_exception(busy)
        asked.append((command_id, future))
    return asked


def _holds_passed(gateway: Gateway, batch: JournalBatch) -> Iterator[_Wish]:
    last = batch.entries[-1]
    with gateway.database.read() as connection:
        passed = taps.holds_passed(connection, batch.edge, last.at)
    for tap_id in passed:
        yield "hold.expire", f"expire:{tap_id}:{last.number}", ExpireHold(batch.edge, tap_id)


def _photos_around(gateway: Gateway, batch: JournalBatch) -> Iterator[_Wish]:
    """A tap may come home long after its picture was uploaded: look again who is in the pictures around it."""
    spans: defaultdict[str, list[datetime]] = defaultdict(list)
    points = {point.id: point for point in gateway.feed.resort().touchpoints}
    for entry in batch.entries:
        if entry.tap is None or not isinstance(entry.decision, Approved):
            continue
        point = points.get(entry.tap.touchpoint)
        if point is not None and point.kind is TouchpointKind.PHOTO_POINT:
            spans[point.place].append(entry.tap.at)
    for place, instants in spans.items():
        wish = GatherPhotos(place, min(instants), max(instants))
        # Of all that it asks for: cut in another way, a batch asks for other taps, and may not be given this answer.
        named = (batch.edge, batch.epoch, batch.entries[0].number, batch.entries[-1].number, wish)
        yield "photo.gather", f"gather:{hashlib.sha256(repr(named).encode()).hexdigest()}", wish
