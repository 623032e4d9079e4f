"""The tap journal: numbered without gaps within an epoch, each entry chained to the one before by SHA-256."""

import hashlib
from enum import StrEnum

import msgspec
from msgspec import Struct

from wallet.instant import Instant
from wallet.tap import Decision, Tap

GENESIS = "0" * 64
"""The chain value before the first entry of an epoch."""


class EntryKind(StrEnum):
    """What an entry records: a tap's verdict, a wrong PIN on the way to one, or an edge's start."""

    TAP = "tap"
    PIN_TRY = "pin_try"
    STARTED = "started"


class JournalEntry(Struct, frozen=True, omit_defaults=True):
    """One entry. The verdict is the one the guest saw.

    `position`, `as_of`, the two versions, `online`, the PIN tries and the two offline amounts are what it rested on, so
    that it can be decided again with the same facts.
    `token_id` is empty where the tap showed no credential. `decision` is None for a start and a wrong PIN.
    """

    edge: str
    epoch: str
    number: int
    kind: EntryKind
    at: Instant
    rulebook: int
    position: int
    previous: str
    tap: Tap | None = None
    token_id: str = ""
    decision: Decision | None = None
    as_of: Instant | None = None
    document_version: int = 0
    resort_version: int = 0
    pin_tries: int = 0
    online: bool = False
    edge_offline_minor: int = 0
    token_offline_minor: int = 0


class JournalBatch(Struct, frozen=True):
    """Consecutive entries of one edge and epoch, with the chain value after the last of them."""

    wire: int
    edge: str
    epoch: str
    entries: tuple[JournalEntry, ...]
    head: str


class JournalReceipt(Struct, frozen=True, omit_defaults=True):
    """The gateway's answer: it has everything up to `acknowledged`, whose chain value is `head`.

    `set_aside` lists the numbers of entries that could not be applied and wait for a person.
    `position` is the feed's, up to which everything that these entries did is told; 0 from a gateway that doesn't say.
    """

    edge: str
    epoch: str
    acknowledged: int
    head: str
    set_aside: tuple[int, ...] = ()
    position: int = 0


class JournalFault(Exception):
    """The entries are no unbroken continuation; the sentence says where."""


def encode_entry(entry: JournalEntry) -> bytes:
    """Return the bytes that are stored, sent and hashed: equal entries give equal bytes."""
    return msgspec.json.encode(entry, order="deterministic")


def chain(previous: str, entry: JournalEntry) -> str:
    """Return the chain value (64 hex digits) after `entry`, given the one before it."""
    return hashlib.sha256(previous.encode() + encode_entry(entry)).hexdigest()


def follow(entries: tuple[JournalEntry, ...], number: int, head: str) -> str:
    """Return the chain value after `entries`, which must continue number `number` with chain value `head`.

    Raises:
        JournalFault: a gap, a number twice, an entry that names another predecessor (an edit or a fork), or one of
            another edge or epoch than the first. An edit of the last entry shows in the value returned.
    """
    for entry in entries:
        if (entry.edge, entry.epoch) != (entries[0].edge, entries[0].epoch):
            raise JournalFault(f"entry {entry.number} is of another edge or epoch than the ones before")
        if entry.number != number + 1:
            raise JournalFault(f"entry {entry.number} follows {number}: expected {number + 1}")
        if entry.previous != head:
            raise JournalFault(f"entry {entry.number} does not continue the chain known up to {number}")
        head = chain(head, entry)
        number = entry.number
    return head
