"""What any emulated chip offers to a reader's field."""

from enum import Enum
from typing import Protocol, runtime_checkable


class ChipState(Enum):
    """Where a Type A chip stands (ISO/IEC 14443-3, 6.3)."""

    IDLE = "idle"  # any request wakes it
    ACTIVE = "active"  # selected: it obeys commands
    HALT = "halt"  # only WUPA or a new field wakes it


class EmulatedChip(Protocol):
    """A chip that can be held to a reader."""

    @property
    def uid(self) -> bytes:
        """The UID for selection; a chip in random-ID mode draws it in `power_up`."""
        ...

    @property
    def sens_res(self) -> bytes:
        """ATQA, 2 bytes."""
        ...

    @property
    def sel_res(self) -> int:
        """SAK of the complete selection."""
        ...

    @property
    def state(self) -> ChipState:
        """ACTIVE after `power_up`, and whatever the last command left."""
        ...

    def power_up(self) -> None:
        """Forget all volatile state and be ready for commands: the field came on."""
        ...

    def respond(self, command: bytes) -> bytes | None:
        """Return the answer to one frame; None is silence."""
        ...


@runtime_checkable
class KeepsPower(Protocol):
    """A chip that tells a new selection from a new field; all others are powered up at each selection."""

    def reselect(self) -> None:
        """Be ready for commands, selected anew in the same field: UID and counts of this power-up stay."""
        ...
