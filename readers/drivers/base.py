"""What every reader device promises, and what may go wrong with it.

DriverError
├── ContactLost      the chip left the field before it was done: transient, ask for another tap
└── ChipFault        the chip answered, and what it says will not change by tapping again
    ├── BadRecord      what it holds cannot be read, or not as a credential
    ├── ChipFull       what shall be written does not fit
    ├── ChipReadOnly   it cannot be written
    └── NoCommands     it takes no command APDUs
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


class DriverError(Exception):
    """Something went wrong with what was presented; the message is one plain sentence."""


class ContactLost(DriverError):
    """The chip left the field, or the reader went away, before it was done. Another tap may well succeed."""


class ChipFault(DriverError):
    """The chip itself is the reason; tapping again does not help."""


class BadRecord(ChipFault):
    """What the chip or code holds is torn, malformed or hostile."""


class ChipFull(ChipFault):
    """The credential is longer than the chip's memory."""


class ChipReadOnly(ChipFault):
    """The chip's memory is locked or protected, or the medium cannot be written at all."""


class NoCommands(ChipFault):
    """The medium takes no command APDUs: a code, or a chip that does not speak ISO-DEP."""


class ChipKind(StrEnum):
    """What kind of medium was presented, as far as a reader can tell."""

    NTAG213 = "ntag213"
    NTAG215 = "ntag215"
    NTAG216 = "ntag216"
    NTAG424 = "ntag424"
    TYPE4 = "type4"
    QR = "qr"
    OTHER = "other"


class Contact(Protocol):
    """Something presented to a reader. Valid inside `handle()` only; later every call raises ContactLost."""

    @property
    def chip_kind(self) -> ChipKind:
        """What was presented. A chip that speaks ISO-DEP is asked for its version the first time: three exchanges.

        Raises:
            ContactLost: gone in the middle.
            BadRecord: the chip answers against its specification.
        """
        ...

    @property
    def uid(self) -> bytes:
        """The UID that the chip told without proof: 4, 7 or 10 bytes, empty for a QR code."""
        ...

    @property
    def is_random_uid(self) -> bool:
        """Whether the UID changes with every tap, so that it identifies nobody."""
        ...

    def exchange(self, apdu: bytes) -> bytes:
        """Send one command APDU and return the answer whole, its two status bytes last, whatever they say.

        Raises:
            ContactLost: gone in the middle.
            NoCommands: there is nothing to send a command to; nothing was sent.
            BadRecord: the chip answers against ISO/IEC 14443-4; its session is over.
        """
        ...

    def read_message(self) -> bytes | None:
        """Return the NDEF message, None when there is none or the medium knows no NDEF.

        Raises:
            ContactLost: gone in the middle.
            BadRecord: the memory is torn, malformed or hostile.
        """
        ...

    def read_credential(self) -> bytes | None:
        """Return the signed credential, None when there is no Passband record.

        Raises:
            ContactLost: gone in the middle.
            BadRecord: the memory is torn, malformed or hostile.
        """
        ...

    def write_credential(self, data: bytes) -> None:
        """Write `data` as the chip's only record and read it back.

        Raises:
            ContactLost: gone in the middle; the chip then holds the old record, the new one or none.
            BadRecord: the chip answers against its specification, or reads back something else.
            ChipFull: `data` does not fit; nothing was written.
            ChipReadOnly: the chip refuses to be written.
        """
        ...


@dataclass(frozen=True)
class DriverHealth:
    """How a device is, at one moment.

    Attributes:
        state: "starting" until first opened, then "up" or "down".
        since: instant of the last change of state, on the driver's monotonic clock, in seconds.
        last_error: one sentence, empty when nothing has failed yet.
        presentations: handled so far.
        faults: device failures and exceptions out of `handle` so far.
        occupied: whether what was presented last is still there; it must leave before it counts again.
    """

    state: Literal["starting", "up", "down"]
    since: float
    last_error: str
    presentations: int
    faults: int
    occupied: bool


Handle = Callable[[Contact], None]


class Driver(Protocol):
    """One reader device."""

    def serve(self, handle: Handle, stop: threading.Event) -> None:
        """Call `handle` exactly once per presentation until `stop` is set. Blocks; one thread per device.

        Returns within half a second after `stop` unless `handle` itself holds it up. Survives every fault:
        a lost device is reopened with growing pauses, an exception out of `handle` is logged and counted.
        """
        ...

    def health(self) -> DriverHealth:
        """Return how the device is; may be called from any thread."""
        ...


def is_random_uid(uid: bytes) -> bool:
    """Return whether `uid` is drawn anew for every tap (ISO/IEC 14443-3, 6.5.4: UID0 is 08)."""
    return uid[:1] == b"\x08"
