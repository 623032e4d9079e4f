"""The emulated NTAG 424 DNA keeps to its data sheet (NT4H2421Gx rev 3.0), against the wallet's side of EV2."""

import pytest

from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import Memory
from tests.support.ntag424_terminal import FACTORY, SELECT, UID, Terminal, counting, position
from wallet.chips.aes import decrypt_cbc, encrypt_cbc
from wallet.chips.ntag424 import ChannelError

K = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


def refused(status: str) -> "pytest.RaisesExc[ChannelError]":
    return pytest.raises(ChannelError, match=status)


def test_delivery_state() -> None:
    terminal = Terminal()
    assert terminal.send(0xF5, b"\x01").hex().upper() == "000000E0200000" + "9100"
    assert terminal.send(0xF5, b"\x02").hex().upper() == "0000E0EE000100" + "9100"
    assert terminal.send(0xF5, b"\x03").hex().upper() == "00033023800000" + "9100"
    for number in range(5):
        assert terminal.send(0x64, bytes([number])) == b"\x00\x91\x00"
        assert terminal.authenticate(number) == "9100"
        terminal.new_field()
    assert terminal.iso("00A4000C02E10300") == "9000"
    container = "001720010000FF0406E104010000000506E10500808283" + "00" * 9
    assert terminal.iso("00B0000000") == container + "9000"


def test_version_comes_in_three_frames() -> None:
    terminal = Terminal(select=False)
    assert terminal.send(0x60).hex().upper() == "04040230001105" + "91AF"
    assert terminal.send(0xAF).hex().upper() == "04040201021105" + "91AF"
    last = terminal.send(0xAF)
    assert (last[:7], len(last), last[-2:]) == (UID, 16, b"\x91\x00")
    assert terminal.send(0xAF) == b"\x91\x1c"


def test_version_in_a_session_is_maced_over_all_frames() -> None:
    terminal = Terminal()
    assert terminal.authenticate(1) == "9100"
    assert terminal.channel is not None
    answer = terminal.chip.process(terminal.channel.command_mac(0x60))
    whole = answer[:-2] + terminal.send(0xAF)[:-2] + terminal.send(0xAF)
    assert terminal.channel.open_response(whole)[14:21] == UID
    assert terminal.full(0x51) == UID


def test_another_command_aborts_what_has_more_frames() -> None:
    terminal = Terminal()
    assert terminal.send(0x60)[-2:] == b"\x91\xaf"
    assert terminal.send(0x64, b"\x00") == b"\x91\xca"
    assert terminal.send(0xAF) == b"\x91\x1c"
    assert terminal.send(0x71, b"\x00\x00")[-2:] == b"\x91\xaf"
    assert terminal.iso("00A4000C02E10400") == "6985"
    assert terminal.send(0xAF, bytes(32)) == b"\x91\x1c"


@pytest.mark.parametrize("capabilities", [b"", b"\x00", b"\x02", b"\x02\x01\x02\x03\x04\x05"])
def test_capabilities_come_back_and_lrp_falls_back_to_aes(capabilities: bytes) -> None:
    terminal = Terminal()
    rnd_b = decrypt_cbc(FACTORY, terminal.send(0x71, bytes([0, len(capabilities)]) + capabilities)[:16])
    answer = terminal.send(0xAF, encrypt_cbc(FACTORY, bytes(16) + rnd_b[1:] + rnd_b[:1]))
    assert decrypt_cbc(FACTORY, answer[:32])[20:] == bytes(6) + capabilities.ljust(6, b"\x00")


@pytest.mark.parametrize(
    ("ins", "body", "status"),
    [
        (0x71, "0500", "9140"),
        (0x71, "4000", "919E"),
        (0x71, "00", "917E"),
        (0x71, "000200", "917E"),
        (0x77, "00", "919D"),
        (0x51, "", "91AE"),
        (0x64, "05", "9140"),
        (0x64, "10", "919E"),
        (0x64, "", "917E"),
        (0xF5, "04", "91F0"),
        (0xF5, "21", "919E"),
        (0xF5, "0200", "917E"),
        (0xF6, "02", "919D"),
        (0xC4, "00" * 33, "91AE"),
        (0x5C, "00" * 25, "91AE"),
        (0x5F, "0200E0EE", "91AE"),
        (0xAD, "03000000000000", "91AE"),
        (0xAD, "02000000010100", "91BE"),
        (0xAD, "02000100000000", "91BE"),
        (0xAD, "0200000000", "917E"),
        (0x8D, "03000000010000FF", "91AE"),
        (0x8D, "02000000020000FF", "917E"),
        (0x8D, "02000000000000", "919E"),
        (0x8D, "02FF0000020000FFFF", "91BE"),
        (0x3C, "01", "910C"),
        (0xEE, "", "911C"),
        (0xAF, "", "911C"),
    ],
)
def test_refusals_without_a_session(ins: int, body: str, status: str) -> None:
    terminal = Terminal()
    assert terminal.send(ins, bytes.fromhex(body)).hex().upper() == status
    assert terminal.changes == 0


def test_at_the_picc_level_there_is_no_application() -> None:
    terminal = Terminal(select=False)
    assert terminal.send(0x71, b"\x00\x00") == b"\x91\x40"
    assert terminal.send(0xF5, b"\x02") == b"\x91\x9d"
    assert terminal.send(0xAD, position(2, 0, 1)) == b"\x91\x9d"
    assert terminal.iso("00B0000001") == "6985"
    assert terminal.iso("00A4000C02E10400") == "6A82"


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        (["00A4040007D276000085010100"], "9000"),
        (["00A4040C07D2760000850101"], "9000"),
        (["00A4040C07D276000085010200"], "6A82"),
        (["00A4000002E110", "00A4020C02E104"], "9000"),
        (["00A4010C02E110"], "9000"),
        (["00A4000C023F00", "00A4020C02E104"], "6A82"),
        (["00A4030C", "00A4020C02E104"], "6A82"),
        (["00A4040C07D2760000850101", "00A4020C02E106"], "6A82"),
        (["00A4050C07D2760000850101"], "6A86"),
        (["00A4040107D2760000850101"], "6A86"),
        (["00A4020C03E10400"], "6A87"),
        (["00A4040C08D2760000850101"], "6700"),
        (["00A4040C07D2760000850101", "00B0830001"], "00" + "9000"),
        (["00A4040C07D2760000850101", "00B0860001"], "6A82"),
        (["00A4040C07D2760000850101", "00B0C40001"], "6A86"),
        (["00A4040C07D2760000850101", "00B0000001"], "6985"),
        (["00A4040C07D2760000850101", "00A4020C02E104", "00B0010001"], "6A86"),
        (["00A4040C07D2760000850101", "00A4020C02E105", "00B0000001"], "6982"),
        (["00A4040C07D2760000850101", "00A4020C02E103", "00D6000001FF"], "6982"),
        (["00A4040C07D2760000850101", "00A4020C02E104", "00D600FF02FFFF"], "6700"),
        (["00A4040C07D2760000850101", "00A4020C02E104", "00D60000"], "6700"),
        (["00C0000000"], "6D00"),
        (["8060000000"], "6E00"),
        (["9060"], "6700"),
        (["90600100" + "00"], "919E"),
        (["90600000" + "01"], "917E"),
    ],
)
def test_selection_and_plain_commands(commands: list[str], answer: str) -> None:
    terminal = Terminal(select=False)
    answers = [terminal.iso(command) for command in commands]
    assert answers[-1] == answer


def test_free_reading_and_updating() -> None:
    terminal = Terminal()
    terminal.iso("00A4000C02E104")
    assert terminal.iso("00D6000203AABBCC") == "9000"
    assert terminal.iso("00B0000206") == "AABBCC000000" + "9000"
    assert terminal.send(0xAD, position(2, 2, 3)) == b"\xaa\xbb\xcc\x91\x00"
    assert terminal.send(0x8D, position(2, 0, 2) + b"\x11\x22") == b"\x91\x00"
    assert terminal.memory.files[2].data[:5] == bytes.fromhex("1122AABBCC")
    assert len(terminal.send(0xAD, position(2, 0, 0))) == 258
    assert terminal.changes == 2


def test_inter_industry_reading_is_not_for_sessions() -> None:
    terminal = Terminal()
    terminal.iso("00A4000C02E104")
    terminal.authenticate(0)
    assert terminal.iso("00B0000001") == "6982"
    assert terminal.send(0x51) == b"\x91\xae"


def test_a_session_reads_and_writes_in_full() -> None:
    terminal = Terminal()
    assert terminal.authenticate(3) == "9100"
    assert terminal.full(0x8D, position(3, 0, 5), b"hello") == b""
    assert terminal.memory.files[3].data[:5] == b"hello"
    assert terminal.full(0xAD, position(3, 0, 5)) == b"hello"
    assert len(terminal.full(0xAD, position(3, 0, 0))) == 128
    assert terminal.mac(0x64, b"\x04") == b"\x00"
    assert terminal.authenticate(2, first=False) == "9100"
    assert terminal.full(0xAD, position(3, 1, 2)) == b"el"
    with refused("91AE"):
        terminal.full(0x8D, position(3, 0, 1), b"x")
    assert terminal.send(0x51) == b"\x91\xae"


def test_what_is_free_travels_plain_even_in_a_session() -> None:
    terminal = Terminal()
    terminal.authenticate(3)
    assert terminal.channel is not None
    assert terminal.send(0xAD, position(2, 0, 2)) == b"\x00\x00\x91\x00"
    terminal.channel.counter += 1  # 9.1.8: plain commands are counted as well
    assert terminal.full(0x51) == UID


@pytest.mark.parametrize("comm_mode", [0, 1, 2, 3])
def test_a_file_travels_as_its_settings_say(comm_mode: int) -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    assert terminal.full(0x5F, b"\x03", bytes([comm_mode, 0x00, 0x00])) == b""
    assert terminal.mac(0xF5, b"\x03")[1] == (0 if comm_mode == 2 else comm_mode)
    write, read = position(3, 4, 4), position(3, 4, 4)
    assert terminal.channel is not None
    if comm_mode == 3:
        terminal.full(0x8D, write, b"abcd")
        assert terminal.full(0xAD, read) == b"abcd"
    elif comm_mode == 1:
        terminal.mac(0x8D, write + b"abcd")
        assert terminal.mac(0xAD, read) == b"abcd"
    else:
        assert terminal.send(0x8D, write + b"abcd") == b"\x91\x00"
        assert terminal.send(0xAD, read) == b"abcd\x91\x00"
    assert terminal.memory.files[3].data[4:8] == b"abcd"


def test_more_than_a_response_takes_is_refused() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    assert terminal.full(0x5F, b"\x02", bytes.fromhex("030000")) == b""
    assert len(terminal.full(0xAD, position(2, 0, 239))) == 239
    with refused("917E"):
        terminal.full(0xAD, position(2, 0, 0))


@pytest.mark.parametrize("bit", range(8 * 8))
def test_a_wrong_mac_ends_the_session_and_changes_nothing(bit: int) -> None:
    terminal = Terminal()
    terminal.authenticate(3)
    assert terminal.channel is not None
    command = bytearray(terminal.channel.command(0x8D, position(3, 0, 1), b"x"))
    command[-2 - bit // 8] ^= 1 << bit % 8
    assert terminal.chip.process(bytes(command)) == b"\x91\x1e"
    assert terminal.send(0x77, b"\x03") == b"\x91\x9d"
    assert terminal.changes == 0


def test_a_replayed_command_is_refused() -> None:
    terminal = Terminal()
    terminal.authenticate(3)
    assert terminal.channel is not None
    command = terminal.channel.command(0x8D, position(3, 0, 1), b"x")
    assert terminal.chip.process(command)[-2:] == b"\x91\x00"
    assert terminal.chip.process(command) == b"\x91\x1e"
    assert terminal.changes == 1


def test_a_session_dies_with_the_field_and_with_a_selection() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    terminal.chip.power_up()
    terminal.chip.process(SELECT)
    assert terminal.send(0x51) == b"\x91\xae"
    terminal.authenticate(0)
    terminal.iso("00A4040C07D276000085010100")
    assert terminal.send(0x51) == b"\x91\xae"


def test_a_used_up_counter_is_a_wrong_mac() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    assert terminal.chip.context.session is not None
    terminal.chip.context.session.counter = 0xFFFF
    assert terminal.send(0x51, bytes(8)) == b"\x91\x1e"
    assert terminal.chip.context.session is None


def test_keys_are_changed_by_key_0_alone() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    for number in range(1, 5):
        assert terminal.change_key(number, bytes([number]) * 16, 7) == "9100"
        assert terminal.mac(0x64, bytes([number])) == b"\x07"
    assert terminal.change_key(0, K, 7) == "9100"
    assert terminal.send(0x51) == b"\x91\xae"  # a new key 0 ends the session
    assert terminal.authenticate(0) == "91AE"
    assert terminal.authenticate(0, K) == "9100"
    assert terminal.authenticate(3, b"\x03" * 16, first=False) == "9100"
    assert terminal.change_key(1, K, 8, b"\x01" * 16) == "91AE"


def test_a_wrong_old_key_shows_in_the_checksum() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    assert terminal.change_key(1, K, 7, old=b"\x01" + bytes(15)) == "911E"
    assert terminal.memory.keys[1].value == FACTORY
    assert terminal.changes == 0


@pytest.mark.parametrize(("header", "data", "status"), [(5, 21, "9140"), (0, 21, "917E"), (1, 17, "917E")])
def test_a_malformed_key_change(header: int, data: int, status: str) -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    with refused(status):
        terminal.full(0xC4, bytes([header]), bytes(data))


def test_a_wrong_key_is_counted_then_delayed_then_locked() -> None:
    terminal = Terminal()
    terminal.memory.configuration.failure_limit = 60
    key = terminal.memory.keys[1]
    for _ in range(50):
        assert terminal.authenticate(1, K) == "91AE"
    assert (key.failures, key.in_a_row) == (50, 50)
    assert terminal.authenticate(1) == "91AD"
    assert terminal.authenticate(1) == "9100"
    assert (key.failures, key.in_a_row) == (40, 0)
    key.failures = 60
    assert terminal.authenticate(1) == "919D"
    terminal.authenticate(0)
    assert terminal.change_key(1, K, 1) == "9100"
    assert terminal.authenticate(1, K) == "9100"


def test_failures_are_not_counted_when_so_configured() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    terminal.full(0x5C, b"\x0a", bytes(5))
    assert terminal.authenticate(1, K) == "91AE"
    assert terminal.memory.keys[1].failures == 0


@pytest.mark.parametrize(
    ("option", "data", "status"),
    [
        (0x00, "01", "919E"),
        (0x00, "0200", "917E"),
        (0x01, "00", "919E"),
        (0x04, "00", "917E"),
        (0x05, "00000000020000000000", "919E"),
        (0x0A, "0100000A00", "919E"),
        (0x0A, "01", "917E"),
    ],
)
def test_configurations_refused(option: int, data: str, status: str) -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    with refused(status):
        terminal.full(0x5C, bytes([option]), bytes.fromhex(data))
    assert terminal.changes == 0


def test_configurations_taken() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    for option, data in ((0x04, "0400"), (0x05, "0000000000000000AABB"), (0x0A, "01050002 00"), (0x0B, "00")):
        assert terminal.full(0x5C, bytes([option]), bytes.fromhex(data)) == b""
    configuration = terminal.memory.configuration
    assert configuration.no_chained_writing
    assert configuration.pd_capabilities == bytes.fromhex("00000000AABB")
    assert (configuration.failure_limit, configuration.failure_decrement) == (5, 2)
    terminal.authenticate(3, first=False)
    assert terminal.full(0x8D, position(3, 0, 80), bytes(80)) == b""
    with refused("919D"):
        terminal.full(0x8D, position(3, 0, 128), bytes(128))
    assert terminal.send(0x60)[2] == 0x82


def test_a_random_uid_comes_with_the_next_field_and_for_good() -> None:
    chip = Ntag424(Memory(UID), counting())
    terminal = Terminal(chip.memory)
    terminal.authenticate(0)
    assert terminal.full(0x5C, b"\x00", b"\x02") == b""
    assert (chip.uid, chip.sens_res) == (UID, b"\x44\x03")
    shown = set()
    for _ in range(3):
        chip.power_up()
        assert (len(chip.uid), chip.uid[0], chip.sens_res) == (4, 0x08, b"\x04\x03")
        shown.add(chip.uid)
    assert len(shown) == 3
    terminal.new_field()
    assert terminal.send(0x3C, b"\x00") == b"\x91\x0b"
    assert terminal.send(0x60)[-2:] + terminal.send(0xAF)[-2:] == b"\x91\xaf" * 2
    assert terminal.send(0xAF)[:7] == bytes(7)
    terminal.authenticate(4)
    assert terminal.full(0x51) == UID
    assert terminal.full(0x3C, b"\x00") == bytes(56)
    terminal.authenticate(0)
    assert terminal.full(0x5C, b"\x00", b"\x00") == b""
    assert chip.memory.configuration.random_uid


def test_the_signature_is_free_while_the_uid_is() -> None:
    assert Terminal().send(0x3C, b"\x00") == bytes(56) + b"\x91\x90"
