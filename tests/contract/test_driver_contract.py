"""What every driver promises, checked against each of them by the same tests."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from readers.drivers import open_driver
from readers.drivers.base import (
    BadRecord,
    ChipKind,
    Contact,
    ContactLost,
    Driver,
    DriverHealth,
    NoCommands,
)
from readers.drivers.simulated import SimulatedChip, SimulatedDriver
from simulators.chips.chip import EmulatedChip
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import NDEF_FILE, Memory
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.ndef import encode_credential_message

PATIENCE_S = 10.0
UID = bytes.fromhex("04A1B2C3D4E5F6")
CREDENTIAL = b"6BF0*M2*4C1D" * 10  # printable, because a QR code carries it too
OTHER_CREDENTIAL = b"9Z" * 61


class Rig(Protocol):
    """One driver with the means to present something to it."""

    driver: Driver
    kind: ChipKind
    uid: bytes

    def present(self, credential: bytes) -> None: ...
    def present_again(self) -> None: ...
    def present_torn(self) -> None: ...
    def present_damaged(self) -> None: ...
    def take_away(self) -> None: ...
    def close(self) -> None: ...


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ntag_with(message: bytes) -> Ntag21x:
    chip = Ntag21x("ntag216", UID)
    tlv = b"\x03" + bytes([len(message)]) + message + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


def type4_with(message: bytes) -> Type4Chip:
    return Type4Chip(UID, NdefApplication((len(message).to_bytes(2) + message).ljust(512, b"\x00")))


def ntag424_with(message: bytes) -> Ntag424:
    memory = Memory(UID)
    content = len(message).to_bytes(2) + message
    memory.files[NDEF_FILE].data[: len(content)] = content
    return Ntag424(memory)


class EmulatedRig:
    """An nfcpy reader on udp and an emulated chip in its field."""

    uid = UID

    def __init__(self, kind: ChipKind, chip_with: Callable[[bytes], EmulatedChip]) -> None:
        port = free_port(socket.SOCK_DGRAM)
        self.kind = kind
        self.driver = open_driver(f"udp:127.0.0.1:{port}", time.monotonic)
        self._chip_with = chip_with
        self._field = Field(port)
        self._chip: EmulatedChip | None = None

    def present(self, credential: bytes) -> None:
        self._chip = self._chip_with(encode_credential_message(credential))
        self.present_again()

    def present_again(self) -> None:
        assert self._chip is not None
        self._field.present(self._chip)

    def present_torn(self) -> None:
        self._field.present(self._chip_with(encode_credential_message(CREDENTIAL)), tear_after_exchanges=5)

    def present_damaged(self) -> None:
        self._field.present(self._chip_with(encode_credential_message(CREDENTIAL)[:-9]))

    def take_away(self) -> None:
        self._field.remove()

    def close(self) -> None:
        self._field.remove()


class SimulatedRig:
    """The in-process driver."""

    kind = ChipKind.NTAG216
    uid = UID

    def __init__(self) -> None:
        driver = open_driver("simulated:", time.monotonic)
        assert isinstance(driver, SimulatedDriver)
        self.driver: Driver = driver
        self._simulated = driver
        self._chip = SimulatedChip(UID)

    def present(self, credential: bytes) -> None:
        self._chip = SimulatedChip(UID, credential)
        self.present_again()

    def present_again(self) -> None:
        self._simulated.present(self._chip)

    def present_torn(self) -> None:
        self._simulated.present(SimulatedChip(UID, CREDENTIAL, gone_after=0))

    def present_damaged(self) -> None:
        self._simulated.present(SimulatedChip(UID, damage="The record is damaged."))

    def take_away(self) -> None:
        pass

    def close(self) -> None:
        pass


class ScannerRig:
    """A scanner on a socket."""

    kind = ChipKind.QR
    uid = b""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE_S)
        self.driver = open_driver(
            f"scanner:socket://127.0.0.1:{self._server.getsockname()[1]}", time.monotonic
        )
        self._peer: socket.socket | None = None
        self._line = b""

    def present(self, credential: bytes) -> None:
        self._line = credential + b"\r\n"
        self.present_again()

    def present_again(self) -> None:
        self._send(self._line)

    def present_torn(self) -> None:
        raise NotImplementedError("a code arrives whole or not at all")

    def present_damaged(self) -> None:
        self._send(b"6BF\x00\xff\r\n")

    def take_away(self) -> None:
        pass

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()
        self._server.close()

    def _send(self, data: bytes) -> None:
        if self._peer is None:
            self._peer = self._server.accept()[0]
        self._peer.sendall(data)


RIGS: dict[str, Callable[[], Rig]] = {
    "ntag216": lambda: EmulatedRig(ChipKind.NTAG216, ntag_with),
    "ntag424": lambda: EmulatedRig(ChipKind.NTAG424, ntag424_with),
    "type4": lambda: EmulatedRig(ChipKind.TYPE4, type4_with),
    "simulated": SimulatedRig,
    "scanner": ScannerRig,
}
CHIP_RIGS = [name for name in RIGS if name != "scanner"]


class Serving:
    """A driver at work: `seen` gets what `act` made of each presentation, its result or its exception."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.act: Callable[[Contact], object] = lambda contact: contact.read_credential()
        self.seen: queue.Queue[object] = queue.Queue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=rig.driver.serve, args=(self._handle, self.stop), daemon=True)
        self.thread.start()
        # pyserial drops what arrives while it opens.
        wait_until(self, lambda health: health.state == "up")

    def _handle(self, contact: Contact) -> None:
        try:
            self.seen.put(self.act(contact))
        except Exception as error:
            self.seen.put(error)
            raise

    def next(self) -> object:
        return self.seen.get(timeout=PATIENCE_S)

    def present_good(self) -> None:
        self.rig.present(CREDENTIAL)
        assert self.next() == CREDENTIAL
        self.rig.take_away()

    def end(self) -> float:
        """Stop the driver; return how long that took, in seconds."""
        began = time.monotonic()
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@pytest.fixture(params=RIGS)
def serving(request: pytest.FixtureRequest) -> Iterator[Serving]:
    rig = RIGS[request.param]()
    serving = Serving(rig)
    yield serving
    serving.end()
    rig.close()


COMMAND_RIGS = ["ntag424", "type4"]
SELECT = bytes.fromhex("00A4040007D276000085010100")
NOT_THERE = bytes.fromhex("00A4040007D276000085FFFF00")
chips_only = pytest.mark.parametrize("serving", CHIP_RIGS, indirect=True)


def test_a_presentation_is_handled_once_with_its_credential(serving: Serving) -> None:
    serving.act = lambda contact: (
        contact.chip_kind,
        contact.uid,
        contact.is_random_uid,
        contact.read_credential(),
    )
    serving.rig.present(CREDENTIAL)
    assert serving.next() == (serving.rig.kind, serving.rig.uid, False, CREDENTIAL)
    with pytest.raises(queue.Empty):  # held to the reader for many more looks
        serving.seen.get(timeout=0.3)
    assert serving.rig.driver.health().presentations == 1


@chips_only
def test_a_medium_that_is_held_occupies_the_reader_until_it_leaves(serving: Serving) -> None:
    inside = threading.Event()
    serving.act = lambda contact: inside.wait(PATIENCE_S)
    serving.rig.present(CREDENTIAL)
    wait_until(serving, lambda health: health.occupied)
    inside.set()
    serving.next()
    serving.rig.take_away()
    wait_for_departure(serving)


def test_the_same_medium_can_come_again(serving: Serving) -> None:
    serving.rig.present(CREDENTIAL)
    assert serving.next() == CREDENTIAL
    serving.rig.take_away()
    wait_for_departure(serving)
    serving.rig.present_again()
    assert serving.next() == CREDENTIAL


def wait_for_departure(serving: Serving) -> None:
    """Wait until the reader has noticed that the medium left."""
    wait_until(serving, lambda health: not health.occupied)


def wait_until(serving: Serving, fits: Callable[[DriverHealth], bool]) -> None:
    """Wait for the driver's health to fit."""
    deadline = time.monotonic() + PATIENCE_S
    while not fits(serving.rig.driver.health()):
        assert time.monotonic() < deadline, serving.rig.driver.health()
        assert not serving.stop.wait(0.005)


@chips_only
def test_what_was_written_is_read_at_the_next_presentation(serving: Serving) -> None:
    serving.act = lambda contact: contact.write_credential(OTHER_CREDENTIAL)
    serving.rig.present(CREDENTIAL)
    assert serving.next() is None
    serving.rig.take_away()
    serving.act = lambda contact: contact.read_credential()
    wait_for_departure(serving)
    serving.rig.present_again()
    assert serving.next() == OTHER_CREDENTIAL


@chips_only
def test_a_chip_gone_in_the_middle_is_lost_and_the_next_one_is_read(serving: Serving) -> None:
    serving.rig.present_torn()
    assert isinstance(serving.next(), ContactLost)
    serving.rig.take_away()
    serving.present_good()


def test_damage_is_the_chips_fault_and_the_next_one_is_read(serving: Serving) -> None:
    serving.rig.present_damaged()
    error = serving.next()
    assert isinstance(error, BadRecord)
    assert str(error).endswith(".")
    serving.rig.take_away()
    wait_for_departure(serving)
    serving.present_good()


def test_a_failing_handler_does_not_end_the_reader(serving: Serving) -> None:
    def fail(contact: Contact) -> None:
        raise RuntimeError("The edge has a bad day.")

    serving.act = fail
    serving.rig.present(CREDENTIAL)
    assert isinstance(serving.next(), RuntimeError)
    serving.rig.take_away()
    wait_for_departure(serving)
    serving.act = lambda contact: contact.read_credential()
    serving.present_good()
    health = serving.rig.driver.health()
    assert (health.state, health.faults, health.last_error) == ("up", 1, "The edge has a bad day.")


def test_a_contact_is_worthless_after_its_presentation(serving: Serving) -> None:
    kept: list[Contact] = []

    def keep(contact: Contact) -> None:
        contact.read_credential()
        kept.append(contact)

    serving.act = keep
    serving.rig.present(CREDENTIAL)
    serving.next()
    deadline = time.monotonic() + PATIENCE_S
    while not ended(kept[0]):  # though the medium is still held to the reader
        assert time.monotonic() < deadline
        assert not serving.stop.wait(0.005)
    with pytest.raises(ContactLost):
        kept[0].write_credential(b"x")


def ended(contact: Contact) -> bool:
    try:
        contact.read_credential()
    except ContactLost:
        return True
    return False


def test_stopping_takes_less_than_half_a_second(serving: Serving) -> None:
    serving.present_good()
    assert serving.end() < 0.5


def test_stopping_takes_less_than_half_a_second_with_a_medium_held(serving: Serving) -> None:
    serving.rig.present(CREDENTIAL)
    assert serving.next() == CREDENTIAL
    assert serving.end() < 0.5


@pytest.mark.parametrize("serving", COMMAND_RIGS, indirect=True)
def test_commands_are_answered_with_their_status_whatever_it_says(serving: Serving) -> None:
    serving.act = lambda contact: (contact.exchange(NOT_THERE), contact.exchange(SELECT))
    serving.rig.present(CREDENTIAL)
    assert serving.next() == (b"\x6a\x82", b"\x90\x00")


@pytest.mark.parametrize("serving", COMMAND_RIGS, indirect=True)
def test_a_chip_is_read_after_commands_as_before(serving: Serving) -> None:
    serving.act = lambda contact: (contact.exchange(NOT_THERE), contact.chip_kind, contact.read_credential())
    serving.rig.present(CREDENTIAL)
    assert serving.next() == (b"\x6a\x82", serving.rig.kind, CREDENTIAL)


@pytest.mark.parametrize("serving", sorted(set(RIGS) - set(COMMAND_RIGS)), indirect=True)
def test_what_takes_no_commands_says_so_and_can_still_be_read(serving: Serving) -> None:
    def ask(contact: Contact) -> object:
        with pytest.raises(NoCommands):
            contact.exchange(SELECT)
        return contact.read_credential()

    serving.act = ask
    serving.rig.present(CREDENTIAL)
    assert serving.next() == CREDENTIAL


@pytest.mark.parametrize("serving", COMMAND_RIGS, indirect=True)
def test_a_command_after_the_presentation_finds_no_chip(serving: Serving) -> None:
    kept: list[Contact] = []
    serving.act = kept.append
    serving.rig.present(CREDENTIAL)
    serving.next()
    serving.rig.take_away()
    wait_for_departure(serving)
    with pytest.raises(ContactLost):
        kept[0].exchange(SELECT)


@chips_only
def test_the_message_that_holds_the_credential_can_be_read_whole(serving: Serving) -> None:
    serving.act = lambda contact: contact.read_message()
    serving.rig.present(CREDENTIAL)
    assert serving.next() == encode_credential_message(CREDENTIAL)
