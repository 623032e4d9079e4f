"""A small resort and a rig of an edge's parts, for the tests of the edge."""

import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from readers.custody import SealedCustody
from readers.drivers.base import BadRecord, ChipKind, ContactLost, NoCommands
from readers.outputs import LampLog, Outputs
from readers.sealing import Seal
from readers.settings import ReaderSettings
from readers.store import Store
from readers.tapping import Tapping
from readers.tills import Tills
from readers.transport.base import Anchors, HoldRequest
from readers.trust import Trust
from readers.writer import Writer
from wallet.chips.keys import slot_of
from wallet.chips.ndef import encode_credential_message
from wallet.credential import Credential, Grant, medium_tag, sign
from wallet.entitlement import Admission, Bypass, Entitlement, Parking, RoomKey, Spending
from wallet.ids import uuid7
from wallet.medium import Medium, MediumKind, MediumState
from wallet.pin import make_verifier
from wallet.resort import (
    Attraction,
    Direction,
    Item,
    Lot,
    Outlet,
    Park,
    Policies,
    Resort,
    Room,
    Tax,
    Touchpoint,
    TouchpointKind,
    Venue,
)
from wallet.snapshot import Snapshot
from wallet.tap import Hold, HoldAnswer
from wallet.token import TokenDocument

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
KEY_ID = "0a0b0c0d"
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EDGE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PEPPER = b"p" * 32
UID = bytes.fromhex("04a1b2c3d4e5f6")
POLICIES = Policies()
UNREACHABLE = Hold(HoldAnswer.UNREACHABLE)
PIN_1234 = make_verifier("1234", b"s" * 16, PEPPER)

RESORT = Resort(
    code="TST",
    name="Test resort",
    zone="Europe/Madrid",
    currency="EUR",
    venues=(Venue("hotel", "Hotel"), Venue("park", "Park"), Venue("shops", "Shops")),
    rooms=(Room("101", "hotel", "family"), Room("102", "hotel", "family")),
    lots=(Lot("lot-a", "Lot A", "hotel", 10),),
    parks=(Park("lagoon", "Lagoon", "park", time(9), time(23)),),
    attractions=(Attraction("comet", "Comet", "lagoon", 1, 20), Attraction("ring", "Ring", "lagoon", 2, 20)),
    taxes=(Tax("vat10", "VAT 10", 1000), Tax("extra", "Extra", 1000, included=False)),
    outlets=(
        Outlet(
            "grill",
            "Grill",
            "shops",
            (
                Item("soup", "Soup", 900, "vat10"),
                Item("watch", "Watch", 12000, "vat10"),
                Item("tip", "T", 105, "extra"),
            ),
        ),
    ),
    touchpoints=(
        Touchpoint("door-101", "Door", TouchpointKind.DOOR, "hotel", "101"),
        Touchpoint("lane-in", "Lane", TouchpointKind.PARKING_LANE, "hotel", "lot-a"),
        Touchpoint("gate-1", "Gate 1", TouchpointKind.PARK_GATE, "park", "lagoon"),
        Touchpoint("gate-2", "Gate 2", TouchpointKind.PARK_GATE, "park", "lagoon"),
        Touchpoint("gate-out", "Gate out", TouchpointKind.PARK_GATE, "park", "lagoon", Direction.OUT),
        Touchpoint("comet-merge", "Comet merge", TouchpointKind.MERGE_POINT, "park", "comet"),
        Touchpoint("till-1", "Till", TouchpointKind.TILL, "shops", "grill"),
        Touchpoint("encoder-1", "Encoder", TouchpointKind.ENCODER, "hotel", "101"),
    ),
    policies=POLICIES,
)


def an_id(number: int, noun: int = 0) -> str:
    """Return a made-up id: the same numbers give the same id."""
    return uuid7(NOON, noun.to_bytes(2, "big") + number.to_bytes(8, "big"))


def all_rights(
    number: int, *, daily_limit_minor: int = 30000, at: datetime = NOON
) -> tuple[Entitlement, ...]:
    """Return one right of each kind for guest `number`."""
    early, late = at - timedelta(days=1), at + timedelta(days=2)
    return (
        RoomKey(an_id(number, 10), ("101",), early, late),
        Parking(an_id(number, 11), ("lot-a",), early, late),
        Admission(an_id(number, 12), ("lagoon",), early.date(), late.date(), 2),
        Bypass(an_id(number, 13), "comet", at - timedelta(minutes=10), at + timedelta(minutes=50)),
        Spending(an_id(number, 14), an_id(number, 20), "EUR", daily_limit_minor, 5000, early, late),
    )


def a_document(number: int, version: int = 1, *, at: datetime = NOON, **changes: object) -> TokenDocument:
    """Return guest `number`'s document, with an active band whose chip has UID."""
    medium = Medium(an_id(number, 2), MediumKind.BAND, MediumState.ACTIVE, UID.hex())
    fields: dict[str, object] = {
        "token_id": an_id(number, 1),
        "version": version,
        "party_id": an_id(number, 3),
        "media": (medium,),
        "entitlements": all_rights(number, at=at),
        "pin_verifier": PIN_1234,
    }
    return TokenDocument(**(fields | changes))  # type: ignore[arg-type]  # a test changes any field by name


def a_credential(
    number: int, grants: tuple[Grant, ...] = (), *, at: datetime = NOON, uid: bytes = UID
) -> bytes:
    """Return guest `number`'s signed credential for the chip with that UID."""
    claims = Credential(
        an_id(number, 1),
        medium_tag(an_id(number, 2)),
        uid.hex(),
        at - timedelta(days=1),
        at + timedelta(days=30),
        1,
        KEY_ID,
        grants,
    )
    return sign(claims, ISSUER)


def a_snapshot(*documents: TokenDocument, position: int = 10, as_of: datetime = NOON) -> Snapshot:
    """Return a snapshot of one page."""
    return Snapshot(1, position, as_of, RESORT, tuple(sorted(documents, key=lambda each: each.token_id)))


class StillClock:
    """A clock that is moved by hand; the machine's seconds go on for deadlines."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self._lock = threading.Lock()
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.at

    def elapsed_s(self) -> float:
        return self.seconds

    def pass_s(self, seconds: float) -> None:
        with self._lock:
            self.at += timedelta(seconds=seconds)
            self.seconds += seconds


class CountingEntropy:
    """Bytes that never repeat."""

    def __init__(self, start: int = 0) -> None:
        self._next = start
        self._lock = threading.Lock()

    def bytes(self, count: int) -> bytes:
        with self._lock:
            self._next += 1
            return self._next.to_bytes(count, "big")


@dataclass
class FakeContact:
    """A medium at a reader; `fault` is raised when it is read."""

    data: bytes | None = None
    uid: bytes = UID
    chip_kind: ChipKind = ChipKind.NTAG216
    fault: ContactLost | BadRecord | None = None
    is_random_uid: bool = False

    def exchange(self, apdu: bytes) -> bytes:
        raise NoCommands("This medium takes no commands.")

    def read_message(self) -> bytes | None:
        data = self.read_credential()
        return None if data is None else encode_credential_message(data)

    def read_credential(self) -> bytes | None:
        if self.fault:
            raise self.fault
        return self.data

    def write_credential(self, data: bytes) -> None:
        if self.fault:
            raise self.fault
        self.data = data


@dataclass
class Rig:
    """An edge's way of a tap, put together without a network."""

    directory: Path
    online: bool = True
    answer: Hold = UNREACHABLE
    clock: StillClock = field(default_factory=StillClock)
    held: list[HoldRequest] = field(default_factory=list)
    pushes: int = 0

    def __post_init__(self) -> None:
        self.lamp_log = self.directory / "lamp.jsonl"
        self.entropy = CountingEntropy(int(NOON.timestamp()))
        seal = Seal(EDGE_KEY)
        path = self.directory / "edge.sqlite"
        self.store = Store(path, "edge-1", an_id(1, 99), self.clock.now(), seal)
        self.custody = SealedCustody(self.directory, seal, self.store)
        self.writer = Writer(self.store, self.clock, online=lambda: self.online, journalled=self._journalled)
        self.tills = Tills(self.clock, resort=self.store.resort, paid=self.store.of_sale, sale_wait_s=60)
        keys = {KEY_ID: ISSUER.public_key().public_bytes_raw().hex()}
        self.trust = Trust(Anchors("edge-1", "park", keys, PEPPER.hex()))
        self.log = LampLog(self.lamp_log)
        self.tapping = Tapping(
            writer=self.writer,
            trust=self.trust,
            custody=self.custody,
            slot_at=lambda touchpoint: slot_of(RESORT.touchpoint(touchpoint).kind),
            tills=self.tills,
            outputs=Outputs("edge-1", [self.log]),
            hold=self._hold,
            clock=self.clock,
            entropy=self.entropy,
            pin_wait_s=30,
        )
        self.writer.start()

    def tap(self, touchpoint: str, contact: FakeContact):  # type: ignore[no-untyped-def]  # reads as a sentence
        return self.tapping.take(ReaderSettings(f"{touchpoint}-nfc", touchpoint, "simulated:"), contact)

    def entries(self):  # type: ignore[no-untyped-def]  # all of the journal
        with self.store._database.reading() as db:
            from readers.store import journal

            return tuple(line.entry for line in journal.everything(db))

    def close(self) -> None:
        self.tills.close()
        self.writer.stop()
        self.log.close()
        self.store.close()

    def _hold(self, request: HoldRequest) -> Hold:
        self.held.append(request)
        return self.answer

    def _journalled(self) -> None:
        self.pushes += 1


def spoil(path, statement):
    """Change an edge's file behind its back."""
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()
