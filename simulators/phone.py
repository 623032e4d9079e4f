"""A guest's phone: it makes a key, proves it once, keeps its credential, and signs a new code each time it is shown."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wallet import phone, qr
from wallet.device_key import SIGNATURE_BYTES, possession

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (SEC 2, 2.4.2)."""


class SimulatedPhone:
    """One phone. Its key never leaves it; real ones keep it where not even the page can read it."""

    def __init__(self, secret: bytes) -> None:
        """Args: `secret` are 32 random bytes, of which the key is made."""
        self._key = derive_private_key(1 + int.from_bytes(secret) % (_ORDER - 1), SECP256R1())

    @property
    def public_key(self) -> str:
        """The public key, uncompressed as WebCrypto exports it, in hex."""
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()

    def prove(self, medium_id: str, command_id: str) -> str:
        """Return the signature (hex) that registers the key for a medium under this idempotency key."""
        return self._sign(possession(medium_id, command_id)).hex()

    def code(self, credential: bytes, shown_at: datetime) -> str:
        """Return the text of the code that the phone shows at this moment of its own clock."""
        signature = self._sign(phone.to_be_signed(credential, shown_at))
        return qr.encode(phone.encode(phone.PhoneCode(credential, shown_at, signature)))

    def _sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ECDSA(SHA256())))
        half = SIGNATURE_BYTES // 2
        return r.to_bytes(half) + s.to_bytes(half)
