"""The signed credential on a medium: COSE_Sign1 with Ed25519 over a compact CBOR array (RFC 9052, RFC 8949)."""

from datetime import UTC, date, datetime, timedelta

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct
from msgspec.structs import replace

from wallet.ids import id_bytes, id_from_bytes, short_tag
from wallet.instant import Instant
from wallet.reasons import Reason

CREDENTIAL_BYTES_MAX = 512
"""Anything longer is not ours: the largest chip holds 888 bytes and the largest credential stays far below."""

DEVICE_KEY_BYTES = 33
"""A compressed point of P-256 (SEC 1, 2.3.3)."""

_ALGORITHM, _KEY_ID = 1, 4
_EDDSA = -8
_EXTERNAL_AAD = b"passband credential 1"
_DAY_ZERO = date(2020, 1, 1)
_SECONDS_END = 2**32


class AdmissionGrant(Struct, frozen=True, array_like=True, tag=1):
    """What an edge without the guest's facts may still grant: these parks on so many days of a span."""

    parks: tuple[str, ...]
    from_day: date
    until_day: date
    days: int


class RoomGrant(Struct, frozen=True, array_like=True, tag=2):
    """What a door without the guest's facts may still grant: these rooms for this time."""

    rooms: tuple[str, ...]
    from_at: Instant
    until_at: Instant


Grant = AdmissionGrant | RoomGrant


class Credential(Struct, frozen=True, omit_defaults=True):
    """The claims of a verified credential.

    Args:
        chip_uid: lower-case hex, empty when it is shown as a QR code.
        chip_keys: whether the chip has keys of its own, so that its UID alone proves nothing.
        device_key: the phone's public key that must sign each code (P-256, compressed, 33 bytes); empty for none.
    """

    token_id: str
    medium_tag: bytes
    chip_uid: str
    issued_at: Instant
    expires_at: Instant
    epoch: int
    key_id: str
    grants: tuple[Grant, ...] = ()
    chip_keys: bool = False
    device_key: bytes = b""


class Parts(Struct, frozen=True):
    """What a credential's bytes consist of: the signing key's id (hex), the claims in CBOR and the signature."""

    key_id: str
    payload: bytes
    signature: bytes

    def whole(self) -> bytes:
        """Return the COSE_Sign1 structure in its one spelling."""
        return cbor2.dumps([_protected(self.key_id), {}, self.payload, self.signature], canonical=True)


class CredentialFault(Exception):
    """The bytes are no credential to be trusted; `reason` says why."""

    def __init__(self, reason: Reason, explanation: str) -> None:
        super().__init__(explanation)
        self.reason = reason


def medium_tag(medium_id: str) -> bytes:
    """Return the eight bytes by which a credential names its medium."""
    return short_tag(medium_id)


def sign(credential: Credential, key: Ed25519PrivateKey) -> bytes:
    """Return the credential as signed bytes, ready for a chip. The same credential and key give the same bytes."""
    payload = cbor2.dumps(_pack(credential), canonical=True)
    return Parts(credential.key_id, payload, key.sign(_to_be_signed(credential.key_id, payload))).whole()


def sign_within(credential: Credential, key: Ed25519PrivateKey, bytes_max: int) -> bytes:
    """Return the credential signed in at most `bytes_max` bytes, its last grants left out where they do not fit.

    Raises:
        ValueError: even without a grant it does not fit.
    """
    for count in range(len(credential.grants), -1, -1):
        data = sign(replace(credential, grants=credential.grants[:count]), key)
        if len(data) <= min(bytes_max, CREDENTIAL_BYTES_MAX):
            return data
    raise ValueError(f"a credential does not fit in {bytes_max} bytes")


def open_credential(data: bytes, keys: dict[str, Ed25519PublicKey], chip_uid: str) -> Credential:
    """Return the claims if `data` was signed by one of the `keys` (key id → public key) for this chip.

    Expiry is the rulebook's business, which knows the time. No key but a public one is needed.

    Raises:
        CredentialFault: malformed, a key id not ours, a wrong signature, or made for another chip.
    """
    parts = split(data)
    key = keys.get(parts.key_id)
    if key is None:
        raise CredentialFault(Reason.CREDENTIAL_FOREIGN_KEY, f"no issuer key {parts.key_id} is known here")
    try:
        key.verify(parts.signature, _to_be_signed(parts.key_id, parts.payload))
    except InvalidSignature:
        raise CredentialFault(Reason.CREDENTIAL_FORGED, "the signature does not fit the claims") from None
    if data != parts.whole():
        # Bytes beside the signed ones (a header, a tail) would let one credential be written in many ways.
        raise _malformed("not in the one spelling a credential has")
    credential = _unpack(parts.payload, parts.key_id)
    if credential.chip_uid != chip_uid:
        raise CredentialFault(Reason.CREDENTIAL_OTHER_CHIP, "the credential was written for another chip")
    return credential


def split(data: bytes) -> "Parts":
    """Return what a credential's bytes consist of; nothing is verified yet.

    Raises:
        CredentialFault: too long, or no COSE_Sign1 signed with Ed25519.
    """
    if len(data) > CREDENTIAL_BYTES_MAX:
        raise _malformed("longer than any credential")
    match _loads(data):
        case [bytes() as protected, dict(), bytes() as payload, bytes() as signature]:
            return Parts(_key_id(protected), payload, signature)
    raise _malformed("not a COSE_Sign1 structure")


def _protected(key_id: str) -> bytes:
    return cbor2.dumps({_ALGORITHM: _EDDSA, _KEY_ID: bytes.fromhex(key_id)}, canonical=True)


def _to_be_signed(key_id: str, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", _protected(key_id), _EXTERNAL_AAD, payload], canonical=True)


def _malformed(explanation: str) -> CredentialFault:
    return CredentialFault(Reason.CREDENTIAL_MALFORMED, explanation)


def _loads(data: bytes) -> object:
    # cbor2 raises more than CBORDecodeError on hostile input (OverflowError, RecursionError among them), and
    # whatever it raises, the meaning is the same: these bytes are not ours.
    try:
        return cbor2.loads(data)
    except Exception as error:
        raise _malformed(f"not CBOR: {type(error).__name__}") from None


def _key_id(protected: bytes) -> str:
    header = _loads(protected)
    if not isinstance(header, dict) or header.get(_ALGORITHM) != _EDDSA:
        raise _malformed("not signed with Ed25519")
    key_id = header.get(_KEY_ID)
    if not isinstance(key_id, bytes):
        raise _malformed("no key id")
    return key_id.hex()


def _pack(credential: Credential) -> list[object]:
    claims: list[object] = [
        id_bytes(credential.token_id),
        credential.medium_tag,
        bytes.fromhex(credential.chip_uid),
        int(credential.issued_at.timestamp()),
        int(credential.expires_at.timestamp()),
        credential.epoch,
        [_pack_grant(grant) for grant in credential.grants],
    ]
    # What a medium must prove stands at the end, and only where it is more than its UID.
    if credential.device_key:
        claims.append(credential.device_key)
    elif credential.chip_keys:
        claims.append(True)
    return claims


def _pack_grant(grant: Grant) -> list[object]:
    if isinstance(grant, AdmissionGrant):
        first, last = (grant.from_day - _DAY_ZERO).days, (grant.until_day - _DAY_ZERO).days
        return [1, list(grant.parks), first, last, grant.days]
    return [2, list(grant.rooms), int(grant.from_at.timestamp()), int(grant.until_at.timestamp())]


def _unpack(payload: bytes, key_id: str) -> Credential:
    try:
        match _loads(payload):
            case [
                bytes(token),
                bytes(tag),
                bytes(uid),
                int(issued),
                int(expires),
                int(epoch),
                list(grants),
                *must,
            ]:
                chip_keys, device_key = _unpack_must(must)
                return Credential(
                    token_id=id_from_bytes(token),
                    medium_tag=tag,
                    chip_uid=uid.hex(),
                    issued_at=_instant(issued),
                    expires_at=_instant(expires),
                    epoch=epoch,
                    key_id=key_id,
                    grants=tuple(grant for grant in map(_unpack_grant, grants) if grant is not None),
                    chip_keys=chip_keys,
                    device_key=device_key,
                )
    except (ValueError, OverflowError) as error:
        raise _malformed(f"a claim is out of range: {error}") from None
    raise _malformed("the claims are not the ones of a credential")


def _unpack_must(must: list[object]) -> tuple[bool, bytes]:
    """Return whether the chip must prove its key, and the phone's key; what is not understood can't be checked."""
    match must:
        case []:
            return False, b""
        case [True]:
            return True, b""
        case [bytes(key)] if len(key) == DEVICE_KEY_BYTES:
            return False, key
    raise CredentialFault(Reason.EDGE_OUT_OF_DATE, "the credential asks for a proof that is not known here")


def _instant(seconds: int) -> datetime:
    """Until 2106, so that no instant can be one which a time zone shifts out of the calendar."""
    if not 0 <= seconds < _SECONDS_END:
        raise ValueError(f"{seconds} s is no instant of a credential")
    return datetime.fromtimestamp(seconds, UTC)


def _unpack_grant(grant: object) -> Grant | None:
    match grant:
        case [1, list(parks), int(from_day), int(until_day), int(days)]:
            first, last = _DAY_ZERO + timedelta(days=from_day), _DAY_ZERO + timedelta(days=until_day)
            return AdmissionGrant(tuple(map(str, parks)), first, last, days)
        case [2, list(rooms), int(from_at), int(until_at)]:
            return RoomGrant(tuple(map(str, rooms)), _instant(from_at), _instant(until_at))
    # A grant of a later version: signed, but not understood here, so it grants nothing here.
    return None
