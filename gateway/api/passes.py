"""A phone's pass: its own key, the credential that names it, and the short-lived code of a phone without a key."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gateway.api.deps import Caller, GatewayHere, caller, role
from gateway.api.reach import check_token, token_in_reach
from gateway.auth import Principal
from gateway.bootstrap import Gateway
from gateway.db import parties
from gateway.db.rows import MediumRow
from gateway.drawing import code_svg
from gateway.errors import Rejection, not_found
from gateway.services.documents import uses_in_order
from gateway.services.media import DeviceKey
from gateway.services.passes import fitted, phone_claims, phone_of, rights_in_force
from wallet import qr
from wallet.credential import Credential
from wallet.device_key import DeviceKeyFault, compressed, is_signed, possession

router = APIRouter(tags=["passes"])

GuestOrDesk = Annotated[Principal, Depends(role("guest", "desk"))]
MediumId = Annotated[
    str, Query(max_length=64, description="Which of the guest's phones; the newest without it.")
]


class DeviceKeyWish(BaseModel):
    """The phone's public key (P-256, a point of 33 or 65 bytes) and its signature over medium and command, in hex.

    Signed is the text `passband device key 1`, the medium's id and the Idempotency-Key, with line feeds between them.
    """

    public_key: str = Field(pattern=r"^([0-9a-f]{66}|[0-9a-f]{130})$")
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")


class Pass(BaseModel):
    """What a phone shows until `valid_until`.

    A phone with its own key gets `credential` and `device_key` (hex) and signs each code itself; one without gets `qr`,
    the whole text of a code.
    """

    medium_id: str
    valid_until: datetime
    now: datetime = Field(description="The gateway's clock, for a phone to see how far off its own is.")
    qr: str | None = None
    credential: str | None = None
    device_key: str | None = None
    code_valid_s: int = Field(description="How long a signed code is taken.")
    code_skew_s: int = Field(description="How far the phone's clock may be off.")


@router.put("/media/{medium_id}/device-key")
async def set_device_key(
    medium_id: str, body: DeviceKeyWish, called: Annotated[Caller, Depends(caller("guest", "desk"))]
) -> dict[str, Any]:
    """Bind a phone to its own key, once; the phone proves that it has the key's other half."""
    await check_token(called.gateway, called.principal, medium_id, parties.token_of_medium, "medium")
    try:
        key = compressed(bytes.fromhex(body.public_key))
    except DeviceKeyFault:
        raise Rejection(
            "unsound_key", 422, "That is no public key of a phone: it is no point of P-256."
        ) from None
    if not is_signed(key, possession(medium_id, called.key), bytes.fromhex(body.signature)):
        sentence = "The key did not sign this medium and this Idempotency-Key."
        raise Rejection("key_not_proven", 422, sentence)
    return await called.do("medium.set_device_key", DeviceKey(medium_id, key.hex()))


@router.get("/tokens/{token_id}/pass")
def phone_pass(token_id: str, gateway: GatewayHere, principal: GuestOrDesk, medium_id: MediumId = "") -> Pass:
    """The token's pass for its phone, freshly signed by the issuer."""
    phone, credential = _shown_by(gateway, principal, token_id, medium_id)
    policies = gateway.feed.resort().policies
    signed = fitted(credential, gateway.issuer.sign)
    return Pass(
        medium_id=phone.id,
        valid_until=credential.expires_at,
        now=credential.issued_at,
        qr=None if phone.device_key else qr.encode(signed),
        credential=signed.hex() if phone.device_key else None,
        device_key=phone.device_key or None,
        code_valid_s=policies.code_valid_s,
        code_skew_s=policies.code_skew_s,
    )


@router.get("/tokens/{token_id}/pass/drawing", response_class=Response)
def phone_pass_drawing(
    token_id: str, gateway: GatewayHere, principal: GuestOrDesk, medium_id: MediumId = ""
) -> Response:
    """The code of a phone without its own key as a picture (SVG)."""
    phone, credential = _shown_by(gateway, principal, token_id, medium_id)
    if phone.device_key:
        # A code that the phone did not sign would make its screenshot as good as the phone.
        raise Rejection(
            "device_key_set", 409, "This phone signs its own codes: open the pass on the phone itself."
        )
    drawn = code_svg(qr.encode(fitted(credential, gateway.issuer.sign)))
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _shown_by(
    gateway: Gateway, principal: Principal, token_id: str, medium_id: str
) -> tuple[MediumRow, Credential]:
    token = token_in_reach(gateway, principal, token_id)
    with gateway.database.read() as connection:
        media = parties.media_of(connection, token.id)
        if medium_id and all(each.id != medium_id for each in media):
            raise not_found("medium", medium_id)
        phone = phone_of(media, medium_id)
        party = parties.party_named(connection, token.party_id)
        rights = parties.rights_of(connection, token.id)
        uses = uses_in_order(parties.uses_of_rights(connection, rights))
    assert party is not None, "a token has its party"
    now, key, resort = gateway.clock.now(), gateway.issuer.current(), gateway.feed.resort()
    return phone, phone_claims(phone, party, rights_in_force(rights), uses, key, now, resort)
