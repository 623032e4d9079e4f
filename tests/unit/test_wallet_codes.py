"""Identifiers, PIN verifiers and QR texts: right to the bit, and nothing hostile gets through or raises otherwise."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet import pin, qr
from wallet.ids import id_bytes, id_from_bytes, is_id, short_tag, uuid7

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (bounds are naive by Hypothesis's rule)
ENTROPY = st.binary(min_size=10, max_size=10)


@given(INSTANTS, ENTROPY)
def test_an_id_has_the_bits_of_rfc_9562(at: datetime, entropy: bytes) -> None:
    text = uuid7(at, entropy)
    value = UUID(text)
    assert (value.version, value.variant) == (7, "specified in RFC 4122")
    assert value.int >> 80 == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    given_bits = int.from_bytes(entropy, "big") & ~(0xF << 76 | 0x3 << 62)
    assert value.int & ((1 << 80) - 1) & ~(0xF << 76 | 0x3 << 62) == given_bits
    assert is_id(text)
    assert uuid7(at, entropy) == text
    assert id_from_bytes(id_bytes(text)) == text
    assert short_tag(text) == value.bytes[-8:]


def test_the_example_of_rfc_9562_appendix_a_6() -> None:
    at = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert uuid7(at, bytes.fromhex("0cc318c4dc0c0c07398f")) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(INSTANTS, st.integers(0, 10**10), ENTROPY, ENTROPY)
def test_ids_are_ordered_by_their_millisecond(at: datetime, later_ms: int, one: bytes, two: bytes) -> None:
    later = at + timedelta(milliseconds=later_ms + 1)
    assert uuid7(at, one) < uuid7(later, two)


@given(INSTANTS, st.lists(ENTROPY, min_size=2, max_size=9, unique=True))
def test_ids_differ_where_74_bits_of_entropy_differ(at: datetime, entropies: list[bytes]) -> None:
    free = ~(0xF << 76 | 0x3 << 62)
    assert len({uuid7(at, each) for each in entropies}) == len(
        {int.from_bytes(each, "big") & free for each in entropies}
    )


@pytest.mark.parametrize(
    ("at", "entropy"),
    [
        (datetime(2027, 1, 1), bytes(10)),  # noqa: DTZ001 (the naive instant is the fault)
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), bytes(10)),
        (datetime(2027, 1, 1, tzinfo=UTC), bytes(9)),
        (datetime(2027, 1, 1, tzinfo=UTC), bytes(11)),
    ],
)
def test_an_id_of_something_else_is_refused(at: datetime, entropy: bytes) -> None:
    with pytest.raises(ValueError, match="an id needs"):
        uuid7(at, entropy)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{" + "0" * 32 + "}",
        "x" * 36,
    ],
)
def test_one_spelling_only_is_an_id(text: str) -> None:
    assert not is_id(text)


# PIN

SALT, PEPPER = bytes(range(16)), b"pepper"


def test_the_right_pin_with_the_right_pepper_and_nothing_else_is_right() -> None:
    verifier = pin.make_verifier("2580", SALT, PEPPER)
    assert "2580" not in verifier
    assert pin.verify(verifier, "2580", PEPPER)
    assert not pin.verify(verifier, "2581", PEPPER)
    assert not pin.verify(verifier, "", PEPPER)
    assert not pin.verify(verifier, "2580", b"other")
    assert pin.make_verifier("2580", bytes(16), PEPPER) != verifier


@pytest.mark.parametrize("text", ["123", "123456789", "12a4", "", "١٢٣٤", "12 4", "²²²²"])
def test_four_to_eight_digits_are_a_pin(text: str) -> None:
    assert not pin.is_pin(text)
    with pytest.raises(ValueError, match="four to eight digits"):
        pin.make_verifier(text, SALT, PEPPER)


@pytest.mark.parametrize("text", ["0000", "12345678"])
def test_the_shortest_and_the_longest_pin_are_one(text: str) -> None:
    assert pin.is_pin(text)


def test_a_salt_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="sixteen"):
        pin.make_verifier("2580", bytes(15), PEPPER)


@pytest.mark.parametrize(
    "verifier", ["", "scrypt1", "scrypt1$$", "scrypt2$YQ==$YQ==", "scrypt1$a$b", "plain$1$2"]
)
def test_a_verifier_of_another_scheme_is_a_value_error(verifier: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pin.verify(verifier, "2580", PEPPER)


# QR


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")],
)
def test_the_vectors_of_rfc_9285(data: bytes, text: str) -> None:
    assert qr.base45_encode(data) == text
    assert qr.base45_decode(text) == data
    assert qr.encode(data) == "PB1:" + text


@given(st.binary(max_size=600))
def test_a_code_gives_back_what_it_carries(data: bytes) -> None:
    assert qr.decode(qr.encode(data)) == data


@given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=30))
def test_each_text_is_the_one_spelling_of_its_bytes_or_refused(text: str) -> None:
    try:
        data = qr.base45_decode(text)
    except qr.QrFault:
        return
    assert qr.base45_encode(data) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PB1:A",
        "PB1:GGW",
        "PB1:::",
        "PB1:5V",
        "PB1:ab8",
        "PB2:BB8",
        "BB8",
        "pb1:BB8",
        "PB1:é00",
        "PB1:" + "0" * 1021,
    ],
)
def test_another_or_a_damaged_code_is_a_qr_fault(text: str) -> None:
    with pytest.raises(qr.QrFault):
        qr.decode(text)


def test_the_longest_text_is_read() -> None:
    assert qr.decode("PB1:" + "0" * 1020) == bytes(680)


@given(st.text(max_size=1100))
def test_any_text_raises_nothing_else(text: str) -> None:
    for each in (text, qr.PREFIX + text):
        try:
            data = qr.decode(each)
        except qr.QrFault:
            continue
        assert qr.encode(data) == each
