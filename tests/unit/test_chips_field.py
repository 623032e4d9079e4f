"""A chip in a field obeys the states of ISO/IEC 14443-3, seen from a bare socket."""

import socket
from collections.abc import Iterator

import pytest

from simulators.chips.card_device import selection_answers
from simulators.chips.field import Field, FieldBusy
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import Configuration, Memory

UID = bytes.fromhex("04112233445566")
PATIENCE_S = 10.0
SILENCE_S = 0.15


class Reader:
    """Sends single frames to a field and hears what comes back."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))

    def close(self) -> None:
        self._socket.close()

    def off(self) -> None:
        self._socket.send(b"RFOFF")

    def ask(self, frame: bytes, patience_s: float = PATIENCE_S) -> bytes | None:
        self._socket.send(b"106A " + frame.hex().encode())
        self._socket.settimeout(patience_s)
        try:
            brty, answer = self._socket.recv(2048).split()
        except TimeoutError:
            return None
        assert brty == b"106A"
        return bytes.fromhex(answer.decode())

    def hears_nothing(self, frame: bytes) -> bool:
        return self.ask(frame, SILENCE_S) is None

    def select(self, request: bytes = b"\x26") -> None:
        assert self.ask(request) == b"\x44\x00"
        for frame, answer in selection_answers(UID, b"\x44\x00", 0).items():
            assert self.ask(frame) == answer


@pytest.fixture
def field() -> Iterator[Field]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    field = Field(port)
    yield field
    field.remove()


@pytest.fixture
def reader(field: Field) -> Iterator[Reader]:
    field.present(Ntag21x("ntag213", UID))
    reader = Reader(field.address[1])
    yield reader
    reader.close()


def test_commands_need_a_selection(reader: Reader) -> None:
    assert reader.hears_nothing(b"\x30\x00")
    assert reader.ask(b"\x26") == b"\x44\x00"
    assert reader.hears_nothing(b"\x30\x00")
    reader.select()
    assert len(reader.ask(b"\x30\x00") or b"") == 16


def test_the_selection_of_another_chip_is_not_answered(reader: Reader) -> None:
    other = list(selection_answers(bytes.fromhex("04112233445567"), b"\x44\x00", 0))
    assert reader.ask(b"\x26") == b"\x44\x00"
    assert reader.ask(other[1]) == b"\x04"  # the first level is the same
    assert reader.hears_nothing(other[3])


def test_after_a_refusal_the_chip_must_be_selected_anew(reader: Reader) -> None:
    reader.select()
    assert reader.ask(b"\x30\xff") == b"\x00"
    assert reader.hears_nothing(b"\x30\x00")
    reader.select()
    assert reader.ask(b"\x60") is not None


def test_a_halted_chip_wakes_up_for_all_requests_and_new_fields_only(reader: Reader) -> None:
    reader.select()
    assert reader.hears_nothing(b"\x50\x00")
    assert reader.hears_nothing(b"\x26")
    reader.select(b"\x52")
    assert reader.hears_nothing(b"\x50\x00")
    reader.off()
    reader.select()


def test_a_chip_that_was_woken_obeys_until_it_is_halted_again(reader: Reader) -> None:
    reader.select()
    assert reader.hears_nothing(b"\x50\x00")
    reader.select(b"\x52")
    for _ in range(3):
        assert len(reader.ask(b"\x30\x00") or b"") == 16


def test_a_new_selection_is_no_new_power_up(field: Field) -> None:
    """The NTAG's counter steps once per power-up, and a random UID is drawn once (ISO/IEC 14443-3, 6.5.4)."""
    ntag = Ntag21x("ntag213", UID)
    assert ntag.respond(bytes.fromhex("A22A10050000")) == b"\x0a"  # the counter on
    field.present(ntag)
    reader = Reader(field.address[1])
    for _ in range(3):
        reader.select()
        assert reader.ask(b"\x30\x00") is not None
    assert ntag.read_counter == 1
    reader.off()
    reader.select()
    assert reader.ask(b"\x30\x00") is not None
    assert ntag.read_counter == 2
    reader.close()
    field.remove()
    shown = []
    field.present(Ntag424(Memory(UID, configuration=Configuration(random_uid=True))))
    reader = Reader(field.address[1])
    for off in (False, False, True):
        if off:
            reader.off()
        assert reader.ask(b"\x26") == b"\x04\x03"
        part = reader.ask(b"\x93\x20") or b""
        assert reader.ask(b"\x93\x70" + part) == b"\x20"
        assert reader.ask(b"\xe0\x80") is not None
        shown.append(part[:4])
    reader.close()
    assert shown[0] == shown[1] != shown[2]


def test_switching_the_field_off_forgets_the_selection(reader: Reader) -> None:
    reader.select()
    reader.off()
    assert reader.hears_nothing(b"\x30\x00")


def test_a_chip_that_left_answers_nothing_and_frees_its_port(field: Field, reader: Reader) -> None:
    reader.select()
    field.remove()
    assert not field.occupied
    with pytest.raises(ConnectionRefusedError):
        reader.ask(b"\x26")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as next_one:
        next_one.bind(field.address)


@pytest.mark.parametrize("exchanges", [0, 1, 3])
def test_a_torn_chip_answers_so_often_and_no_more(field: Field, exchanges: int) -> None:
    field.present(Ntag21x("ntag213", UID), tear_after_exchanges=exchanges)
    reader = Reader(field.address[1])
    reader.select()
    for _ in range(exchanges):
        assert reader.ask(b"\x30\x00") is not None
    assert reader.hears_nothing(b"\x30\x00")
    assert field.wait_empty(PATIENCE_S)
    reader.close()


def test_a_field_holds_one_chip(field: Field) -> None:
    field.present(Ntag21x("ntag213", UID))
    with pytest.raises(FieldBusy):
        field.present(Ntag21x("ntag213", UID))
    with pytest.raises(FieldBusy):
        Field(field.address[1]).present(Ntag21x("ntag213", UID))
