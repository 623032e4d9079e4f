"""The short form of a credential for chips with a small file."""

from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wallet.compact import pack, unpack
from wallet.credential import AdmissionGrant, Credential, CredentialFault, Grant, open_credential, sign
from wallet.reasons import Reason

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {"a1b2c3d4": KEY.public_key()}
UID = "04de5f1eacc040"
AT = datetime(2026, 11, 24, 15, tzinfo=UTC)
FILE_BYTES = 128
"""The proprietary file of an NTAG 424 DNA (NT4H2421Gx, 8.2.3)."""


def credential(*grants: Grant, chip_keys: bool = True) -> Credential:
    return Credential(
        token_id="01a207a2-328a-7d55-9e3b-ae8e545e44d3",
        medium_tag=b"12345678",
        chip_uid=UID,
        issued_at=AT,
        expires_at=AT + timedelta(days=5),
        epoch=1,
        key_id="a1b2c3d4",
        grants=grants,
        chip_keys=chip_keys,
    )


ADMISSION = AdmissionGrant(("lagoon-park",), date(2026, 11, 24), date(2026, 11, 28), 2)


@pytest.mark.parametrize("grants", [(), (ADMISSION,)])
def test_the_same_signed_bytes_come_back(grants: tuple[Grant, ...]) -> None:
    signed = sign(credential(*grants), KEY)
    packed = pack(signed)
    assert len(packed) + 1 <= FILE_BYTES, "with its length before it, it fits the file"
    assert unpack(packed + bytes(FILE_BYTES - len(packed)), UID) == signed
    assert open_credential(unpack(packed, UID), KEYS, UID) == credential(*grants)


def test_on_another_chip_the_signature_does_not_fit() -> None:
    copied = unpack(pack(sign(credential(), KEY)), "04aaaaaaaaaaaa")
    with pytest.raises(CredentialFault) as fault:
        open_credential(copied, KEYS, "04aaaaaaaaaaaa")
    assert fault.value.reason is Reason.CREDENTIAL_FORGED


@given(st.integers(0, 127), st.integers(0, 7))
def test_a_flipped_bit_never_opens(byte: int, bit: int) -> None:
    packed = bytearray(pack(sign(credential(ADMISSION), KEY)))
    if byte >= len(packed):
        return
    packed[byte] ^= 1 << bit
    with pytest.raises(CredentialFault):
        open_credential(unpack(bytes(packed), UID), KEYS, UID)


@given(st.binary(max_size=600))
def test_bytes_of_strangers_are_malformed(data: bytes) -> None:
    with pytest.raises(CredentialFault):
        open_credential(unpack(data, UID), KEYS, UID)


def test_a_key_id_of_another_length_is_never_cut() -> None:
    with pytest.raises(ValueError, match="another length"):
        pack(sign(replace(credential(), key_id="0102030405060708"), KEY))


def test_only_what_a_chip_with_keys_carries_has_a_short_form() -> None:
    with pytest.raises(ValueError, match="chip with keys"):
        pack(sign(credential(chip_keys=False), KEY))
