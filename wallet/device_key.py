"""The key that a phone makes for itself: how it is written, and how the phone shows once that it has the other half."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE_BYTES = 64
"""r and s, 32 bytes each, as WebCrypto gives them (IEEE P1363)."""

_CONTEXT = "passband device key 1"


class DeviceKeyFault(ValueError):
    """The bytes are no public key of P-256."""


def compressed(public_key: bytes) -> bytes:
    """Return a public key as 33 bytes, whether it came compressed or not (SEC 1, 2.3.3).

    Raises:
        DeviceKeyFault: no point of P-256.
    """
    return _point(public_key).public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def possession(medium_id: str, command_id: str) -> bytes:
    """Return what a phone signs when its key is registered: for this medium, in this command, and nothing else."""
    return "\n".join((_CONTEXT, medium_id, command_id)).encode()


def is_signed(public_key: bytes, signed: bytes, signature: bytes) -> bool:
    """Return whether the key signed these bytes (ECDSA with SHA-256, the signature as WebCrypto writes it).

    Raises:
        DeviceKeyFault: no point of P-256.
    """
    key = _point(public_key)
    if len(signature) != SIGNATURE_BYTES:
        return False
    half = SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(part) for part in (signature[:half], signature[half:]))
    try:
        key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _point(public_key: bytes) -> EllipticCurvePublicKey:
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
    except ValueError:
        raise DeviceKeyFault("these bytes are no point of P-256") from None
