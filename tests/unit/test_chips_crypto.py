"""The chips' cryptography holds for NXP's published examples, each with its source in tag_crypto.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from wallet.chips import aes, an10922, ntag424

VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "data" / "tag_crypto.json").read_text("utf-8"))
}
SUN = ["sun-an12196-t5", "sun-an12196-t6", "sun-plain-uid"]
EV2 = ["ev2first-k0", "ev2nonfirst-k0"]


def octets(vector: str, field: str) -> bytes:
    return bytes.fromhex(VECTORS[vector][field])


def channel(vector: str) -> ntag424.SecureChannel:
    keys = ntag424.SessionKeys(
        enc=bytes.fromhex(VECTORS[vector].get("k_ses_enc", "00" * 16)),
        mac=octets(vector, "k_ses_mac"),
    )
    return ntag424.SecureChannel(keys, octets(vector, "ti"), VECTORS[vector]["cmd_ctr"])


@pytest.mark.parametrize("vector", ["rfc4493-empty", "rfc4493-40"])
def test_cmac_follows_rfc_4493(vector: str) -> None:
    assert aes.cmac(octets(vector, "key"), octets(vector, "msg")) == octets(vector, "mac")


@pytest.mark.parametrize("vector", ["an10922-aes128", "an10922-aes128-short"])
def test_diversified_key(vector: str) -> None:
    assert an10922.diversify_aes128(octets(vector, "master"), octets(vector, "m")) == octets(vector, "key")


def test_diversification_is_a_plain_cmac_from_sixteen_bytes_on_only() -> None:
    master = bytes(range(16))
    for size in range(1, 32):
        data = bytes(range(size))
        same = an10922.diversify_aes128(master, data) == aes.cmac(master, b"\x01" + data)
        assert same is (size >= 16), size


def test_sdm_session_keys() -> None:
    vector = "sdm-ses-keys"
    keys = ntag424.sdm_session_keys(octets(vector, "k_file_read"), octets(vector, "uid"), 1)
    assert keys == ntag424.SessionKeys(octets(vector, "k_ses_enc"), octets(vector, "k_ses_mac"))


@pytest.mark.parametrize("vector", SUN)
def test_sun_mac(vector: str) -> None:
    mac_input = VECTORS[vector].get("mac_input_ascii", "").encode("ascii")
    mac = ntag424.sun_mac(
        octets(vector, "k_file_read"), octets(vector, "uid"), VECTORS[vector]["ctr"], mac_input
    )
    assert mac == octets(vector, "sdmmac")


@pytest.mark.parametrize("vector", SUN[:2])
def test_picc_data(vector: str) -> None:
    data = ntag424.decrypt_picc_data(octets(vector, "k_meta_read"), octets(vector, "picc_enc"))
    assert data == ntag424.PiccData(octets(vector, "uid"), VECTORS[vector]["ctr"])


def test_picc_data_under_a_wrong_key_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong key or settings"):
        ntag424.decrypt_picc_data(b"\x11" * 16, octets("sun-an12196-t5", "picc_enc"))


def test_encrypted_file_data() -> None:
    vector = "sun-an12196-t6"
    plain = ntag424.decrypt_file_data(
        octets(vector, "k_file_read"), octets(vector, "uid"), 8, octets(vector, "enc_file_data")
    )
    assert plain == octets(vector, "plain")


@pytest.mark.parametrize("vector", EV2)
def test_ev2_session_keys_from_the_exchange(vector: str) -> None:
    key, rnd_a, rnd_b = (octets(vector, field) for field in ("key", "rnda", "rndb"))
    assert aes.decrypt_cbc(key, octets(vector, "enc_rndb")) == rnd_b
    assert aes.encrypt_cbc(key, rnd_a + rnd_b[1:] + rnd_b[:1]) == octets(vector, "enc_rnda_rndb")
    keys = ntag424.ev2_session_keys(key, rnd_a, rnd_b)
    assert keys == ntag424.SessionKeys(octets(vector, "k_ses_enc"), octets(vector, "k_ses_mac"))


def test_command_in_mac_mode_and_its_answer() -> None:
    vector = "cmd-mac-getfilesettings"
    session = channel(vector)
    assert session.command_mac(0xF5, b"\x02") == octets(vector, "capdu")
    answer = octets(vector, "rapdu")
    assert session.open_response(answer) == answer[:-10]
    assert session.counter == 1


def test_command_in_full_mode() -> None:
    vector = "cmd-full-changefilesettings"
    session = channel(vector)
    assert session.command(0x5F, octets(vector, "header"), octets(vector, "data")) == octets(vector, "capdu")
    assert session.open_response(octets(vector, "rmac") + b"\x91\x00") == b""
    assert session.counter == 2


def test_change_key_data_and_its_command() -> None:
    vector = "cmd-changekey-case1"
    new_key = octets(vector, "data")[:16]  # the example's old key is all zeros
    data = ntag424.change_key_data(2, bytes(16), new_key, 1)
    assert data == octets(vector, "data")
    session = channel(vector)
    assert session.command(0xC4, octets(vector, "header"), data) == octets(vector, "capdu")
    assert session.open_response(octets(vector, "rmac") + b"\x91\x00") == b""


def test_the_master_key_changes_without_mixing() -> None:
    assert ntag424.change_key_data(0, b"\x22" * 16, b"\x11" * 16, 7) == b"\x11" * 16 + b"\x07"


def test_full_mode_answer_is_decrypted() -> None:
    vector = "cmd-getcarduid"
    session = channel(vector)
    assert session.command(0x51) == octets(vector, "capdu")
    assert session.open_response(octets(vector, "rapdu")) == octets(vector, "uid")


def test_every_flipped_bit_of_an_answer_is_refused() -> None:
    answer = octets("cmd-getcarduid", "rapdu")
    for bit in range(8 * len(answer)):
        session = channel("cmd-getcarduid")
        session.command(0x51)
        forged = (int.from_bytes(answer) ^ (1 << bit)).to_bytes(len(answer))
        with pytest.raises(ntag424.ChannelError):
            session.open_response(forged)
        assert session.counter == 0


@pytest.mark.parametrize("answer", ["", "9100", "917E", "00112233445566779100"])
def test_an_answer_without_a_right_mac_is_refused(answer: str) -> None:
    session = channel("cmd-getcarduid")
    session.command(0x51)
    with pytest.raises(ntag424.ChannelError):
        session.open_response(bytes.fromhex(answer))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: aes.cmac(bytes(15), b""), "key must be 16 bytes"),
        (lambda: an10922.diversify_aes128(bytes(24), b"1"), "master key must be 16 bytes"),
        (lambda: an10922.diversify_aes128(bytes(16), b""), "1 to 31 bytes"),
        (lambda: an10922.diversify_aes128(bytes(16), bytes(32)), "1 to 31 bytes"),
        (lambda: ntag424.decrypt_picc_data(bytes(16), bytes(15)), "PICC data must be 16"),
        (lambda: ntag424.decrypt_picc_data(bytes(8), bytes(16)), "key must be 16"),
        (lambda: ntag424.sdm_session_keys(bytes(16), bytes(4), 1), "UID must be 7"),
        (lambda: ntag424.sun_mac(bytes(16), bytes(7), 1 << 24), "three bytes"),
        (lambda: ntag424.sun_mac(bytes(16), bytes(7), -1), "three bytes"),
        (lambda: ntag424.decrypt_file_data(bytes(16), bytes(7), 1, bytes(17)), "whole blocks"),
        (lambda: ntag424.ev2_session_keys(bytes(16), bytes(15), bytes(16)), "RndA"),
        (lambda: ntag424.ev2_session_keys(bytes(16), bytes(16), bytes(17)), "RndB"),
        (lambda: ntag424.SecureChannel(ntag424.SessionKeys(b"", b""), bytes(3)), "identifier must be 4"),
        (lambda: ntag424.change_key_data(1, bytes(16), bytes(15), 0), "new key"),
        (lambda: ntag424.change_key_data(5, bytes(16), bytes(16), 0), "keys 0 to 4"),
        (lambda: ntag424.change_key_data(1, bytes(16), bytes(16), 256), "one byte"),
        (lambda: channel("cmd-getcarduid").command(0x8D, bytes(7), bytes(300)), "255"),
    ],
)
def test_wrong_sizes_are_named(call: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
