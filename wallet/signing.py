"""Signed HTTP requests of an edge: the RFC 9421 profile this project uses, Ed25519 with an RFC 9530 content digest."""

import base64
import hashlib
import re
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

REQUEST_AGE_MAX_S = 300
"""A signed request older or newer than this by the receiver's clock is refused."""

# The origin-form target (path and query), RFC 9421 section 2.2.5: an edge may reach us under several host names.
_COMPONENTS = '("@method" "@request-target" "content-digest")'
_INPUT = re.compile(
    r'sig1=(?P<parameters>\("@method" "@request-target" "content-digest"\);created=(?P<created>[0-9]{1,10});'
    r'nonce="(?P<nonce>[0-9a-f]{32})";keyid="(?P<key_id>[a-z0-9_-]{1,64})";alg="ed25519")'
)
_SIGNATURE = re.compile(r"sig1=:(?P<signature>[A-Za-z0-9+/]{86}==):")


class SignatureFault(Exception):
    """The request is not signed as it must be; the sentence says what is wrong."""


class SignedBy(Struct, frozen=True):
    """Who signed a request, when, and the nonce that may be seen once only."""

    key_id: str
    created: datetime
    nonce: str


def sign_request(
    method: str, target: str, body: bytes, *, key: Ed25519PrivateKey, key_id: str, at: datetime, nonce: bytes
) -> dict[str, str]:
    """Return the headers that sign a request. `target` is path and query as sent, `nonce` sixteen random bytes."""
    parameters = (
        f'{_COMPONENTS};created={int(at.timestamp())};nonce="{nonce.hex()}";keyid="{key_id}";alg="ed25519"'
    )
    digest = content_digest(body)
    signature = key.sign(_base(method.upper(), target, digest, parameters))
    return {
        "content-digest": digest,
        "signature-input": f"sig1={parameters}",
        "signature": f"sig1=:{base64.b64encode(signature).decode()}:",
    }


def read_signature(signature_input: str) -> SignedBy:
    """Return who claims to have signed, so that the key can be looked up; nothing is proven yet.

    Raises:
        SignatureFault: the header is not of this profile.
    """
    match = _INPUT.fullmatch(signature_input)
    if match is None:
        raise SignatureFault("the Signature-Input header is not of the form this gateway takes")
    created = datetime.fromtimestamp(int(match["created"]), UTC)
    return SignedBy(match["key_id"], created, match["nonce"])


def verify_request(
    method: str, target: str, body: bytes, headers: dict[str, str], *, key: Ed25519PublicKey, now: datetime
) -> SignedBy:
    """Return who signed the request once signature, digest and age hold. The caller refuses a nonce seen before.

    Args:
        headers: with lower-case names.
    Raises:
        SignatureFault: a header is missing, the body was changed, the signature is wrong or too old.
    """
    signed = read_signature(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if signature is None:
        raise SignatureFault("the Signature header is missing or not of the form this gateway takes")
    digest = content_digest(body)
    if headers.get("content-digest") != digest:
        raise SignatureFault("the Content-Digest header does not fit the body")
    if abs((now - signed.created).total_seconds()) > REQUEST_AGE_MAX_S:
        raise SignatureFault("the request was signed too long ago or in the future; check the edge's clock")
    parameters = headers["signature-input"].removeprefix("sig1=")
    raw = base64.b64decode(signature["signature"])
    if base64.b64encode(raw).decode() != signature["signature"]:
        raise SignatureFault("the signature is not in the one spelling base64 has for it")
    try:
        key.verify(raw, _base(method, target, digest, parameters))
    except (InvalidSignature, ValueError):
        raise SignatureFault("the signature does not fit the request") from None
    return signed


def content_digest(body: bytes) -> str:
    """Return the RFC 9530 Content-Digest header of `body`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _base(method: str, target: str, digest: str, parameters: str) -> bytes:
    return (
        f'"@method": {method}\n"@request-target": {target}\n'
        f'"content-digest": {digest}\n"@signature-params": {parameters}'
    ).encode()
