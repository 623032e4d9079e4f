"""A phone's own key: one form, and a proof that is good for one medium and one command."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from simulators.phone import SimulatedPhone
from wallet.device_key import DeviceKeyFault, compressed, is_signed, possession

PHONE = SimulatedPhone(b"\x07" * 32)
KEY = compressed(bytes.fromhex(PHONE.public_key))


@given(st.integers(1, 2**255))
def test_a_key_has_one_form_however_it_is_written(secret: int) -> None:
    key = derive_private_key(secret, SECP256R1()).public_key()
    short, long = (
        key.public_bytes(Encoding.X962, form)
        for form in (PublicFormat.CompressedPoint, PublicFormat.UncompressedPoint)
    )
    assert compressed(short) == compressed(long) == short


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        bytes(33),
        bytes(65),
        b"\x04" + b"\x11" * 64,
        b"\x02" + b"\xff" * 32,
        KEY + b"\x00",
        KEY[:-1],
    ],
    ids=lambda data: data[:3].hex() + f"+{len(data)}",
)
def test_what_is_no_point_of_the_curve_is_no_key(data: bytes) -> None:
    with pytest.raises(DeviceKeyFault):
        compressed(data)
    with pytest.raises(DeviceKeyFault):
        is_signed(data, b"", bytes(64))


def test_a_proof_is_good_for_its_medium_and_its_command_alone() -> None:
    proof = bytes.fromhex(PHONE.prove("medium", "command"))
    assert is_signed(KEY, possession("medium", "command"), proof)
    assert not is_signed(KEY, possession("medium", "another"), proof)
    assert not is_signed(KEY, possession("another", "command"), proof)
    other = compressed(bytes.fromhex(SimulatedPhone(b"\x08" * 32).public_key))
    assert not is_signed(other, possession("medium", "command"), proof)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_what_is_no_signature_proves_nothing(signature: bytes) -> None:
    assert not is_signed(KEY, b"", signature)
