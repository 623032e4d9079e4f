"""Commands: who wants what, on which channel, for which case; and what a service makes of one."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from gateway.db.rows import Row
from wallet.ids import uuid7

if TYPE_CHECKING:
    from gateway.working_set import WorkingSet

B = TypeVar("B", bound=Struct)


class Channel(StrEnum):
    """Where a command came from."""

    WEB = "web"
    APP = "app"
    DESK = "desk"
    PHONE = "phone"
    TOUCHPOINT = "touchpoint"
    OPERATIONS = "operations"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who says it: `id` is the idempotency key, `actor` is "guest:<id>", "staff:<id>", "edge:<id>" or "anonymous"."""

    id: str
    actor: str
    channel: Channel
    case: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Command(Generic[B]):
    """An envelope, a body (a frozen struct) and 32 random bytes, so that deciding draws none of its own."""

    envelope: Envelope
    body: B
    entropy: bytes

    def new_id(self, n: int) -> str:
        """Return the n-th id of this command, the same each time it is decided."""
        return uuid7(self.envelope.at, self.random(n)[:10])

    def random(self, n: int) -> bytes:
        """Return the n-th 32 random bytes of this command, the same each time it is decided."""
        return hashlib.sha256(self.entropy + n.to_bytes(4, "big")).digest()

    def body_hash(self, name: str) -> str:
        """Return the hash (hex) that tells whether a known id comes with the same wish of the same actor."""
        text = msgspec.json.encode([name, self.envelope.actor, self.body])
        return hashlib.sha256(text).hexdigest()


class KeyKind(IntEnum):
    """What can be held still, in the order in which it is locked; the first few only lead to something held.

    Holding a key also loads what hangs on it (gateway/db/load.py); PARTY leads on to its tokens and folio, TOKEN
    to the account it charges.
    """

    # Looked up, not locked: what they lead to never changes.
    BOOKING = 1  # booking reference → PARTY
    GUEST = 2  # guest → PARTY
    MEDIUM = 3  # medium → TOKEN
    ENTITLEMENT = 4  # entitlement → TOKEN
    ENCODING = 5  # encoding → TOKEN
    PRINTED = 6  # what is printed on a chip → CHIP and STOCK
    KNOWN_UID = 7  # a chip's UID → its BATCH, if it is known
    KNOWN_PRINTED = 8  # what is printed on a chip → its BATCH, if it is known

    RESORT = 10  # "current": only the command that loads a new version holds it; all others share it
    STAFF = 11  # by name
    ISSUER = 12  # "keys": all issuer keys, and all epochs of the chips' keys
    SESSION = 13  # by token hash
    EDGE = 20  # the edge and its journal heads
    JOURNAL = 25  # a span of an edge's journal by journal_key(): the taps that came home in it
    PARTY = 30  # party, guests, persons, stays, sign-in codes
    CHIP = 35  # who is on a chip, by its UID → the TOKENs that it carried
    TOKEN = 40  # token, media, entitlements, uses that matter, document, open encodings, pending holds
    STOCK = 45  # the chip itself, by its UID: its batch, its keys, its counter
    BATCH = 46  # a supplier's batch by its name: its chips
    CODE = 47  # a code of a phone: the taps that showed it
    SUN = 48  # a chip's SUN messages, by its UID: the last taps that showed them
    TAP = 50  # the tap and the hold under its id
    ACCOUNT = 60  # the account and its pending holds
    WINDOW = 70  # one return window: window_key()
    NIGHT = 75  # one night in all rooms of a type: night_key()
    ROOM = 80  # a ROOM TYPE: the stays, not yet over, in all rooms of the type
    PHOTO_POINT = 85  # a photo point by its name; taps and photos of a span of time there by span_key()
    CLAIM = 90  # a claim card by its code's hash → its PHOTOs
    PHOTO = 100  # photo and links
    SET_ASIDE = 110  # set_aside_key(); putting the row needs its EDGE held
    CONFLICT = 120


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """One thing to be held still while a command is decided."""

    kind: KeyKind
    id: str


def window_key(attraction: str, starts_at: datetime) -> Key:
    """Return the key of a return window."""
    return Key(KeyKind.WINDOW, f"{attraction}|{starts_at.isoformat()}")


def night_key(room_type: str, night: date) -> Key:
    """Return the key of one night in the rooms of a type; a night is named by the day on which it begins."""
    return Key(KeyKind.NIGHT, f"{room_type}|{night.isoformat()}")


def span_key(photo_point: str, touchpoint: str, span: tuple[datetime, datetime] | None) -> Key:
    """Return the key of what was tapped at a touchpoint and taken at its photo point in a span of time.

    Both ends are included; None means what is recent.
    """
    ends = "|".join(end.isoformat() for end in span) if span else "|"
    return Key(KeyKind.PHOTO_POINT, f"{photo_point}|{touchpoint}|{ends}")


def journal_key(edge: str, epoch: str, first: int, last: int) -> Key:
    """Return the key of the entries `first` to `last`, both included, of an edge's journal."""
    return Key(KeyKind.JOURNAL, f"{edge}|{epoch}|{first}|{last}")


def set_aside_key(edge: str, epoch: str, number: int) -> Key:
    """Return the key of a journal entry that was set aside."""
    return Key(KeyKind.SET_ASIDE, f"{edge}|{epoch}|{number}")


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in the feed. `body` is JSON-able and names pseudonymous ids only."""

    kind: str
    body: dict[str, Any]
    party_id: str | None = None
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command gives: the stored answer (JSON-able, no secret in it), rows to put, events to tell."""

    answer: dict[str, Any]
    rows: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()


class Service(ABC, Generic[B]):
    """One command: what it holds, and its pure decision. Loading, locking and writing are the conveyor's."""

    name: str
    """Noun and verb, like "booking.create"."""
    alone: bool = False
    """Whether this command is a batch of its own, since it changes what the others of a batch have read."""

    @abstractmethod
    def keys(self, body: B) -> frozenset[Key]:
        """Return what must be held still, as far as the body tells."""

    def expand(self, state: "WorkingSet", body: B) -> frozenset[Key]:
        """Return what else must be held, now that more is known; called before any and after each kind is loaded.

        What it names must come later in the order of KeyKind than what it was read from. `state` holds what
        is loaded so far, so look for what may be missing with `get`.
        """
        return frozenset()

    def since(self, body: B) -> datetime | None:
        """Return the instant back to which uses are needed, None when those of the last days are enough."""
        return None

    def weight(self, body: B) -> int:
        """Return as how many commands this one counts, so that a transaction stays short."""
        return 1

    @abstractmethod
    def decide(self, state: "WorkingSet", command: Command[B]) -> Outcome:
        """Return the outcome. Pure: no clock, no I/O, no randomness but `command`'s.

        Raises:
            Rejection: the command is refused; nothing is written, nothing is stored.
        """
