"""The credential: what was signed comes back, and nothing else is ever taken or ever raises another error."""

import random
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import BAND, BAND_ID, NOON, TODAY, TOKEN_ID, credentials
from wallet.credential import (
    CREDENTIAL_BYTES_MAX,
    AdmissionGrant,
    Credential,
    CredentialFault,
    RoomGrant,
    medium_tag,
    open_credential,
    sign,
    sign_within,
)
from wallet.reasons import Reason

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = "0102030405060708"
KEYS = {KEY_ID: KEY.public_key()}
TICKET = AdmissionGrant(("lagoon",), TODAY, TODAY + timedelta(days=3), 2)
ROOM = RoomGrant(("101",), NOON, NOON + timedelta(days=3))
CREDENTIAL = Credential(
    TOKEN_ID, medium_tag(BAND_ID), BAND.chip_uid, NOON, NOON + timedelta(days=9), 1, KEY_ID, (TICKET, ROOM)
)
SIGNED = sign(CREDENTIAL, KEY)
UNTRUSTED = {Reason.CREDENTIAL_MALFORMED, Reason.CREDENTIAL_FORGED, Reason.CREDENTIAL_FOREIGN_KEY}


def refusal(data: bytes, uid: str = BAND.chip_uid) -> Reason:
    with pytest.raises(CredentialFault) as caught:
        open_credential(data, KEYS, uid)
    assert str(caught.value)
    return caught.value.reason


def signed_claims(claims: object, header: object = None) -> bytes:
    """Sign any claims at all with the right key, as a mistaken or later issuer would."""
    protected = cbor2.dumps({1: -8, 4: bytes.fromhex(KEY_ID)} if header is None else header, canonical=True)
    payload = cbor2.dumps(claims, canonical=True)
    to_sign = cbor2.dumps(["Signature1", protected, b"passband credential 1", payload], canonical=True)
    return cbor2.dumps([protected, {}, payload, KEY.sign(to_sign)], canonical=True)


def claims_of(data: bytes) -> list[object]:
    claims = cbor2.loads(cbor2.loads(data)[2])
    assert isinstance(claims, list)
    return claims


@given(credentials())
def test_what_was_signed_comes_back(credential: Credential) -> None:
    data = sign(credential, KEY)
    assert data == sign(credential, KEY)
    assert open_credential(data, KEYS, credential.chip_uid) == credential


def test_every_flipped_bit_is_refused() -> None:
    seen = set()
    for position in range(len(SIGNED) * 8):
        flipped = bytearray(SIGNED)
        flipped[position // 8] ^= 1 << position % 8
        seen.add(refusal(bytes(flipped)))
    assert seen == UNTRUSTED


def test_every_beginning_of_a_credential_is_malformed() -> None:
    for length in range(len(SIGNED)):
        assert refusal(SIGNED[:length]) is Reason.CREDENTIAL_MALFORMED


def test_bytes_beside_the_signed_ones_are_refused() -> None:
    protected, _, payload, signature = cbor2.loads(SIGNED)
    for spelling in (
        SIGNED + b"\0",
        cbor2.dumps([protected, {7: 1}, payload, signature]),
        cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature])),
        b"\x9f" + SIGNED[1:] + b"\xff",
    ):
        assert refusal(spelling) is Reason.CREDENTIAL_MALFORMED


def test_thousands_of_mutations_raise_nothing_but_a_credential_fault() -> None:
    dice = random.Random(20270302)
    for _ in range(4000):
        data = bytearray(SIGNED)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(data))
            match dice.randrange(4):
                case 0:
                    data[at] = dice.randrange(256)
                case 1:
                    data[at:at] = dice.randbytes(dice.randint(1, 9))
                case 2:
                    del data[at : at + dice.randint(1, 9)]
                case _:
                    data[at:at] = data[at : at + 16]
            if not data:
                data = bytearray(SIGNED)
        if data != SIGNED:
            assert refusal(bytes(data)) in UNTRUSTED


@given(st.binary(max_size=CREDENTIAL_BYTES_MAX + 8))
def test_any_bytes_are_malformed(data: bytes) -> None:
    assert refusal(data) in UNTRUSTED


_CBOR = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.binary(max_size=40)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(_CBOR, _CBOR)
def test_any_cbor_is_malformed_signed_or_not(claims: object, header: object) -> None:
    assert refusal(cbor2.dumps(claims)) is Reason.CREDENTIAL_MALFORMED
    assert refusal(signed_claims(claims)[:CREDENTIAL_BYTES_MAX]) in UNTRUSTED
    assert refusal(signed_claims(CREDENTIAL.token_id, header)) in UNTRUSTED


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x81" * 500,
        b"\x5b" + b"\xff" * 8,
        b"\x9b\x7f" + b"\xff" * 7,
        b"\xd8\x1e\x82\x01\x00",
        b"\xc4\x82\x1b" + b"\x7f" * 8 + b"\x01",
        b"\xd8\x23\x6a((((((((((",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\x84" * (CREDENTIAL_BYTES_MAX + 1),
    ],
)
def test_cbor_made_to_hurt_is_malformed(bomb: bytes) -> None:
    assert refusal(bomb) is Reason.CREDENTIAL_MALFORMED


def test_a_credential_may_be_as_long_as_the_limit_and_no_longer() -> None:
    long = replace(CREDENTIAL, grants=(RoomGrant(("x" * 320,), NOON, NOON),))
    fits = replace(
        long, grants=(RoomGrant(("x" * (320 + CREDENTIAL_BYTES_MAX - len(sign(long, KEY))),), NOON, NOON),)
    )
    data = sign(fits, KEY)
    assert len(data) == CREDENTIAL_BYTES_MAX
    assert open_credential(data, KEYS, BAND.chip_uid) == fits
    grant = fits.grants[0]
    assert isinstance(grant, RoomGrant)
    over = replace(fits, grants=(replace(grant, rooms=(grant.rooms[0] + "x",)),))
    assert refusal(sign(over, KEY)) is Reason.CREDENTIAL_MALFORMED


def test_a_foreign_key_id_and_a_key_that_only_claims_the_id_are_told_apart() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    foreign = replace(CREDENTIAL, key_id="ffffffffffffffff")
    assert refusal(sign(foreign, stranger)) is Reason.CREDENTIAL_FOREIGN_KEY
    assert refusal(sign(CREDENTIAL, stranger)) is Reason.CREDENTIAL_FORGED


@pytest.mark.parametrize("uid", ["04aabbccddee00", "", "04AABBCCDDEEFF"])
def test_a_credential_on_another_chip_or_on_none_is_a_copy(uid: str) -> None:
    assert refusal(SIGNED, uid) is Reason.CREDENTIAL_OTHER_CHIP


def test_a_phone_s_credential_is_no_good_on_a_chip() -> None:
    phone = sign(replace(CREDENTIAL, chip_uid=""), KEY)
    assert open_credential(phone, KEYS, "").chip_uid == ""
    assert refusal(phone) is Reason.CREDENTIAL_OTHER_CHIP


@pytest.mark.parametrize("header", [{}, {1: -7, 4: b"\1"}, {1: -8}, {1: -8, 4: "x"}, [], -8])
def test_a_header_of_another_kind_is_malformed(header: object) -> None:
    assert refusal(signed_claims(claims_of(SIGNED), header)) is Reason.CREDENTIAL_MALFORMED


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, b"\0" * 15),
        (0, "text"),
        (3, -1),
        (3, 2**32),
        (4, 2**63),
        (4, 10**40),
        (5, None),
        (6, 1),
        (6, [[1, ["lagoon"], 10**30, 0, 1]]),
        (6, [[1, ["lagoon"], 0, 2932897 * 9, 1]]),
        (6, [[2, ["101"], -1, 0]]),
        (6, [[2, ["101"], 0, 2**32]]),
    ],
)
def test_a_claim_out_of_range_is_malformed_though_well_signed(place: int, value: object) -> None:
    claims = claims_of(SIGNED)
    claims[place] = value
    assert refusal(signed_claims(claims)) is Reason.CREDENTIAL_MALFORMED


def test_the_last_second_of_the_range_is_taken() -> None:
    last = replace(
        CREDENTIAL,
        expires_at=datetime.fromtimestamp(2**32 - 1, UTC),
        issued_at=datetime.fromtimestamp(0, UTC),
    )
    assert open_credential(sign(last, KEY), KEYS, BAND.chip_uid) == last


def test_a_grant_of_a_later_version_grants_nothing_and_harms_nothing() -> None:
    claims = claims_of(SIGNED)
    claims[6] = [[9, "new"], *claims[6], "what"]
    assert open_credential(signed_claims(claims), KEYS, BAND.chip_uid) == CREDENTIAL


def test_instants_are_kept_to_the_second() -> None:
    odd = replace(CREDENTIAL, issued_at=NOON + timedelta(microseconds=999999))
    assert open_credential(sign(odd, KEY), KEYS, BAND.chip_uid).issued_at == NOON


# User memory in bytes (NTAG213/215/216 data sheet, NXP, section 8.5) less what stands around the payload in
# a short
# NDEF record: TLV type and length (3 for long ones), record header (flags, type length, payload length) and
# terminator.
_ROOM_FOR = {"ntag213": 144 - 6, "ntag215": 504 - 12, "ntag216": 888 - 12}


def test_a_bare_credential_fits_the_smallest_chip_and_one_with_grants_the_next() -> None:
    bare = sign(replace(CREDENTIAL, grants=()), KEY)
    assert len(bare) == 131
    assert len(bare) <= _ROOM_FOR["ntag213"]
    assert len(sign(replace(CREDENTIAL, grants=(TICKET,)), KEY)) == 131 + 17
    assert _ROOM_FOR["ntag213"] < 131 + 17
    assert len(SIGNED) == 131 + 17 + 17
    assert len(SIGNED) <= _ROOM_FOR["ntag215"]
    twenty = sign(replace(CREDENTIAL, grants=(TICKET, ROOM) * 10), KEY)
    assert len(twenty) <= min(_ROOM_FOR["ntag215"], CREDENTIAL_BYTES_MAX)
    assert _ROOM_FOR["ntag216"] >= CREDENTIAL_BYTES_MAX


def test_grants_that_do_not_fit_the_chip_are_left_out_from_the_last() -> None:
    def opened(bytes_max: int) -> tuple[object, ...]:
        data = sign_within(CREDENTIAL, KEY, bytes_max)
        assert len(data) <= bytes_max
        return open_credential(data, KEYS, BAND.chip_uid).grants

    assert opened(len(SIGNED)) == (TICKET, ROOM)
    assert opened(len(SIGNED) - 1) == (TICKET,)
    assert opened(_ROOM_FOR["ntag213"]) == ()
    with pytest.raises(ValueError, match="does not fit in 130"):
        sign_within(CREDENTIAL, KEY, 130)


def test_no_chip_makes_a_credential_longer_than_what_is_taken_back() -> None:
    many = replace(CREDENTIAL, grants=(TICKET, ROOM) * 20)
    data = sign_within(many, KEY, 888)
    assert len(data) <= CREDENTIAL_BYTES_MAX
    assert open_credential(data, KEYS, BAND.chip_uid).grants == many.grants[: len(claims_of(data)[6])]
