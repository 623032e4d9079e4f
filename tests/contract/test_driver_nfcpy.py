"""What the nfcpy driver survives and tells apart, on emulated fields with nfcpy's own stack."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from readers.drivers import nfcpy_contact
from readers.drivers.base import (
    BadRecord,
    ChipFull,
    ChipKind,
    ChipReadOnly,
    Contact,
    ContactLost,
    DriverHealth,
)
from readers.drivers.nfcpy_driver import NfcpyDriver
from simulators.chips.card_device import selection_answers
from simulators.chips.chip import ChipState, EmulatedChip
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.ndef import encode_credential_message

PATIENCE_S = 10.0
CREDENTIAL = bytes(range(1, 123))


class Bench:
    """A reader at work on a field of its own."""

    def __init__(self, open_frontend: Callable[[str], Any] | None = None) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.field = Field(self.port)
        self.driver = NfcpyDriver(f"udp:127.0.0.1:{self.port}", time.monotonic, open_frontend)
        self.seen: queue.Queue[tuple[bytes, object]] = queue.Queue()
        self.act: Callable[[Contact], object] = lambda contact: contact.read_credential()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.driver.serve, args=(self._handle, self.stop), daemon=True)
        self.thread.start()

    def _handle(self, contact: Contact) -> None:
        try:
            self.seen.put((contact.uid, self.act(contact)))
        except Exception as error:
            self.seen.put((contact.uid, error))

    def tap(self, chip: EmulatedChip) -> object:
        """Swap the chip in the field for `chip`; return what the reader made of it."""
        self.field.remove()
        self.field.present(chip)
        return self.seen.get(timeout=PATIENCE_S)[1]

    def wait_for(self, fits: Callable[[DriverHealth], bool]) -> DriverHealth:
        deadline = time.monotonic() + PATIENCE_S
        while not fits(self.driver.health()):
            assert time.monotonic() < deadline, self.driver.health()
            self.stop.wait(0.01)
        return self.driver.health()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    close(bench)


def close(bench: Bench) -> None:
    bench.stop.set()
    bench.thread.join(PATIENCE_S)
    bench.field.remove()
    assert not bench.thread.is_alive()


def uid(number: int) -> bytes:
    return b"\x04" + number.to_bytes(6)


def written(chip: Ntag21x, message: bytes) -> Ntag21x:
    length = bytes([len(message)]) if len(message) < 255 else b"\xff" + len(message).to_bytes(2)
    tlv = b"\x03" + length + message + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


def good(number: int) -> Ntag21x:
    return written(Ntag21x("ntag216", uid(number)), encode_credential_message(CREDENTIAL))


@pytest.mark.parametrize("kind", ["ntag213", "ntag215", "ntag216"])
def test_a_blank_chip_holds_nothing_and_can_be_written(bench: Bench, kind: str) -> None:
    chip = Ntag21x(kind, uid(1))

    def encode(contact: Contact) -> object:
        before = contact.read_credential()
        contact.write_credential(CREDENTIAL)
        return contact.chip_kind, before, contact.read_credential()

    bench.act = encode
    assert bench.tap(chip) == (ChipKind(kind), None, CREDENTIAL)
    bench.act = lambda contact: contact.read_credential()
    assert bench.tap(good(2)) == CREDENTIAL
    assert bench.tap(chip) == CREDENTIAL


def test_a_chip_swapped_within_a_moment_is_a_new_presentation(bench: Bench) -> None:
    for number in range(1, 30):
        bench.field.remove()
        bench.field.present(good(number))
        assert bench.seen.get(timeout=PATIENCE_S) == (uid(number), CREDENTIAL)
    assert bench.driver.health().presentations == 29


@pytest.mark.parametrize("ats", ["01", "0208", "031881", "032810", "034802", "067777710280"])
def test_every_legal_answer_to_select_activates(bench: Bench, ats: str) -> None:
    message = encode_credential_message(CREDENTIAL)
    ndef = NdefApplication((len(message).to_bytes(2) + message).ljust(300, b"\x00"))
    assert bench.tap(Type4Chip(uid(1), ndef, bytes.fromhex(ats))) == CREDENTIAL


@pytest.mark.parametrize("size", [4, 7, 10])
def test_uids_of_all_sizes(bench: Bench, size: int) -> None:
    chip_uid = bytes(range(0x20, 0x20 + size))
    bench.field.present(Type4Chip(chip_uid))
    assert bench.seen.get(timeout=PATIENCE_S) == (chip_uid, None)


def test_a_long_message_goes_through_chaining_both_ways(bench: Bench) -> None:
    long = bytes(i % 251 for i in range(900))
    bench.act = lambda contact: (contact.write_credential(long), contact.read_credential())[1]
    assert bench.tap(Type4Chip(uid(1), NdefApplication(bytes(1000)))) == long


class RandomUidChip(Type4Chip):
    """Draws a new UID for each power-up, as phones and a 424 in random-ID mode do."""

    drawn = 0

    def power_up(self) -> None:
        type(self).drawn += 1
        self.uid = b"\x08" + self.drawn.to_bytes(3)
        super().power_up()


def test_a_random_uid_is_told_and_is_one_presentation(bench: Bench) -> None:
    bench.act = lambda contact: contact.is_random_uid
    assert bench.tap(RandomUidChip(b"\x08\x00\x00\x00")) is True
    with pytest.raises(queue.Empty):
        bench.seen.get(timeout=0.4)


class UnknownChip:
    """Selects like a Type 2 chip of another maker and never says a word."""

    sens_res, state = b"\x44\x00", ChipState.ACTIVE

    def __init__(self, chip_uid: bytes, sel_res: int = 0x00) -> None:
        self.uid, self.sel_res = chip_uid, sel_res

    def power_up(self) -> None:
        pass

    def respond(self, command: bytes) -> bytes | None:
        return None


@pytest.mark.parametrize(("first", "sel_res"), [("02", 0x00), ("04", 0x00), ("04", 0x08), ("04", 0x20)])
def test_a_silent_chip_is_presented_as_unknown(bench: Bench, first: str, sel_res: int) -> None:
    bench.act = lambda contact: contact.chip_kind
    assert bench.tap(UnknownChip(bytes.fromhex(first + "112233445566"), sel_res)) == ChipKind.OTHER
    bench.act = lambda contact: contact.read_credential()
    assert bench.tap(good(1)) == CREDENTIAL


def test_a_chip_without_ndef_holds_no_record_and_is_left_alone(bench: Bench) -> None:
    chip = Ntag21x("ntag213", uid(1))
    chip.memory[12:16] = bytes(4)
    assert bench.tap(chip) is None
    before = bytes(chip.memory)
    bench.act = lambda contact: contact.write_credential(CREDENTIAL)
    assert bench.tap(Type4Chip(uid(2), NdefApplication(bytes(300)))) is None
    assert isinstance(bench.tap(chip), ChipReadOnly)
    assert bytes(chip.memory) == before


def test_torn_type_2_memory_is_a_bad_record_and_can_be_written_anew(bench: Bench) -> None:
    chip = Ntag21x("ntag213", uid(1))
    chip.memory[16:20] = bytes.fromhex("03FF7FFF")  # a message longer than the chip
    assert isinstance(bench.tap(chip), BadRecord)
    bench.act = lambda contact: (contact.write_credential(CREDENTIAL), contact.read_credential())[1]
    assert bench.tap(good(2)) == CREDENTIAL
    assert bench.tap(chip) == CREDENTIAL


@pytest.mark.parametrize("nlen", [0x0100, 0x7FFF, 0xFFFF])
def test_a_type_4_length_past_the_file_is_a_bad_record(bench: Bench, nlen: int) -> None:
    assert isinstance(bench.tap(Type4Chip(uid(1), NdefApplication(nlen.to_bytes(2) + bytes(62)))), BadRecord)


def test_a_credential_too_long_for_the_chip_is_refused_before_writing(bench: Bench) -> None:
    chip = written(Ntag21x("ntag213", uid(1)), encode_credential_message(CREDENTIAL))
    before = bytes(chip.memory)
    bench.act = lambda contact: contact.write_credential(bytes(200))
    assert isinstance(bench.tap(chip), ChipFull)
    assert bytes(chip.memory) == before


class Forgetful(Ntag21x):
    """Acknowledges writes to the pages from 8 on without keeping them, as a worn-out memory does."""

    def _store(self, page: int, data: bytes) -> None:
        if page < 8:
            super()._store(page, data)


def test_a_chip_that_keeps_something_else_is_found_out(bench: Bench) -> None:
    bench.act = lambda contact: contact.write_credential(CREDENTIAL)
    error = bench.tap(Forgetful("ntag216", uid(1)))
    assert isinstance(error, BadRecord)
    assert "reads back" in str(error)


def lock_pages(chip: Ntag21x) -> Ntag21x:
    chip.memory[10:12] = b"\xf8\xff"
    return chip


def protect_by_password(chip: Ntag21x) -> Ntag21x:
    chip.memory[chip.layout.config_page * 4 + 3] = 4  # AUTH0
    chip.power_up()
    return chip


def set_read_only(chip: Ntag21x) -> Ntag21x:
    chip.memory[15] = 0x0F
    return chip


@pytest.mark.parametrize("guard", [lock_pages, protect_by_password, set_read_only])
def test_a_guarded_chip_reads_and_does_not_write(bench: Bench, guard: Callable[[Ntag21x], Ntag21x]) -> None:
    chip = guard(good(1))
    assert bench.tap(chip) == CREDENTIAL
    bench.act = lambda contact: contact.write_credential(b"another")
    assert isinstance(bench.tap(Type4Chip(uid(2), NdefApplication(bytes(64), read_only=True))), ChipReadOnly)
    before = bytes(chip.memory)
    assert isinstance(bench.tap(chip), ChipReadOnly)
    assert bytes(chip.memory) == before


def test_a_write_torn_anywhere_leaves_the_old_record_the_new_one_or_none(bench: Bench) -> None:
    outcomes = set()
    for exchanges in range(3, 60, 4):
        chip = written(Ntag21x("ntag213", uid(exchanges)), encode_credential_message(CREDENTIAL))
        bench.act = lambda contact: contact.write_credential(CREDENTIAL[::-1])
        bench.field.remove()
        bench.field.present(chip, tear_after_exchanges=exchanges)
        _, result = bench.seen.get(timeout=PATIENCE_S)
        assert result is None or isinstance(result, ContactLost)
        bench.act = lambda contact: contact.read_credential()
        assert bench.tap(good(1)) == CREDENTIAL
        held = bench.tap(chip)
        assert held in (CREDENTIAL, CREDENTIAL[::-1], None)
        outcomes.add(held)
    assert len(outcomes) >= 2


class Slow(Ntag21x):
    """Answers late, as a chip process on a busy machine does."""

    def respond(self, command: bytes) -> bytes | None:
        time.sleep(0.06)  # the lateness is what is tested
        return super().respond(command)


def test_a_slow_chip_is_read_right(bench: Bench) -> None:
    chip = Slow("ntag216", uid(1))
    written(chip, encode_credential_message(CREDENTIAL))
    assert bench.tap(chip) == CREDENTIAL


def test_a_reader_unplugged_and_back_goes_on() -> None:
    unplugged = threading.Event()
    opened: list[Any] = []

    def open_frontend(path: str) -> Any:
        if unplugged.is_set():
            raise OSError("No such device.")
        frontend = NfcpyDriver(path, time.monotonic)._open(path)
        sense = frontend.device.sense_tta

        def sense_or_fail(target: Any) -> Any:
            if unplugged.is_set():
                raise OSError("The device is gone.")
            return sense(target)

        frontend.device.sense_tta = sense_or_fail
        opened.append(frontend)
        return frontend

    bench = Bench(open_frontend)
    try:
        assert bench.tap(good(1)) == CREDENTIAL
        unplugged.set()
        down = bench.wait_for(lambda health: health.state == "down")
        assert down.last_error == "The device is gone."
        unplugged.clear()
        up = bench.wait_for(lambda health: health.state == "up")
        assert up.since > down.since
        with pytest.raises(queue.Empty):  # the same chip is still held to the reader
            bench.seen.get(timeout=0.3)
        assert bench.tap(good(2)) == CREDENTIAL
        assert len(opened) == 2
    finally:
        close(bench)


def test_datagrams_from_elsewhere_and_noise_change_nothing(bench: Bench) -> None:
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bench.field.present(good(1))
    assert bench.seen.get(timeout=PATIENCE_S)[1] == CREDENTIAL
    for noise in (
        b"",
        b"106A",
        b"106A zz",
        b"RFOFF",
        b"\xff\xfe 00",
        b"106A 26",
        b"212F 0600FFFF0100",
        b"x" * 1400,
    ):
        stranger.sendto(noise, ("127.0.0.1", bench.port))
    stranger.close()
    assert bench.tap(good(2)) == CREDENTIAL
    assert bench.driver.health().faults == 0


def test_nobody_but_the_field_can_answer_the_reader() -> None:
    opened: list[Any] = []

    def open_frontend(path: str) -> Any:
        opened.append(NfcpyDriver(path, time.monotonic)._open(path))
        return opened[-1]

    bench = Bench(open_frontend)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bench.wait_for(lambda health: health.state == "up")
        target = opened[0].device.socket.getsockname()
        assert target[0] == "127.0.0.1"
        chip_answers = [b"\x44\x00", *selection_answers(uid(1), b"\x44\x00", 0).values()]
        for _ in range(40):
            for answer in chip_answers:
                stranger.sendto(b"106A " + answer.hex().encode(), target)
            assert not bench.stop.wait(0.005)
        assert bench.driver.health().presentations == 0
    finally:
        stranger.close()
        close(bench)


class Endless(Type4Chip):
    """Activates, then asks for more time for ever."""

    def respond(self, command: bytes) -> bytes | None:
        return super().respond(command) if command[0] == 0xE0 else b"\xf2\x01"


def test_a_chip_without_end_is_cut_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nfcpy_contact, "READ_BUDGET_S", 0.2)
    error = bench.tap(Endless(uid(1)))
    assert isinstance(error, BadRecord)
    assert "too long" in str(error)


def test_stopping_does_not_wait_for_a_chip_without_end(bench: Bench) -> None:
    reading = threading.Event()

    def read(contact: Contact) -> object:
        reading.set()
        return contact.read_credential()

    bench.act = read
    bench.field.present(Endless(uid(1)))
    assert reading.wait(PATIENCE_S)
    began = time.monotonic()
    bench.stop.set()
    bench.thread.join(PATIENCE_S)
    assert time.monotonic() - began < 0.5
    assert isinstance(bench.seen.get_nowait()[1], ContactLost)
