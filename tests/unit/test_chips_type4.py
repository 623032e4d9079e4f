"""The emulated Type 4 chip keeps to ISO/IEC 14443-4 and the NDEF application to Type 4 Tag 2.0."""

import pytest

from simulators.chips.chip import ChipState
from simulators.chips.isodep import DEFAULT_ATS, IsoDepCard
from simulators.chips.type4 import NdefApplication, Type4Chip

UID = bytes.fromhex("04A1B2C3D4E5F6")
SELECT_APP = "00A4040007D276000085010100"
SELECT_CC, SELECT_NDEF = "00A4000C02E103", "00A4000C02E104"


class Echo:
    """Answers with its command, so that blocks can be followed."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []

    def power_up(self) -> None:
        self.commands.clear()

    def process(self, command: bytes) -> bytes:
        self.commands.append(command)
        return command


def activated(rats: str = "E080") -> tuple[IsoDepCard, Echo]:
    echo = Echo()
    card = IsoDepCard(UID, echo)
    assert card.respond(bytes.fromhex(rats)) == DEFAULT_ATS
    return card, echo


def test_blocks_alternate() -> None:
    card, _ = activated()
    for turn in range(6):
        assert card.respond(bytes([0x02 | turn & 1]) + b"hi") == bytes([0x02 | turn & 1]) + b"hi"


def test_nothing_is_heard_before_rats() -> None:
    card = IsoDepCard(UID, Echo())
    for frame in (b"\x02hi", b"\xb2", b"\xc2", b"\xe0", b""):
        assert card.respond(frame) is None


def test_a_missed_answer_is_sent_again_without_a_second_execution() -> None:
    card, echo = activated()
    answer = card.respond(b"\x02hi")
    assert card.respond(b"\xb2") == answer
    assert card.respond(b"\xb2") == answer
    assert echo.commands == [b"hi"]


def test_a_missed_command_is_asked_for_by_ack() -> None:
    card, _ = activated()
    card.respond(b"\x02hi")
    assert card.respond(b"\xb3") == b"\xa2"  # number differs: the reader's last block never came


def test_presence_check_before_any_command() -> None:
    card, _ = activated()
    assert card.respond(b"\xb2") == b"\xa3"


def test_a_chained_command_is_joined_and_acknowledged() -> None:
    card, echo = activated()
    assert card.respond(b"\x12first ") == b"\xa2"
    assert card.respond(b"\x13second ") == b"\xa3"
    assert card.respond(b"\x02third") == b"\x02first second third"
    assert echo.commands == [b"first second third"]


@pytest.mark.parametrize(("rats", "size"), [("E000", 16), ("E050", 64), ("E080", 256), ("E0F0", 256)])
def test_a_long_answer_is_chained_in_the_readers_frames(rats: str, size: int) -> None:
    card, _ = activated(rats)
    command = bytes(range(200)) * 3
    assert card.respond(b"\x12" + command[:300]) == b"\xa2"
    block = card.respond(b"\x03" + command[300:])
    answer, number = b"", 1
    while block is not None and block[0] & 0x10:
        assert len(block) == size - 2  # the CRC's two bytes do not travel on the emulated link
        assert block[0] & 1 == number
        answer += block[1:]
        number ^= 1
        assert card.respond(bytes([0xB2 | number ^ 1])) == block  # missed: sent again
        block = card.respond(bytes([0xA2 | number]))
    assert block is not None
    assert answer + block[1:] == command


def test_a_command_without_end_is_dropped() -> None:
    card, echo = activated()
    answers = [card.respond(bytes([0x12 | turn & 1]) + bytes(250)) for turn in range(40)]
    assert None in answers
    assert echo.commands == []


def test_deselect_ends_in_halt_and_a_new_field_begins_anew() -> None:
    card, _ = activated()
    assert card.respond(b"\xc2") == b"\xc2"
    assert card.state is ChipState.HALT
    card.power_up()
    assert card.state is ChipState.ACTIVE
    assert card.respond(b"\x02hi") is None


@pytest.mark.parametrize("frame", ["0A00A4", "0600A4", "F201", "A201", "00", "FF"])
def test_what_was_not_agreed_is_met_with_silence(frame: str) -> None:
    card, echo = activated()
    assert card.respond(bytes.fromhex(frame)) is None
    assert echo.commands == []


def apdu(chip: Type4Chip, *commands: str) -> str:
    """Send APDUs to the application; return the last response."""
    response = b""
    for command in commands:
        response = chip.ndef.process(bytes.fromhex(command))
    return response.hex().upper()


def ndef_chip(read_only: bool = False) -> Type4Chip:
    return Type4Chip(UID, NdefApplication(b"\x00\x03\xd0\x00\x00".ljust(40, b"\xaa"), read_only))


def test_capability_container() -> None:
    assert apdu(ndef_chip(), SELECT_APP, SELECT_CC, "00B000000F") == "000F2000FF00FF0406E10400280000" + "9000"
    assert apdu(ndef_chip(True), SELECT_APP, SELECT_CC, "00B000000F").endswith("E104002800FF9000")


def test_reading_and_updating_the_file() -> None:
    chip = ndef_chip()
    assert apdu(chip, SELECT_APP, SELECT_NDEF, "00B0000005") == "0003D000009000"
    assert apdu(chip, "00D6000203010203") == "9000"
    assert apdu(chip, "00B0000006") == "0003010203AA9000"
    assert apdu(chip, "00B0002600") == "AAAA9000"


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        (["00A4040007D276000085010000"], "6A82"),
        ([SELECT_NDEF], "6A82"),
        ([SELECT_APP, "00A4000C02E105"], "6A82"),
        ([SELECT_APP, "00A4000002E104"], "6A86"),
        ([SELECT_APP, "00A4000C"], "6700"),
        ([SELECT_APP, "00A4000C05E104"], "6700"),
        ([SELECT_APP, "00B0000001"], "6986"),
        ([SELECT_APP, SELECT_NDEF, "00B0002801"], "6B00"),
        ([SELECT_APP, SELECT_NDEF, "00B00000"], "6700"),
        ([SELECT_APP, SELECT_NDEF, "00D6002601FF00"], "6700"),
        ([SELECT_APP, SELECT_NDEF, "00D600260301FFFF"], "6A84"),
        ([SELECT_APP, SELECT_NDEF, "00D60000"], "6700"),
        ([SELECT_APP, "00D6000001FF"], "6986"),
        ([SELECT_APP, SELECT_CC, "00D6000001FF"], "6982"),
        (["90600000 00"], "6E00"),
        (["00CA0000"], "6D00"),
        (["00A4"], "6700"),
    ],
)
def test_refusals(commands: list[str], status: str) -> None:
    chip = ndef_chip()
    before = bytes(chip.ndef.ndef_file)
    assert apdu(chip, *commands) == status
    assert bytes(chip.ndef.ndef_file) == before


def test_a_read_only_file_stays() -> None:
    assert apdu(ndef_chip(True), SELECT_APP, SELECT_NDEF, "00D6000001FF") == "6982"


def test_a_new_field_forgets_the_selection() -> None:
    chip = ndef_chip()
    apdu(chip, SELECT_APP, SELECT_NDEF)
    chip.power_up()
    assert apdu(chip, "00B0000001") == "6986"
