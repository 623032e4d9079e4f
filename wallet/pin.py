"""The PIN's verifier: scrypt over the peppered PIN (RFC 7914), so that neither box alone gives the PIN away."""

import base64
import hmac

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_SCHEME = "scrypt1"
_COST, _BLOCK, _LANES = 2**13, 8, 1


def is_pin(text: str) -> bool:
    """Return whether `text` is four to eight digits."""
    return 4 <= len(text) <= 8 and text.isascii() and text.isdigit()


def make_verifier(pin: str, salt: bytes, pepper: bytes) -> str:
    """Return what is stored of a PIN.

    Args:
        salt: sixteen random bytes, new for each PIN.
        pepper: the resort's secret; it is kept apart from the verifiers.
    Raises:
        ValueError: not a PIN, or a salt of another length.
    """
    if not is_pin(pin):
        raise ValueError("a PIN is four to eight digits")
    if len(salt) != 16:
        raise ValueError("a PIN's salt is sixteen bytes")
    digest = _kdf(salt).derive(_peppered(pin, pepper))
    return "$".join((_SCHEME, base64.b64encode(salt).decode(), base64.b64encode(digest).decode()))


def verify(verifier: str, pin: str, pepper: bytes) -> bool:
    """Return whether `pin` is the one that `verifier` was made of.

    Raises:
        ValueError: the verifier is not of a scheme known here.
    """
    scheme, _, rest = verifier.partition("$")
    salt, _, digest = rest.partition("$")
    if scheme != _SCHEME or not digest:
        raise ValueError("this PIN verifier is of a scheme not known here")
    try:
        _kdf(base64.b64decode(salt)).verify(_peppered(pin, pepper), base64.b64decode(digest))
    except InvalidKey:
        return False
    return True


def _peppered(pin: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, pin.encode(), "sha256")


def _kdf(salt: bytes) -> Scrypt:
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_LANES)
