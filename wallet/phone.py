"""The phone's rotating code: its credential and the present moment, signed by the phone's own key (RFC 9052 in spirit).

The credential names the phone's public key and is signed by the issuer, so any reader can check both without asking
anyone. A picture of the code is worth nothing once its seconds are over.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from wallet.device_key import SIGNATURE_BYTES, DeviceKeyFault, is_signed

_FORM = b"\x02"
_INSTANT_BYTES = 4
_CONTEXT = b"passband phone code 1"
_CODE_ID_BYTES = 8


class PhoneFault(ValueError):
    """The bytes are no phone's code, or the phone did not sign them."""


@dataclass(frozen=True)
class PhoneCode:
    """A code as it was shown: the credential's bytes, when the phone signed, and its signature."""

    credential: bytes
    shown_at: datetime
    signature: bytes

    @property
    def code_id(self) -> str:
        """A name for exactly this code, however its signature is written: 16 hex digits."""
        return hashlib.sha256(to_be_signed(self.credential, self.shown_at)).digest()[:_CODE_ID_BYTES].hex()


def is_phone_code(data: bytes) -> bool:
    """Return whether the bytes of a code say that they are a phone's."""
    return data.startswith(_FORM)


def to_be_signed(credential: bytes, shown_at: datetime) -> bytes:
    """Return what the phone signs: a context, the instant (seconds, 4 bytes) and the credential's SHA-256."""
    instant = int(shown_at.timestamp()).to_bytes(_INSTANT_BYTES)
    return _CONTEXT + instant + hashlib.sha256(credential).digest()


def encode(code: PhoneCode) -> bytes:
    """Return the bytes that the QR code carries: form, instant, signature, credential."""
    return _FORM + int(code.shown_at.timestamp()).to_bytes(_INSTANT_BYTES) + code.signature + code.credential


def decode(data: bytes) -> PhoneCode:
    """Return the code; nothing is verified yet.

    Raises:
        PhoneFault: cut off, or no phone's code.
    """
    fixed = len(_FORM) + _INSTANT_BYTES + SIGNATURE_BYTES
    if not is_phone_code(data) or len(data) <= fixed:
        raise PhoneFault("this is no code of a phone")
    instant = int.from_bytes(data[1 : 1 + _INSTANT_BYTES])
    signature = data[1 + _INSTANT_BYTES : fixed]
    return PhoneCode(data[fixed:], datetime.fromtimestamp(instant, UTC), signature)


def check(code: PhoneCode, device_key: bytes) -> None:
    """Return if the phone with this key signed the code.

    Args:
        device_key: from the verified credential, a compressed point of P-256.

    Raises:
        PhoneFault: it did not, or the key is none.
    """
    try:
        if is_signed(device_key, to_be_signed(code.credential, code.shown_at), code.signature):
            return
    except DeviceKeyFault:
        raise PhoneFault("the credential names no key of a phone") from None
    raise PhoneFault("the phone did not sign this code")
