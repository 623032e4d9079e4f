"""Sealing what an edge keeps on its disk: AES-256-GCM under a key that follows from the edge's own.

A copy of the database or of a file alone tells nothing. Whoever has the edge's key file as well can open it all: a SAM
or a TPM that keeps the key is what defends against that.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SealBroken(Exception):
    """It was sealed by another edge or for another place, or changed since."""


class Seal:
    """Closes and opens with one key; the same content for the same place is closed to the same bytes.

    The nonce is drawn from place and content (as in RFC 5297), so that it never comes again for something else.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Args: the edge's own key; it signs with it as well, so the seal's keys are derived."""
        derived = HKDF(SHA256(), 64, salt=None, info=b"passband seal 1").derive(key.private_bytes_raw())
        self._cipher, self._nonce_key = AESGCM(derived[:32]), derived[32:]

    def close(self, content: bytes, place: bytes) -> bytes:
        """Return the content sealed for a place: nonce, cipher text and tag, 28 bytes longer."""
        named = len(place).to_bytes(4) + place + content
        nonce = hmac.digest(self._nonce_key, named, hashlib.sha256)[:_NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Return the content.

        Raises:
            SealBroken: it was not sealed so.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise SealBroken("the seal does not hold") from None
