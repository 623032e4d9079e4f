"""Secrets at rest and secrets made from one: everything here hangs on the master key."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What a code is spelled with: nothing that is read as something else."""


class VaultFault(Exception):
    """Something sealed cannot be opened: it was changed, or sealed under another master key."""


class Vault:
    """Seals, derives and hashes under one master key.

    Args:
        master: 32 bytes; each purpose gets a key of its own from them (HKDF, RFC 5869).
    """

    def __init__(self, master: bytes) -> None:
        self._master = master

    def derive(self, purpose: str, name: str = "") -> bytes:
        """Return 32 secret bytes, the same each time for one purpose and name."""
        info = f"passband {purpose}\x00{name}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._master)

    def seal(self, purpose: str, name: str, secret: bytes, nonce: bytes) -> str:
        """Return the secret encrypted (AES-256-GCM) as hex; it opens under the same purpose and name only.

        Args:
            nonce: twelve random bytes, never used twice.
        """
        if len(nonce) != _NONCE_BYTES:
            raise ValueError(f"a nonce has {_NONCE_BYTES} bytes")
        return (nonce + AESGCM(self.derive(purpose)).encrypt(nonce, secret, name.encode())).hex()

    def open(self, purpose: str, name: str, sealed: str) -> bytes:
        """Return the secret.

        Raises:
            VaultFault: changed, or sealed under another master key, purpose or name.
        """
        data = bytes.fromhex(sealed)
        try:
            return AESGCM(self.derive(purpose)).decrypt(
                data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode()
            )
        except InvalidTag:
            raise VaultFault(
                f"{purpose} {name} does not open: is PASSBAND_MASTER_KEY the one it was made under?"
            ) from None

    def code(self, purpose: str, name: str, letters: int = 8) -> str:
        """Return a code for people, the same each time for one purpose and name; eight letters hold 39 bits.

        Made of the id of the command that issues it, it can be told again for a repeated command without being stored.
        """
        number = int.from_bytes(self.derive(f"{purpose} code", name), "big")
        chosen = []
        for _ in range(letters):
            number, letter = divmod(number, len(_LETTERS))
            chosen.append(_LETTERS[letter])
        return "".join(chosen)

    def code_hash(self, purpose: str, code: str) -> str:
        """Return what is stored of a code: without the master key not even a short code can be guessed from it."""
        plain = "".join(code.split()).replace("-", "").upper()
        return hmac.new(self.derive(f"{purpose} code hash"), plain.encode(), hashlib.sha256).hexdigest()

    @property
    def pin_pepper(self) -> bytes:
        """The pepper of all PIN verifiers; only edges with tills learn it."""
        return self.derive("pin pepper")
