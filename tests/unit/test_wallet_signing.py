"""Signed requests: any change is refused, and whatever comes in, nothing but a SignatureFault comes out."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import NOON
from wallet.signing import (
    REQUEST_AGE_MAX_S,
    SignatureFault,
    SignedBy,
    content_digest,
    read_signature,
    sign_request,
    verify_request,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
METHOD, TARGET, BODY = "POST", "/api/v1/edge/journal?a=1", b'{"wire":1}'
HEADERS = sign_request(METHOD, TARGET, BODY, key=KEY, key_id="park", at=NOON, nonce=bytes(range(16)))


def verify(
    method: str = METHOD,
    target: str = TARGET,
    body: bytes = BODY,
    headers: dict[str, str] | None = None,
    late_s: float = 0,
) -> SignedBy:
    return verify_request(
        method,
        target,
        body,
        HEADERS if headers is None else headers,
        key=KEY.public_key(),
        now=NOON + timedelta(seconds=late_s),
    )


def test_a_signed_request_says_who_signed_it_and_when() -> None:
    assert verify() == SignedBy("park", NOON, bytes(range(16)).hex())
    assert read_signature(HEADERS["signature-input"]) == verify()


def test_the_base_is_the_one_of_rfc_9421() -> None:
    """Section 2.5: one line per component, the parameters last; section 2.2.5: the target in origin form."""
    parameters = HEADERS["signature-input"].removeprefix("sig1=")
    assert parameters.startswith('("@method" "@request-target" "content-digest");created=1803988800;nonce="')
    base = f'"@method": POST\n"@request-target": {TARGET}\n"content-digest": {content_digest(BODY)}\n'
    expected = KEY.sign(f'{base}"@signature-params": {parameters}'.encode())
    assert HEADERS["signature"] == f"sig1=:{base64.b64encode(expected).decode()}:"


def test_the_digest_is_the_one_of_rfc_9530() -> None:
    digest = content_digest(b'{"hello": "world"}\n')  # RFC 9530, appendix D
    assert digest == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"method": "post"},
        {"target": TARGET + "2"},
        {"target": TARGET.upper()},
        {"target": TARGET + "\n"},
        {"target": "/\ud800"},
        {"body": BODY + b" "},
        {"body": b""},
    ],
)
def test_another_method_target_or_body_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(SignatureFault):
        verify(**changed)


def test_every_changed_character_of_a_header_is_refused() -> None:
    for name, value in HEADERS.items():
        for at in range(len(value)):
            for put in ("A", "0", "b", "", "=", value[at] * 2):
                changed = value[:at] + put + value[at + 1 :]
                if changed != value:
                    with pytest.raises(SignatureFault):
                        verify(headers={**HEADERS, name: changed})


@pytest.mark.parametrize("name", sorted(HEADERS))
@pytest.mark.parametrize("suffix", ["\n", " ", "\0", ", sig2=::"])
def test_nothing_may_follow_a_header(name: str, suffix: str) -> None:
    with pytest.raises(SignatureFault):
        verify(headers={**HEADERS, name: HEADERS[name] + suffix})


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_a_missing_header_is_refused(name: str) -> None:
    with pytest.raises(SignatureFault):
        verify(headers={each: value for each, value in HEADERS.items() if each != name})


def test_another_spelling_of_the_same_signature_is_refused() -> None:
    """The last character before the padding has four bits that base64 throws away."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = HEADERS["signature"]
    last = text[-4]
    other = alphabet[alphabet.index(last) ^ 1]
    with pytest.raises(SignatureFault, match="spelling"):
        verify(headers={**HEADERS, "signature": f"{text[:-4]}{other}==:"})


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_may_be_off_by_so_much_and_no_more(sign: int) -> None:
    assert verify(late_s=sign * REQUEST_AGE_MAX_S).key_id == "park"
    with pytest.raises(SignatureFault, match="clock"):
        verify(late_s=sign * (REQUEST_AGE_MAX_S + 0.001))


def test_another_key_is_refused() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    with pytest.raises(SignatureFault):
        verify_request(METHOD, TARGET, BODY, HEADERS, key=stranger, now=NOON)


@pytest.mark.parametrize("created", ["9999999999", "99999999999", "999999999999", "٣", "", "-1"])
def test_a_created_from_nowhere_is_a_signature_fault(created: str) -> None:
    at = HEADERS["signature-input"].replace("created=1803988800", f"created={created}")
    assert at != HEADERS["signature-input"]
    with pytest.raises(SignatureFault):
        verify(headers={**HEADERS, "signature-input": at})


@given(st.text(), st.text(), st.text())
def test_any_headers_raise_nothing_else(signature_input: str, signature: str, digest: str) -> None:
    for headers in (
        {"signature-input": signature_input, "signature": signature, "content-digest": digest},
        {**HEADERS, "signature": f"sig1=:{signature}:"},
        {**HEADERS, "signature-input": f"sig1={signature_input}"},
    ):
        with pytest.raises(SignatureFault):
            verify(headers=headers)
