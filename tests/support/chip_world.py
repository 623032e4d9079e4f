"""Bands with keys of their own: masters of two epochs, personalised chips, and custodies that know some of them."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from readers.clock import SystemEntropy
from readers.custody import EpochKey
from readers.drivers.base import ChipKind, Contact, ContactLost
from readers.drivers.nfcpy_driver import NfcpyDriver
from readers.drivers.simulated import SimulatedChip, SimulatedContact
from readers.transport.base import ChipKeySet, ChipPlan
from simulators.chips.field import Field
from simulators.chips.ntag424 import Ntag424, Ntag424Application
from simulators.chips.ntag424_memory import AppKey, Memory
from simulators.chips.ntag424_settings import unpack_settings
from tests.support.edge_world import ISSUER, KEY_ID, NOON, UID, FakeContact, an_id
from wallet import compact
from wallet.chips import sun
from wallet.chips.keys import KEY_NO, KeySlot, chip_key
from wallet.credential import Credential, Grant, medium_tag, sign

SUN_URL = "https://resort.example/t"
KEYS = {KEY_ID: ISSUER.public_key()}
ENTROPY = SystemEntropy()


def master(slot: KeySlot, epoch: int = 1) -> bytes:
    """Return a slot's master of an epoch; the reader slot's is every chip's key itself."""
    return bytes([KEY_NO[slot] + 1, epoch]) * 8


def key_of(slot: KeySlot, epoch: int = 1, uid: bytes = UID) -> bytes:
    """Return a chip's key."""
    return chip_key(master(slot, epoch), slot, uid)


@dataclass
class KnownKeys:
    """A custody in memory that derives what it may: these slots, in these epochs."""

    slots: tuple[KeySlot, ...] = tuple(KeySlot)
    epochs: tuple[int, ...] = (1,)
    reader_epochs: tuple[int, ...] | None = None
    asked: list[tuple[KeySlot, bytes]] = field(default_factory=list)

    def reader_keys(self) -> tuple[EpochKey, ...]:
        epochs = self.epochs if self.reader_epochs is None else self.reader_epochs
        return tuple(EpochKey(each, master(KeySlot.READER, each)) for each in sorted(epochs, reverse=True))

    def slot_keys(self, slot: KeySlot, uid: bytes) -> tuple[EpochKey, ...]:
        self.asked.append((slot, uid))
        if slot not in self.slots:
            return ()
        return tuple(EpochKey(each, key_of(slot, each, uid)) for each in sorted(self.epochs, reverse=True))

    def learn(self, anchors: object) -> None:
        raise AssertionError("this custody is told nothing")

    learn_keys = learn

    def forget(self) -> None:
        raise AssertionError("this custody forgets nothing")


def a_chip_credential(
    number: int, grants: tuple[Grant, ...] = (), *, at: datetime = NOON, uid: bytes = UID, epoch: int = 1
) -> bytes:
    """Return guest `number`'s signed credential for a chip with keys."""
    claims = Credential(
        an_id(number, 1),
        medium_tag(an_id(number, 2)),
        uid.hex(),
        at - timedelta(days=1),
        at + timedelta(days=30),
        epoch,
        KEY_ID,
        grants,
        chip_keys=True,
    )
    return sign(claims, ISSUER)


def a_plan(
    epoch: int = 1,
    *,
    before: tuple[int, ...] = (),
    uid: bytes = UID,
    random_uid: bool = True,
    factory: bool = True,
) -> ChipPlan:
    """Return what the gateway would have an encoder do with a chip."""

    def keys(of: int) -> ChipKeySet:
        return ChipKeySet(of, {slot: key_of(slot, of, uid).hex() for slot in KeySlot})

    return ChipPlan(keys(epoch), tuple(keys(each) for each in before), SUN_URL, random_uid, factory)


def file_3_of(credential: bytes) -> bytes:
    """Return the small file's content."""
    packed = compact.pack(credential)
    return (bytes([len(packed)]) + packed).ljust(128, b"\x00")


def a_band(
    credential: bytes | None = None, *, epoch: int = 1, uid: bytes = UID, random_uid: bool = False
) -> Memory:
    """Return a chip as an encoder leaves it, made without one."""
    memory = Memory(uid)
    for slot in KeySlot:
        memory.keys[KEY_NO[slot]] = AppKey(key_of(slot, epoch, uid), epoch)
    template = sun.template(SUN_URL)
    memory.files[2].data[:] = template.file.ljust(256, b"\x00")
    offsets = b"".join(
        each.to_bytes(3, "little")
        for each in (template.picc_offset, template.mac_offset, template.mac_offset)
    )
    memory.files[2].settings = unpack_settings(bytes.fromhex("4000E0C1F242") + offsets, 256)
    memory.files[3].data[:] = file_3_of(credential or a_chip_credential(1, uid=uid))
    memory.files[3].settings = unpack_settings(bytes.fromhex("03004F"), 128)
    memory.configuration.random_uid = random_uid
    return memory


class HandContact(SimulatedContact):
    """Counts exchanges, and reads NDEF through the chip's own commands as a phone does.

    `gone_after` exchanges the chip has left; with `answer_lost` it still does what it was told last.
    """

    def __init__(self, memory: Memory, gone_after: int | None = None, *, answer_lost: bool = False) -> None:
        card = Ntag424(memory)
        super().__init__(SimulatedChip(card.uid, commands=Ntag424Application(memory, ENTROPY.bytes)))
        self.exchanges = 0
        self._gone_after = gone_after
        self._answer_lost = answer_lost

    def exchange(self, apdu: bytes) -> bytes:
        gone = self._gone_after is not None and self.exchanges >= self._gone_after
        if gone and not (self._answer_lost and self.exchanges == self._gone_after):
            raise ContactLost("The chip left the field in the middle.")
        self.exchanges += 1
        answer = super().exchange(apdu)
        if gone:
            raise ContactLost("The chip left the field in the middle.")
        return answer

    @property
    def chip_kind(self) -> ChipKind:
        return ChipKind.NTAG424

    def read_message(self) -> bytes | None:
        for apdu in ("00A4040007D276000085010100", "00A4000C02E104"):
            if self.exchange(bytes.fromhex(apdu)) != b"\x90\x00":
                return None
        content = self.exchange(bytes.fromhex("00B0000000"))[:-2]
        return content[2 : 2 + int.from_bytes(content[:2])]


class CopiedContact(FakeContact):
    """A magic card: any UID, any NDEF message; it knows no commands but those of plain reading."""

    def __init__(self, message: bytes | None, uid: bytes = UID, is_random_uid: bool = False) -> None:
        super().__init__(None, uid, is_random_uid=is_random_uid)
        self.message = message

    def read_message(self) -> bytes | None:
        return self.message


def sun_of(memory: Memory) -> bytes:
    """Return what a stranger's phone reads from a band: its message, with the address that the chip just made."""
    message = HandContact(memory).read_message()
    assert message is not None
    return message


@contextmanager
def over_the_air(port: int, act: Callable[[Contact], object]) -> Iterator["AirReader"]:
    """Run a reader on an emulated field; what `act` made of each presentation is in its `seen`."""
    reader = AirReader(port, act)
    try:
        yield reader
    finally:
        reader.close()


class AirReader:
    """An nfcpy reader on udp with a field to hold chips to."""

    def __init__(self, port: int, act: Callable[[Contact], object]) -> None:
        self.field = Field(port)
        self.seen: queue.Queue[object] = queue.Queue()
        self.act = act
        self.driver = NfcpyDriver(f"udp:127.0.0.1:{port}", time.monotonic)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self.driver.serve, args=(self._handle, self._stop), daemon=True
        )
        self._thread.start()

    def tap(self, chip: object, tear_after_exchanges: int | None = None) -> Any:
        """Hold a chip to the reader and return what came of it; an exception is raised here."""
        self.field.present(chip, tear_after_exchanges)  # type: ignore[arg-type]  # any emulated chip
        try:
            came = self.seen.get(timeout=10)
        finally:
            self.field.remove()
        if isinstance(came, Exception):
            raise came
        return came

    def wait_until_empty(self) -> None:
        """Wait until the reader has noticed that the chip left."""
        deadline = time.monotonic() + 10
        while self.driver.health().occupied:
            assert time.monotonic() < deadline
            self._stop.wait(0.005)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.field.remove()

    def _handle(self, contact: Contact) -> None:
        try:
            self.seen.put(self.act(contact))
        except Exception as error:
            self.seen.put(error)
