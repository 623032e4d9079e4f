"""A gateway with a photo point, parties who tap there and a photographer, on a real database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import SystemClock, SystemEntropy
from gateway.command import Channel, Command, Envelope, Key, Outcome, Service
from gateway.conveyor import Conveyor
from gateway.db import feed as stored_feed
from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.feed import FeedEntry
from gateway.db.load import rows_where
from gateway.db.photos import StoredPhotos
from gateway.db.write import write_rows
from gateway.feed import Feed
from gateway.services.documents import entitlement_row
from gateway.services.photo_claims import PhotoCard, PhotoClaim
from gateway.services.photos import AddPhoto, PhotoAdd, PhotoGather, PhotoUnlink
from gateway.working_set import WorkingSet
from photopass.blobs import MemoryBlobs
from photopass.service import Album, TakenIn
from tests.support import gateway_world
from wallet.entitlement import Photos
from wallet.journal import EntryKind, JournalEntry
from wallet.ledger import AccountKind
from wallet.resort import Touchpoint, TouchpointKind

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
PLAZA = "plaza"
RESORT = replace(
    gateway_world.RESORT,
    touchpoints=(
        *gateway_world.RESORT.touchpoints,
        Touchpoint("plaza-1", "Plaza 1", TouchpointKind.PHOTO_POINT, "park", PLAZA),
        Touchpoint("plaza-2", "Plaza 2", TouchpointKind.PHOTO_POINT, "park", PLAZA),
        Touchpoint("falls-1", "Falls", TouchpointKind.PHOTO_POINT, "park", "falls"),
    ),
)

_ids = count()


class NewFamily(Struct, frozen=True):
    """Make a party with guests, with a photo plan or without."""

    guests: int = 2
    plan: bool = False


class MakeFamily(Service[NewFamily]):
    name = "test.family"

    def keys(self, body: NewFamily) -> frozenset[Key]:
        return frozenset()

    def decide(self, state: WorkingSet, command: Command[NewFamily]) -> Outcome:
        party, folio, *ids = (command.new_id(n) for n in range(2 + 3 * command.body.guests))
        at, day = command.envelope.at, NOON.date()
        made: list[Any] = [
            r.PartyRow(
                party, party[-12:], r.PartyState.BOOKED, "p", day, day, 0, 0, "EUR", folio, ids[0], at
            ),
            r.AccountRow(folio, AccountKind.FOLIO, "EUR", party, limit_minor=0),
        ]
        tokens = []
        for number in range(command.body.guests):
            guest, token, right = ids[3 * number : 3 * number + 3]
            photos = Photos(right, NOON - timedelta(days=1), NOON + timedelta(days=3), command.body.plan)
            made += [
                r.GuestRow(guest, party, token, lead=number == 0),
                r.PersonRow(guest),
                r.TokenRow(token, guest, party),
                entitlement_row(token, photos, made_at=at, resort=state.resort),
            ]
            tokens.append(token)
        return Outcome({"party_id": party, "token_ids": tokens}, tuple(made))


SERVICES: dict[str, Service[Any]] = {
    service.name: service
    for service in (
        gateway_world.LoadResort(),
        MakeFamily(),
        PhotoAdd(),
        PhotoGather(),
        PhotoUnlink(),
        PhotoCard(),
        PhotoClaim(),
    )
}


@dataclass(frozen=True)
class Family:
    """A party and its guests' tokens."""

    party_id: str
    token_ids: list[str]


@dataclass
class PhotoHouse:
    """A gateway without its doors, and an album."""

    database: Database
    feed: Feed
    conveyor: Conveyor
    album: Album
    records: StoredPhotos
    blobs: MemoryBlobs

    def do(
        self, name: str, body: Struct, at: datetime = NOON, command_id: str = "", actor: str = "staff:lens"
    ) -> dict[str, Any]:
        envelope = Envelope(command_id or f"photo-{next(_ids)}", actor, Channel.WEB, None, at)
        return self.conveyor.call(name, Command(envelope, body, SystemEntropy().draw(32)))

    def family(self, guests: int = 2, *, plan: bool = False) -> Family:
        return Family(**self.do("test.family", NewFamily(guests, plan)))

    def tap(self, token_id: str, party_id: str, second: float, **more: Any) -> None:
        """Have a tap of a guest in the ledger, `second` seconds after noon."""
        put_tap(self.database, token_id, party_id, NOON + timedelta(seconds=second), **more)

    def add(
        self, taken_in: TakenIn | None = None, second: float | None = 0, command_id: str = "", **more: Any
    ) -> dict[str, Any]:
        """Put a photo on record, taken `second` seconds after noon."""
        kept = taken_in or made_up(f"photo {next(_ids)}")
        taken_at = None if second is None else NOON + timedelta(seconds=second)
        at = more.pop("at", NOON + timedelta(seconds=(second or 0) + 1))
        body = AddPhoto(
            more.pop("photo_point", PLAZA),
            kept.digest,
            kept.media_type,
            kept.size_bytes,
            kept.width_px,
            kept.height_px,
            kept.original,
            kept.preview,
            taken_at,
            **more,
        )
        return self.do("photo.add", body, at, command_id)

    def linked(self, photo_id: str) -> set[str]:
        """Return the tokens a photo is linked to now."""
        found = self.records.photo(photo_id)
        assert found is not None
        return {each.token_id for each in found.links}

    def events(self, kind: str) -> list[FeedEntry]:
        """Return the feed's entries of a kind."""
        self.feed.sweep()
        with self.database.read() as connection:
            return [entry for entry in stored_feed.entries(connection, 0, 10_000) if entry.kind == kind]


def put_tap(
    database: Database,
    token_id: str,
    party_id: str,
    at: datetime,
    *,
    touchpoint: str = "plaza-1",
    ok: bool = True,
) -> None:
    """Have a tap of a guest in the ledger, as a journal would bring it."""
    number = next(_ids)
    entry = JournalEntry("park", "e", number, EntryKind.TAP, at, 1, 0, "")
    decision = "approved" if ok else "refused"
    tap = r.TapRow(
        f"tap-{number}",
        "park",
        "e",
        number,
        touchpoint,
        "nfc",
        at,
        at,
        decision,
        True,
        entry,
        token_id,
        party_id,
    )
    with database.write() as connection:
        if not rows_where(connection, r.EdgeRow):
            write_rows(connection, [r.EdgeRow("park", "park", r.EdgeState.ENROLLED)], [])
        write_rows(connection, [tap], [])


def put_family(database: Database, guests: int = 2, *, plan: bool = False) -> Family:
    """Have a party in the ledger, as a booking would make it."""
    envelope = Envelope(f"photo-{next(_ids)}", "system", Channel.SYSTEM, None, NOON)
    command = Command(envelope, NewFamily(guests, plan), SystemEntropy().draw(32))
    outcome = MakeFamily().decide(WorkingSet(RESORT), command)
    with database.write() as connection:
        write_rows(connection, outcome.rows, [])
    return Family(**outcome.answer)


def made_up(text: str) -> TakenIn:
    """Return what would have been taken in, for tests that need no picture."""
    digest = sha256(text.encode()).hexdigest()
    return TakenIn(digest, "image/jpeg", 1000, 640, 480, digest, f"{digest}.preview-1")


@contextmanager
def photo_house(url: str) -> Iterator[PhotoHouse]:
    """Give a running gateway with the resort loaded."""
    database = Database(url)
    feed = Feed(database, SystemClock())
    conveyor = Conveyor(database, feed, SERVICES, SystemEntropy())
    records, blobs = StoredPhotos(database), MemoryBlobs()
    conveyor.start()
    house = PhotoHouse(database, feed, conveyor, Album(blobs, records), records, blobs)
    try:
        house.do("test.resort", gateway_world.Resettle(RESORT))
        yield house
    finally:
        conveyor.stop()
        database.close()
