"""A credential without what a chip with keys tells anyway: for the small file of an NTAG 424 DNA (128 bytes).

The signature is over the whole credential. What is left out (the UID, the lengths and names of CBOR and COSE) follows
from the rest, because a credential has one spelling only; so the same signed bytes come back.
"""

from struct import Struct

import cbor2

from wallet.credential import CREDENTIAL_BYTES_MAX, CredentialFault, Parts, split
from wallet.reasons import Reason

_FORM = 1
_FIXED = Struct(">BB4s16s8sIIB64s")
"""Form, length of the grants, key id, token, medium, issued at, expires at, epoch, signature."""

COMPACT_BYTES_MAX = _FIXED.size + 0xFF


def pack(data: bytes) -> bytes:
    """Return a signed credential of a chip with keys in its short form: 103 bytes and its grants in CBOR.

    Raises:
        ValueError: it is not one for a chip with keys, or its grants take more than 255 bytes.
    """
    parts = split(data)
    match cbor2.loads(parts.payload):
        case [
            bytes(token),
            bytes(tag),
            bytes(uid),
            int(issued),
            int(expires),
            int(epoch),
            list(grants),
            True,
        ]:
            granted = cbor2.dumps(grants, canonical=True)
            if epoch > 0xFF or len(granted) > 0xFF:
                raise ValueError("an epoch or the grants of this credential do not fit the short form")
            key_id = bytes.fromhex(parts.key_id)
            fixed = _FIXED.pack(
                _FORM, len(granted), key_id, token, tag, issued, expires, epoch, parts.signature
            )
            if unpack(fixed + granted, uid.hex()) != data:
                raise ValueError("a field of this credential has another length than in the short form")
            return fixed + granted
    raise ValueError("only a credential for a chip with keys has a short form")


def packed_bytes(packed: bytes) -> int:
    """Return how long the short form is that these bytes begin with, by its own word; 0 for too few to tell."""
    return _FIXED.size + packed[1] if len(packed) > 1 else 0


def unpack(packed: bytes, chip_uid: str) -> bytes:
    """Return the signed credential that a chip of this UID holds in short form; what follows it is not looked at.

    Nothing is verified: that is for `open_credential`.

    Raises:
        CredentialFault: not a short form.
    """
    try:
        form, size, key_id, token, tag, issued, expires, epoch, signature = _FIXED.unpack_from(packed)
        granted = packed[_FIXED.size : _FIXED.size + size]
        if form != _FORM or len(granted) != size or len(packed) > CREDENTIAL_BYTES_MAX:
            raise ValueError("another form, or torn")
        claims = [token, tag, bytes.fromhex(chip_uid), issued, expires, epoch, cbor2.loads(granted), True]
        payload = cbor2.dumps(claims, canonical=True)
    except Exception as error:  # cbor2 raises more than its own errors on hostile bytes; all mean the same
        raise CredentialFault(
            Reason.CREDENTIAL_MALFORMED, f"no short form of a credential: {error}"
        ) from None
    return Parts(key_id.hex(), payload, signature).whole()
