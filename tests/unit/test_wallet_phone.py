"""The phone's rotating code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from wallet import phone
from wallet.phone import PhoneCode, PhoneFault

KEY = derive_private_key(4711, SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
OTHER = (
    derive_private_key(4712, SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
)
AT = datetime(2026, 11, 25, 9, 30, 5, tzinfo=UTC)


def signed(credential: bytes = b"credential", at: datetime = AT) -> PhoneCode:
    r, s = decode_dss_signature(KEY.sign(phone.to_be_signed(credential, at), ECDSA(SHA256())))
    return PhoneCode(credential, at, r.to_bytes(32) + s.to_bytes(32))


def test_a_code_survives_the_camera_and_checks() -> None:
    code = phone.decode(phone.encode(signed()))
    assert code == signed_like(code)
    phone.check(code, PUBLIC)


def signed_like(code: PhoneCode) -> PhoneCode:
    return PhoneCode(b"credential", AT, code.signature)


@pytest.mark.parametrize(
    "changed",
    [
        lambda code: replace(code, shown_at=code.shown_at + timedelta(seconds=1)),
        lambda code: replace(code, credential=b"credentiaL"),
        lambda code: replace(code, signature=bytes(64)),
        lambda code: replace(code, signature=b"\xff" * 64),
    ],
)
def test_nothing_of_a_code_can_be_changed(changed) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PhoneFault):
        phone.check(changed(signed()), PUBLIC)


@pytest.mark.parametrize("key", [OTHER, b"", bytes(33), b"\x04" + bytes(64)])
def test_another_phone_did_not_sign_it(key: bytes) -> None:
    with pytest.raises(PhoneFault):
        phone.check(signed(), key)


def test_one_moment_has_one_name_however_it_is_signed() -> None:
    # An ECDSA signature has a twin, and signing again gives another: neither may pass for a new code.
    assert signed().code_id == signed().code_id
    assert signed().code_id != signed(at=AT + timedelta(seconds=15)).code_id
    assert signed().code_id != signed(b"another").code_id


@given(st.binary(max_size=120))
def test_bytes_of_strangers_are_no_code(data: bytes) -> None:
    try:
        phone.check(phone.decode(data), PUBLIC)
    except PhoneFault:
        return
    raise AssertionError("taken for a phone's code")
