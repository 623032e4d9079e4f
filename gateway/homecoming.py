"""What follows once a batch of an edge's journal is home: holds that it has passed, photos that its taps belong to."""

from collections import defaultdict
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from gateway.bootstrap import Gateway
from gateway.command import Channel, Envelope
from gateway.db import taps
from gateway.errors import Busy
from gateway.services.holds import ExpireHold
from gateway.services.photos import GatherPhotos
from wallet.journal import JournalBatch
from wallet.resort import TouchpointKind
from wallet.tap import Approved


def follow_up(gateway: Gateway, batch: JournalBatch) -> None:
    """Put the commands that follow from a batch on the conveyor; asked again, it changes nothing more."""
    if batch.entries:
        _expire_holds(gateway, batch)
        _gather_photos(gateway, batch)


def _expire_holds(gateway: Gateway, batch: JournalBatch) -> None:
    last = batch.entries[-1]
    with gateway.database.read() as connection:
        passed = taps.holds_passed(connection, batch.edge, last.at)
    for tap_id in passed:
        _submit(
            gateway, batch, "hold.expire", f"expire:{tap_id}:{last.number}", ExpireHold(batch.edge, tap_id)
        )


def _gather_photos(gateway: Gateway, batch: JournalBatch) -> None:
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
        name = f"gather:{batch.edge}:{batch.epoch}:{batch.entries[-1].number}:{place}"
        _submit(gateway, batch, "photo.gather", name, wish)


def _submit(gateway: Gateway, batch: JournalBatch, name: str, command_id: str, wish: Struct) -> None:
    at = gateway.clock.now()
    envelope = Envelope(command_id, f"edge:{batch.edge}", Channel.SYSTEM, None, at)
    # A full conveyor leaves it to the next batch, which asks for these holds again.
    with suppress(Busy):
        gateway.conveyor.submit(name, gateway.command(envelope, wish))
