"""SUN messages of the emulated NTAG 424 DNA, and what ChangeFileSettings refuses (NT4H2421Gx, 9.3 and 10.7)."""

import pytest

from tests.support.ntag424_terminal import UID, Terminal, position
from wallet.chips import sun
from wallet.chips.ntag424 import ChannelError, decrypt_file_data, decrypt_picc_data, sun_mac

READER, GATE = b"\x44" * 16, b"\x22" * 16
TEMPLATE = sun.template("https://resort.example/tap")
LIMIT = 0x20


def three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def settings(
    options: int = 0xC1, meta: int = 4, read: int = 2, ctr: int = 2, tail: bytes | None = None
) -> bytes:
    """Return ChangeFileSettings' data as Passband's encoder writes them, unless told otherwise."""
    if tail is None:
        tail = three(TEMPLATE.picc_offset) + three(TEMPLATE.mac_offset) * 2
    return bytes([0x40, 0x00, 0xE0, options, 0xF0 | ctr, meta << 4 | read]) + tail


def sun_band(changed: bytes | None = None) -> Terminal:
    """Return a chip personalised for SUN: template in file 2, SDM on, keys 2 and 4 ours."""
    terminal = Terminal()
    assert terminal.authenticate(0) == "9100"
    assert terminal.send(0x8D, position(2, 0, len(TEMPLATE.file)) + TEMPLATE.file) == b"\x91\x00"
    assert terminal.channel is not None
    terminal.channel.counter += 1
    assert terminal.change_key(2, GATE, 1) == "9100"
    assert terminal.change_key(4, READER, 1) == "9100"
    terminal.full(0x5F, b"\x02", settings() if changed is None else changed)
    terminal.new_field()
    return terminal


def tap(terminal: Terminal) -> bytes:
    """Read the NDEF message as a phone does; return it."""
    assert terminal.iso("00A4000C02E104") == "9000"
    length = int(terminal.iso("00B0000002")[:4], 16)
    first = bytes.fromhex(terminal.iso("00B0000220"))[:-2]
    rest = bytes.fromhex(terminal.iso(f"00B00022{length - 32:02X}"))[:-2]
    return first + rest


def test_a_phone_reads_one_sun_message_in_several_parts() -> None:
    terminal = sun_band()
    for counter in (1, 2, 3):
        terminal.new_field()
        shown = sun.parse_record(tap(terminal))
        assert shown is not None
        data = decrypt_picc_data(READER, shown.picc)
        assert (data.uid, data.counter) == (UID, counter)
        assert shown.mac == sun_mac(GATE, UID, counter)


def test_the_padding_is_drawn_anew_for_each_run_of_reads() -> None:
    terminal = sun_band()
    assert len({sun.parse_record(tap(terminal)) for _ in range(5)}) == 5


def test_the_counter_steps_at_the_first_read_of_a_run() -> None:
    terminal, read = sun_band(), position(2, 0, 10)
    file = terminal.memory.files[2]
    assert terminal.iso("00A4000C02E104") == "9000"
    for _ in range(3):
        terminal.iso("00B0000010")
    assert file.read_counter == 1
    terminal.send(0xAD, read)
    terminal.send(0xAD, read)
    assert file.read_counter == 2
    terminal.iso("00B0000010")
    assert file.read_counter == 3
    terminal.send(0x64, b"\x00")
    terminal.iso("00B0000010")
    assert file.read_counter == 4
    terminal.new_field()
    assert terminal.send(0xAD, position(2, 255, 9)) == b"\x91\xbe"
    assert file.read_counter == 4  # only a read that succeeds counts
    assert terminal.authenticate(2, GATE) == "9100"
    assert terminal.send(0xAD, read)[:10] == TEMPLATE.file[:10]
    assert file.read_counter == 4


def test_a_session_sees_the_file_as_it_is() -> None:
    terminal = sun_band()
    terminal.authenticate(0)
    assert terminal.send(0xAD, position(2, 0, len(TEMPLATE.file)))[:-2] == TEMPLATE.file


def test_the_counter_is_told_to_its_key_alone() -> None:
    terminal = sun_band()
    tap(terminal)
    assert terminal.send(0xF6, b"\x02") == b"\x91\xae"
    terminal.authenticate(2, GATE)
    assert terminal.full(0xF6, b"\x02") == b"\x01\x00\x00\x00\x00"
    terminal.authenticate(4, READER, first=False)
    with pytest.raises(ChannelError, match="91AE"):
        terminal.full(0xF6, b"\x02")


def test_the_limit_ends_free_reading_and_not_a_sessions() -> None:
    terminal = sun_band(settings(0xC1 | LIMIT, tail=settings()[6:] + three(2)))
    tap(terminal)
    tap(terminal)
    assert terminal.iso("00B0000001") == "00" + "9000"  # still the run of the second tap
    assert terminal.send(0xAD, position(2, 0, 1)) == b"\x91\x9d"
    terminal.iso("00A4000C02E104")
    assert terminal.iso("00B0000001") == "6982"
    assert terminal.memory.files[2].read_counter == 2
    terminal.authenticate(0)
    assert terminal.send(0xAD, position(2, 0, 1))[-2:] == b"\x91\x00"


def test_a_full_counter_is_an_overflow() -> None:
    terminal = sun_band()
    terminal.memory.files[2].read_counter = 0xFFFFFF
    assert terminal.send(0xAD, position(2, 0, 1)) == b"\x91\x1e"


def test_enabling_resets_the_counter_and_changing_keeps_it() -> None:
    terminal = sun_band()
    tap(terminal)
    terminal.authenticate(0)
    terminal.full(0x5F, b"\x02", settings(ctr=0xF))
    assert terminal.memory.files[2].read_counter == 1
    terminal.full(0x5F, b"\x02", bytes.fromhex("0000E0"))
    terminal.full(0x5F, b"\x02", settings())
    assert terminal.memory.files[2].read_counter == 0


def test_settings_are_told_as_they_were_set() -> None:
    terminal = sun_band()
    given = settings()
    assert terminal.send(0xF5, b"\x02") == b"\x00" + given[:3] + three(256) + given[3:] + b"\x91\x00"


def test_encrypted_file_data() -> None:
    picc, data, mac = 32, 80, 160
    tail = three(picc) + three(data) + three(data) + three(64) + three(mac)
    terminal = sun_band(settings(0xD1, tail=tail))
    terminal.memory.files[2].data[data : data + 32] = b"thirty-two bytes of secret text!"
    shown = terminal.send(0xAD, position(2, 0, 0))
    encrypted = bytes.fromhex(shown[data : data + 64].decode())
    assert decrypt_file_data(GATE, UID, 1, encrypted) == b"thirty-two bytes of secret text!"
    assert bytes.fromhex(shown[mac : mac + 16].decode()) == sun_mac(GATE, UID, 1, shown[data:mac])


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (settings(tail=settings()[6:-1]), "917E"),
        (settings() + b"\x00", "917E"),
        (b"\x40\x00", "917E"),
        (b"\x00\x00\xe0\x00", "917E"),
        (b"\x80\x00\xe0", "919E"),
        (b"\x04\x00\xe0", "919E"),
        (b"\x00\x05\xe0", "919E"),
        (b"\x00\x00\xd0", "919E"),
        (settings(0xC0), "919E"),
        (settings(0xC3), "919E"),
        (settings(meta=5), "919E"),
        (settings(read=0xE), "919E"),
        (settings(ctr=5), "919E"),
        (settings(0x01), "919E"),
        (settings(0xC1, meta=0xF), "917E"),
        (settings(0x81, meta=0xF, tail=three(100) * 2), "919E"),
        (settings(0x81, ctr=2), "919E"),
        (settings(0x81 | LIMIT, ctr=0xF, tail=settings()[6:] + three(9)), "919E"),
        (settings(0xC1 | LIMIT, tail=settings()[6:] + three(0)), "919E"),
        (settings(tail=three(225) + three(100) * 2), "919E"),
        (settings(tail=three(32) + three(241) * 2), "919E"),
        (settings(tail=three(32) + three(120) + three(100)), "919E"),
        (settings(tail=three(32) + three(63) * 2), "919E"),
        (settings(0xC1, meta=0xE, tail=three(32) + three(45) + three(100) * 2), "919E"),
        (settings(0x91, tail=three(32) + three(80) * 2 + three(64) + three(160)), "919E"),
        (settings(0xD1, read=0xF, ctr=2, tail=three(32)), "919E"),
        (settings(0xD1, tail=three(32) + three(80) * 2 + three(16) + three(160)), "919E"),
        (settings(0xD1, tail=three(32) + three(80) * 2 + three(96) + three(160)), "919E"),
        (settings(0xD1, tail=three(32) + three(90) + three(80) + three(64) + three(160)), "919E"),
    ],
)
def test_unlawful_settings_are_refused_and_change_nothing(data: bytes, status: str) -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    before = terminal.memory.files[2].settings
    with pytest.raises(ChannelError, match=status):
        terminal.full(0x5F, b"\x02", data)
    assert terminal.memory.files[2].settings == before
    assert terminal.changes == 0


def test_sdm_is_for_file_2_alone() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    with pytest.raises(ChannelError, match="919D"):
        terminal.full(0x5F, b"\x03", settings())


def test_whom_nobody_may_change_stays() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    terminal.full(0x5F, b"\x03", bytes.fromhex("030F23"))
    with pytest.raises(ChannelError, match="919D"):
        terminal.full(0x5F, b"\x03", bytes.fromhex("030023"))


def test_what_anybody_may_change_is_changed_in_plain() -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    terminal.full(0x5F, b"\x03", bytes.fromhex("000EEE"))
    terminal.new_field()
    assert terminal.send(0x5F, bytes.fromhex("03000EFF")) == b"\x91\x00"
    assert terminal.send(0xAD, position(3, 0, 1)) == b"\x91\xae"
