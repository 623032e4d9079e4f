"""The credential's NDEF record: found in any honest message, and never guessed in a broken one."""

import ndef as ndeflib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.chips.ndef import RECORD_TYPE, MalformedNdef, encode_credential_message, find_credential

URL = bytes.fromhex("D1010C5504") + b"example.com"  # MB ME SR, well-known, https://example.com


others = st.builds(
    lambda kind, name, data: ndeflib.Record(kind + name, "", data),
    st.sampled_from(["urn:nfc:ext:example.com:", "application/", "urn:nfc:wkt:"]),
    st.text("abcdefgh", min_size=1, max_size=9),
    st.binary(max_size=300),
)


def message_of(records: list[object]) -> bytes:
    return b"".join(ndeflib.message_encoder(records))


@given(st.binary(min_size=1, max_size=900))
def test_what_is_encoded_is_found(credential: bytes) -> None:
    assert find_credential(encode_credential_message(credential)) == credential


@given(st.binary(min_size=1, max_size=400))
def test_the_message_is_what_ndeflib_makes_of_it(credential: bytes) -> None:
    record = ndeflib.Record("urn:nfc:ext:" + RECORD_TYPE.decode(), "", credential)
    assert encode_credential_message(credential) == message_of([record])


@given(st.lists(others, max_size=4), st.lists(others, max_size=4), st.binary(min_size=1, max_size=300))
def test_other_records_are_skipped(before: list[object], after: list[object], credential: bytes) -> None:
    mine = ndeflib.Record("urn:nfc:ext:pb:c", "id", credential)
    assert find_credential(message_of([*before, mine, *after])) == credential
    assert find_credential(message_of([*before, *after])) is None


@given(st.binary(max_size=60))
def test_random_bytes_never_leak_another_error(message: bytes) -> None:
    try:
        found = find_credential(message)
    except MalformedNdef:
        return
    assert found is None or RECORD_TYPE + found in message.lower() + message


@given(st.binary(min_size=1, max_size=300), st.data())
def test_every_torn_message_is_refused(credential: bytes, data: st.DataObject) -> None:
    message = encode_credential_message(credential)
    keep = data.draw(st.integers(1, len(message) - 1))
    with pytest.raises(MalformedNdef):
        find_credential(message[:keep])


@pytest.mark.parametrize("message", [b"", bytes.fromhex("D00000"), URL])
def test_a_message_without_a_credential_holds_none(message: bytes) -> None:
    assert find_credential(message) is None


def chunked(*chunks: bytes) -> bytes:
    """A Passband record in chunks (NDEF 1.0, 2.3.3)."""
    first = bytes([0xB4, len(RECORD_TYPE), len(chunks[0])]) + RECORD_TYPE + chunks[0]
    middle = b"".join(bytes([0x36, 0, len(chunk)]) + chunk for chunk in chunks[1:-1])
    return first + middle + bytes([0x56, 0, len(chunks[-1])]) + chunks[-1]


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (encode_credential_message(b"a") * 2, "after its end"),
        (bytes.fromhex("54040170623A6361"), "begin exactly once"),
        (bytes.fromhex("94040170623A6361"), "no end"),
        (bytes.fromhex("94040170623A6361") + bytes.fromhex("54040170623A6362"), "more than one"),
        (bytes.fromhex("D4040070623A63"), "empty or in chunks"),
        (chunked(b"a", b"b", b"c"), "empty or in chunks"),
        (bytes.fromhex("D6000161"), "chunk does not follow"),
        (bytes.fromhex("D70000"), "type name format"),
        (bytes.fromhex("D0000161"), "type name format"),
        (bytes.fromhex("C404FFFFFFFF70623A63"), "longer than the message"),
        (bytes.fromhex("D4"), "cut off"),
        (bytes.fromhex("DC0401"), "cut off"),
    ],
)
def test_contradictions_are_named(message: bytes, sentence: str) -> None:
    with pytest.raises(MalformedNdef, match=sentence):
        find_credential(message)


def test_a_chunked_stranger_is_skipped() -> None:
    stranger = bytes.fromhex("B2010178 61".replace(" ", "")) + bytes.fromhex("360001 62".replace(" ", ""))
    mine = bytearray(encode_credential_message(b"mine"))
    mine[0] &= ~0x80
    assert find_credential(stranger + bytes.fromhex("16000163") + bytes(mine)) == b"mine"


def test_the_type_name_compares_without_case() -> None:
    assert find_credential(encode_credential_message(b"x").replace(b"pb:c", b"PB:C")) == b"x"


def test_an_empty_credential_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        encode_credential_message(b"")


def test_a_credential_of_122_bytes_fits_an_ntag213() -> None:
    assert len(encode_credential_message(bytes(122))) <= 137
