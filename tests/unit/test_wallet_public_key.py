"""Public keys that nobody holds a secret for are told from those that somebody does."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wallet.public_key import is_sound

# The eight points of small order, each in its canonical spelling (x = 0 has one, the others one per sign of x).
SMALL = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_has_a_secret_is_sound(seed: bytes) -> None:
    assert is_sound(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


@pytest.mark.parametrize("key", SMALL)
def test_a_point_of_small_order_is_not(key: str) -> None:
    assert not is_sound(bytes.fromhex(key))


@pytest.mark.parametrize(
    "key", ["", "00" * 31, "00" * 33, "ff" * 32, "ed" + "ff" * 30 + "7f", "02" + "00" * 31]
)
def test_what_is_no_point_in_its_one_spelling_is_not(key: str) -> None:
    assert not is_sound(bytes.fromhex(key))
