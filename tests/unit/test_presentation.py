"""What a reader makes of a scanned code."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from readers.drivers.scanner import QrContact
from readers.presentation import present as present_at
from tests.support.chip_world import ENTROPY, KnownKeys
from wallet import qr
from wallet.chips.keys import KeySlot
from wallet.credential import Credential, sign
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Presented

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {"0a0b": KEY.public_key()}
NOW = datetime(2027, 3, 1, 10, tzinfo=UTC)
PASS = Credential(
    token_id="0195a3f0-0000-7000-8000-000000000001",
    medium_tag=bytes(8),
    chip_uid="",
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=2),
    epoch=1,
    key_id="0a0b",
)


def present(contact: QrContact, keys: dict[str, Ed25519PublicKey]) -> Presented:
    return present_at(contact, keys, KnownKeys(), KeySlot.GATE, ENTROPY)


def scanned(text: str) -> QrContact:
    return QrContact(text.encode())


def test_a_scanned_pass_is_opened() -> None:
    presented = present(scanned(qr.encode(sign(PASS, KEY))), KEYS)
    assert presented.proof is Proof.QR
    assert presented.credential == PASS


@pytest.mark.parametrize("text", ["HTTPS://EXAMPLE.INVALID/", "PB1:~~~", "PB1:", "PB1:GGW"])
def test_another_code_or_a_damaged_one_is_refused(text: str) -> None:
    presented = present(scanned(text), KEYS)
    assert presented.credential is None
    assert presented.fault is Reason.CREDENTIAL_MALFORMED


def test_a_pass_of_a_chip_is_no_code() -> None:
    data = sign(msgspec.structs.replace(PASS, chip_uid="04a1b2c3d4e5f6"), KEY)
    assert present(scanned(qr.encode(data)), KEYS).fault is Reason.CREDENTIAL_OTHER_CHIP
