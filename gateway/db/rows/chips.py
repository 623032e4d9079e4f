"""Rows of chips: what came from the supplier, which keys a chip carries, and the epochs of those keys."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.db.rows.house import KeyState


class ChipState(StrEnum):
    """Where a chip is in its life. Who carries it is told by its media."""

    STOCK = "stock"
    LINKED = "linked"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class ChipRow:
    """A chip by its UID (lower-case hex).

    `key_epoch` is the one whose keys were last read back from it, 0 for factory keys or a chip without keys.
    `sun_counter` is the highest read counter that it has told anyone, at `sun_at`.
    """

    uid: str
    printed_id: str
    batch: str
    kind: str
    state: ChipState
    made_at: datetime
    key_epoch: int = 0
    sun_counter: int = -1
    sun_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChipEpochRow:
    """One epoch of the chips' keys; the keys themselves are derived from the master key and stored nowhere."""

    epoch: int
    state: KeyState
    made_at: datetime
