"""A reader without a device: contacts are presented by a call. For tests and large simulations."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from readers.drivers.base import (
    BadRecord,
    ChipFull,
    ChipKind,
    ChipReadOnly,
    ContactLost,
    DriverHealth,
    Handle,
    NoCommands,
    is_random_uid,
)
from readers.drivers.endurance import hand_over
from readers.drivers.health import HealthLog
from wallet.chips.ndef import encode_credential_message


class SimulatedCommands(Protocol):
    """What answers a simulated chip's command APDUs."""

    def power_up(self) -> None:
        """Forget all volatile state: the chip comes into a field."""
        ...

    def process(self, command: bytes) -> bytes:
        """Return the response APDU."""
        ...


@dataclass
class SimulatedChip:
    """A medium's memory that outlives its presentations.

    Attributes:
        credential: what it holds; None when it holds no Passband record.
        capacity: longest credential, in bytes.
        damage: when set, reading raises BadRecord with this sentence until the chip is written.
        gone_after: when set, the chip leaves the field after that many reads, writes and exchanges of a presentation.
        commands: what answers its command APDUs; None for a chip that takes none.
    """

    uid: bytes
    credential: bytes | None = None
    chip_kind: ChipKind = ChipKind.NTAG216
    capacity: int = 868
    read_only: bool = False
    damage: str = ""
    gone_after: int | None = None
    commands: SimulatedCommands | None = None


class SimulatedContact:
    """One presentation of a simulated chip."""

    def __init__(self, chip: SimulatedChip) -> None:
        self._chip = chip
        self._left = chip.gone_after
        self._over = False
        if chip.commands is not None:
            chip.commands.power_up()

    @property
    def chip_kind(self) -> ChipKind:
        """The chip's kind."""
        return self._chip.chip_kind

    @property
    def uid(self) -> bytes:
        """The chip's UID."""
        return self._chip.uid

    @property
    def is_random_uid(self) -> bool:
        """Whether the UID is drawn anew for every tap."""
        return is_random_uid(self._chip.uid)

    def end(self) -> None:
        """Make all further calls fail: the presentation is over."""
        self._over = True

    def exchange(self, apdu: bytes) -> bytes:
        """Return the answer of the chip's commands."""
        if self._chip.commands is None:
            self._require_open()
            raise NoCommands("The chip takes no commands.")
        self._require_present()
        return self._chip.commands.process(apdu)

    def read_message(self) -> bytes | None:
        """Return the message that holds the credential."""
        credential = self.read_credential()
        return None if credential is None else encode_credential_message(credential)

    def read_credential(self) -> bytes | None:
        """Return what the chip holds."""
        self._require_present()
        if self._chip.damage:
            raise BadRecord(self._chip.damage)
        return self._chip.credential

    def write_credential(self, data: bytes) -> None:
        """Replace what the chip holds."""
        self._require_present()
        if not data:
            raise ValueError("A credential must have at least one byte.")
        if self._chip.read_only:
            raise ChipReadOnly("The chip is set to read only.")
        if len(data) > self._chip.capacity:
            raise ChipFull(f"The credential takes {len(data)} bytes and the chip has {self._chip.capacity}.")
        self._chip.credential, self._chip.damage = bytes(data), ""

    def _require_open(self) -> None:
        if self._over:
            raise ContactLost("The presentation is over.")

    def _require_present(self) -> None:
        self._require_open()
        if self._left == 0:
            raise ContactLost("The chip left the field in the middle.")
        if self._left is not None:
            self._left -= 1


class SimulatedDriver:
    """Serves the chips that `present` is given, one after the other."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._health = HealthLog(monotonic)
        self._waiting: queue.SimpleQueue[tuple[SimulatedChip, Future[None]]] = queue.SimpleQueue()

    def present(self, chip: SimulatedChip) -> Future[None]:
        """Hold a chip to the reader, from any thread; the future is done once `handle` has returned."""
        done: Future[None] = Future()
        self._waiting.put((chip, done))
        return done

    def health(self) -> DriverHealth:
        """Return how the reader is."""
        return self._health.snapshot()

    def serve(self, handle: Handle, stop: threading.Event) -> None:
        """Serve presentations until `stop` is set."""
        self._health.up()
        while not stop.is_set():
            try:
                chip, done = self._waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            contact = SimulatedContact(chip)
            hand_over(handle, contact, self._health, "simulated")
            contact.end()
            self._health.vacated()
            done.set_result(None)
