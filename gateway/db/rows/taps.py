"""Rows of taps, the edges that decide them, and what is left for a person to look at."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from wallet.journal import JournalEntry


class EdgeState(StrEnum):
    """Whether an edge may speak to the gateway."""

    WAITING = "waiting"
    ENROLLED = "enrolled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """An edge of a venue. `public_key` is hex; the enrolment code is kept as a hash and works once."""

    id: str
    venue: str
    state: EdgeState
    public_key: str = ""
    enrol_code_hash: str = ""
    enrol_expires_at: datetime | None = None
    enrolled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EdgeNonceRow:
    """A nonce of a signed request, seen once."""

    edge: str
    nonce: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class JournalHeadRow:
    """How far the gateway has an edge's journal in one epoch, and the chain value there."""

    edge: str
    epoch: str
    number: int
    head: str
    at: datetime


class SetAsideState(StrEnum):
    """What became of a journal entry that could not be applied."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """A journal entry that could not be applied, kept as it came, and why."""

    edge: str
    epoch: str
    number: int
    entry: str
    sentence: str
    at: datetime
    state: SetAsideState = SetAsideState.WAITING
    note: str = ""


@dataclass(frozen=True, slots=True)
class TapRow:
    """One tap, once. `decision` is the verdict the guest saw, `entry` what it came in, to decide it again.

    `code_id` and `sun_chip` find the taps that showed the same code of a phone, or a SUN message of the same chip.
    """

    id: str
    edge: str
    epoch: str
    number: int
    touchpoint: str
    reader: str
    at: datetime
    received_at: datetime
    decision: str
    online: bool
    entry: JournalEntry
    token_id: str | None = None
    party_id: str | None = None
    medium_id: str | None = None
    entitlement_id: str | None = None
    reason: str | None = None
    amount_minor: int = 0
    code_id: str | None = None
    sun_chip: str | None = None


class ConflictState(StrEnum):
    """Whether someone has looked at a conflict."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """Where the gateway's own view differs from what an edge had approved, attributed to the tap."""

    id: str
    kind: str
    at: datetime
    tap_id: str | None = None
    edge: str | None = None
    token_id: str | None = None
    party_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    amount_minor: int = 0
    state: ConflictState = ConflictState.OPEN
    note: str = ""
    resolved_by: str = ""
    resolved_at: datetime | None = None
