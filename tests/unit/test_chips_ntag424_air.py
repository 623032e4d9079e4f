"""An NTAG 424 DNA in a field, asked by nfcpy's own reader; what went over the air is told line by line."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import nfc
import nfc.clf
import pytest

from simulators.chips.field import Field
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import Configuration, Memory
from simulators.chips.ntag424_settings import unpack_settings
from simulators.chips.trace import AirLog, Sender
from tests.support.ntag424_terminal import FACTORY, RND_A, UID, counting, position
from wallet.chips import sun
from wallet.chips.aes import decrypt_cbc, encrypt_cbc
from wallet.chips.ntag424 import SecureChannel, decrypt_picc_data, ev2_session_keys, sun_mac

PATIENCE_S = 15.0


@pytest.fixture
def field() -> Iterator[Field]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        made = Field(probe.getsockname()[1])
    yield made
    made.remove()


def connect(field: Field, do: Callable[[Any], object]) -> object:
    """Let nfcpy's stock reader find the chip and `do` something with its tag; return the result."""
    results = []

    def on_connect(tag: Any) -> bool:
        results.append(do(tag))
        return False

    with nfc.ContactlessFrontend(f"udp:127.0.0.1:{field.address[1]}") as frontend:
        deadline = time.monotonic() + PATIENCE_S
        frontend.connect(
            rdwr={"targets": ["106A"], "iterations": 1, "on-connect": on_connect},
            terminate=lambda: time.monotonic() > deadline,
        )
    return results[0]


def ask(tag: Any, command: bytes) -> bytes:
    return bytes(tag.transceive(command))


def authenticate(tag: Any, key_no: int) -> SecureChannel:
    assert ask(tag, bytes.fromhex("00A4040C07D276000085010100")) == b"\x90\x00"
    rnd_b = decrypt_cbc(FACTORY, ask(tag, bytes([0x90, 0x71, 0, 0, 2, key_no, 0, 0]))[:16])
    proof = encrypt_cbc(FACTORY, RND_A + rnd_b[1:] + rnd_b[:1])
    answer = ask(tag, b"\x90\xaf\x00\x00\x20" + proof + b"\x00")
    assert answer[-2:] == b"\x91\x00"
    return SecureChannel(ev2_session_keys(FACTORY, RND_A, rnd_b), decrypt_cbc(FACTORY, answer[:32])[:4])


def test_a_reader_authenticates_and_reads_through_chained_blocks(field: Field) -> None:
    chip, trace = Ntag424(Memory(UID), counting()), AirLog()
    text = bytes(range(0x20, 0x20 + 28))
    chip.memory.files[3].data[:28] = text
    field.present(chip, trace=trace)

    def do(tag: Any) -> bytes:
        assert bytes(tag.identifier) == UID
        channel = authenticate(tag, 3)
        channel.open_response(ask(tag, channel.command(0x8D, position(3, 28, 100), b"w" * 100)))
        return channel.open_response(ask(tag, channel.command(0xAD, position(3, 0, 128))))

    assert connect(field, do) == text + b"w" * 100
    lines = trace.lines()
    told = "\n".join(lines)
    assert lines[0].startswith("reader  E0 ")
    assert lines[0].endswith("RATS")
    assert lines[1].endswith("02 80  ATS")
    for word in ("ISOSelectFile", "AuthenticateEV2First", "91AF ADDITIONAL_FRAME", "next frame"):
        assert word in told
    assert "WriteData" in told
    assert "R(ACK)" in told
    assert "(continued)" in told
    assert told.count("9100 OK") == 3
    assert {sender for sender, _ in trace.frames()} == {Sender.READER, Sender.CHIP}


def test_a_phone_reads_sun_messages(field: Field) -> None:
    template = sun.template("https://resort.example/tap")
    chip = Ntag424(Memory(UID), counting())
    file = chip.memory.files[2]
    file.data[: len(template.file)] = template.file
    offsets = (template.picc_offset, template.mac_offset, template.mac_offset)
    packed = bytes.fromhex("4000E0C1FF42") + b"".join(each.to_bytes(3, "little") for each in offsets)
    file.settings = unpack_settings(packed, len(file.data))
    for counter in (1, 2):
        field.present(chip)
        shown = sun.parse_record(bytes(connect(field, lambda tag: tag.ndef.octets)))  # type: ignore[call-overload]
        field.remove()
        assert shown is not None
        data = decrypt_picc_data(FACTORY, shown.picc)
        assert (data.uid, data.counter) == (UID, counter)
        assert shown.mac == sun_mac(FACTORY, UID, counter)


def test_a_random_uid_is_four_bytes_and_hides_the_chips_own(field: Field) -> None:
    chip = Ntag424(Memory(UID, configuration=Configuration(random_uid=True)), counting())
    field.present(chip)

    def do(tag: Any) -> tuple[bytes, bytes]:
        channel = authenticate(tag, 4)
        return bytes(tag.identifier), channel.open_response(ask(tag, channel.command(0x51)))

    shown, own = connect(field, do)  # type: ignore[misc]
    assert (len(shown), shown[0], own) == (4, 0x08, UID)


@pytest.mark.parametrize("lose_last_answer", [False, True])
def test_a_chip_that_is_torn_away_may_have_obeyed(field: Field, lose_last_answer: bool) -> None:
    chip = Ntag424(Memory(UID), counting())
    # Selecting the application and writing are each one exchange after RATS; the reader's NDEF look is not made.
    field.present(chip, tear_after_exchanges=2, lose_last_answer=lose_last_answer)

    def do(tag: Any) -> None:
        ask(tag, bytes.fromhex("00A4040C07D276000085010100"))
        with pytest.raises((nfc.tag.TagCommandError, nfc.clf.CommunicationError)):
            ask(tag, b"\x90\x8d\x00\x00\x08" + position(2, 0, 1) + b"!\x00")

    connect(field, do)
    assert field.wait_empty(PATIENCE_S)
    assert (chip.memory.files[2].data[0] == ord("!")) is lose_last_answer


def test_a_log_keeps_the_last_frames_and_names_type_2_commands() -> None:
    log = AirLog(limit=2)
    for page in range(4):
        log.note(Sender.READER, bytes([0x30, page]))
    assert log.lines() == ["reader  30 02  READ", "reader  30 03  READ"]
    log.clear()
    log.note(Sender.READER, bytes.fromhex("1BFFFFFFFF"))
    log.note(Sender.CHIP, b"\x00")
    assert log.lines() == ["reader  1B FF FF FF FF  PWD_AUTH", "  chip  00"]
