"""The emulated NTAG 424 DNA gives NXP's own bytes: sessions of AN12196 with its keys and random numbers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.chips.ntag424 import Ntag424Application
from simulators.chips.ntag424_memory import Memory
from simulators.chips.ntag424_session import Session
from simulators.chips.ntag424_settings import unpack_settings
from wallet.chips.aes import decrypt_cbc

VECTORS: dict[str, Any] = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "data" / "tag_crypto.json").read_text("utf-8"))
}
SELECT = bytes.fromhex("00A4040C07D2760000850101")


def octets(vector: str, name: str) -> bytes:
    return bytes.fromhex(VECTORS[vector][name])


def scripted(*values: bytes) -> Callable[[int], bytes]:
    """Return a source that gives these values in order."""
    left = list(values)

    def draw(count: int) -> bytes:
        value = left.pop(0)
        assert len(value) == count
        return value

    return draw


def chip(uid: bytes = bytes(7), *values: bytes) -> Ntag424Application:
    made = Ntag424Application(Memory(uid), scripted(*values))
    assert made.process(SELECT) == b"\x90\x00"
    return made


def in_session(vector: str, uid: bytes = bytes(7)) -> Ntag424Application:
    """Return a chip in the middle of AN12196's session."""
    made = chip(uid)
    enc = VECTORS[vector].get("k_ses_enc", "00" * 16)
    made.context.session = Session(
        0, bytes.fromhex(enc), octets(vector, "k_ses_mac"), octets(vector, "ti"), VECTORS[vector]["cmd_ctr"]
    )
    return made


def test_authenticate_ev2_first() -> None:
    vector = "ev2first-k0"
    made = chip(bytes(7), octets(vector, "rndb"), octets(vector, "ti"))
    assert made.process(bytes.fromhex("9071000002000000")) == octets(vector, "enc_rndb") + b"\x91\xaf"
    part_2 = b"\x90\xaf\x00\x00\x20" + octets(vector, "enc_rnda_rndb") + b"\x00"
    assert made.process(part_2) == octets(vector, "response") + b"\x91\x00"
    session = made.context.session
    assert session is not None
    assert (session.enc_key, session.mac_key) == (octets(vector, "k_ses_enc"), octets(vector, "k_ses_mac"))
    assert (session.transaction_id, session.counter) == (octets(vector, "ti"), 0)
    # AN12196 goes on in this session with ChangeFileSettings as its second command.
    session.counter = 1
    change = "cmd-full-changefilesettings"
    assert made.process(octets(change, "capdu")) == octets(change, "rmac") + b"\x91\x00"
    settings = made.context.memory.files[2].settings
    assert settings == unpack_settings(octets(change, "data"), 256)
    assert settings.pack() + (settings.sdm.pack() if settings.sdm else b"") == octets(change, "data")


def test_authenticate_ev2_non_first_and_the_key_changes_after_it() -> None:
    vector, change = "ev2nonfirst-k0", "cmd-changekey-case1"
    made = chip(bytes(7), octets(vector, "rndb"))
    made.context.session = Session(0, bytes(16), bytes(16), octets(change, "ti"), counter=1)
    assert made.process(bytes.fromhex("90770000010000")) == octets(vector, "enc_rndb") + b"\x91\xaf"
    part_2 = b"\x90\xaf\x00\x00\x20" + octets(vector, "enc_rnda_rndb") + b"\x00"
    assert made.process(part_2) == octets(vector, "response") + b"\x91\x00"
    session = made.context.session
    assert session is not None
    assert (session.enc_key, session.mac_key) == (octets(vector, "k_ses_enc"), octets(vector, "k_ses_mac"))
    # AN12196 rev 1.8 table 25: a plain WriteData to the CC file counts as well.
    write = "908D000019010E0000120000FF0506E1050080828300000000000000000000"
    assert made.process(bytes.fromhex(write)) == b"\x91\x00"
    assert bytes(made.context.memory.files[1].data[14:23]).hex().upper() == "FF0506E10500808283"
    assert made.process(octets(change, "capdu")) == octets(change, "rmac") + b"\x91\x00"
    assert made.context.memory.keys[2].value == octets(change, "data")[:16]
    assert made.context.memory.keys[2].version == 1
    # Table 27: key 0 is changed, the session ends and the answer has no MAC.
    master = "90C400002900C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED643200"
    assert made.process(bytes.fromhex(master)) == b"\x91\x00"
    assert made.context.memory.keys[0].value.hex().upper() == "5004BF991F408672B1EF00F08F9E8647"
    assert made.context.session is None


def test_get_file_settings_in_mac_mode() -> None:
    vector = "cmd-mac-getfilesettings"
    made = in_session(vector)
    answer = octets(vector, "rapdu")[:-10]
    file = made.context.memory.files[2]
    file.settings = unpack_settings(answer[1:4] + answer[7:], 256)
    # NXP's example shows a size of 1F00 hex, which no file of this chip has.
    file.data = bytearray(int.from_bytes(answer[4:7], "little"))
    assert made.process(octets(vector, "capdu")) == octets(vector, "rapdu")


def test_get_card_uid() -> None:
    vector = "cmd-getcarduid"
    made = in_session(vector, octets(vector, "uid"))
    assert made.process(octets(vector, "capdu")) == octets(vector, "rapdu")


@pytest.mark.parametrize("vector", ["sun-an12196-t5", "sun-an12196-t6"])
def test_sun_messages(vector: str) -> None:
    """The MAC is NXP's; so is PICCData once its random padding is known."""
    picc = octets(vector, "picc_enc")
    padding = decrypt_cbc(bytes(16), picc)[11:].ljust(16, b"\x00")
    made = chip(octets(vector, "uid"), padding)
    file, mac_input = made.context.memory.files[2], VECTORS[vector]["mac_input_ascii"]
    file.data[64 : 64 + 16] = bytes.fromhex(VECTORS[vector].get("plain", "00" * 16))
    mac_offset = 64 + len(mac_input)
    file.data[64 + 32 : 64 + 38] = b"&cmac="
    encrypted = "plain" in VECTORS[vector]
    offsets = [32, 64, *([64, 32] if encrypted else []), mac_offset]
    options = 0xD1 if encrypted else 0xC1
    settings = bytes([0x40, 0xE0, 0xEE, options, 0xFF, 0x00])
    settings += b"".join(each.to_bytes(3, "little") for each in offsets)
    file.settings = unpack_settings(settings, 256)
    file.read_counter = VECTORS[vector]["ctr"] - 1
    answer = made.process(bytes.fromhex("90AD0000070200000000000000"))
    assert answer[32:64].decode() == VECTORS[vector]["picc_enc"].upper()
    assert answer[mac_offset : mac_offset + 16].decode() == VECTORS[vector]["sdmmac"].upper()
    if encrypted:
        assert answer[64:96].decode() == VECTORS[vector]["enc_file_data"].upper()


def test_a_plain_mirror() -> None:
    vector = "sun-plain-uid"
    made = chip(octets(vector, "uid"), bytes(16))
    file = made.context.memory.files[2]
    settings = "40E0EE C1 FFE0 200000 300000 400000 400000".replace(" ", "")
    file.settings = unpack_settings(bytes.fromhex(settings), 256)
    file.read_counter = VECTORS[vector]["ctr"] - 1
    answer = made.process(bytes.fromhex("90AD0000070200000000000000"))
    assert answer[32:46].decode() == VECTORS[vector]["uid"].upper()
    assert answer[48:54] == b"000006"
    assert answer[64:80].decode() == VECTORS[vector]["sdmmac"].upper()
