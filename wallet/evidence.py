"""What an edge can show to whoever verifies the promises: its journal, its lamps' log and the documents it holds."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from wallet.journal import JournalEntry


class Light(StrEnum):
    """Green lets the guest through; blue asks to wait. There is no red."""

    GREEN = "green"
    BLUE = "blue"


class Lamp(Struct, frozen=True):
    """One light as it was shown: a line of the lamp log."""

    tap_id: str
    edge: str
    touchpoint: str
    reader: str
    light: Light
    decision: str
    reason: str
    shown_at: datetime


class SeenEntry(Struct, frozen=True):
    """A journal entry as found; `chained` when its number and hash continue those before it."""

    entry: JournalEntry
    chained: bool


class EdgeEvidence(Struct, frozen=True):
    """One edge's side of the story.

    Args:
        acknowledged: per epoch, the last number that the gateway is known to have.
        lamps: the lights that were shown; None when the edge keeps no log of them, or it was not found.
        documents: per token id, the version held here; tombstones are not listed.
        position: the feed position up to which the edge knows all changes.
    """

    edge: str
    venue: str
    entries: tuple[SeenEntry, ...]
    acknowledged: dict[str, int]
    lamps: tuple[Lamp, ...] | None
    documents: dict[str, int]
    position: int
