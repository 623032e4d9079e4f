"""Tokens and media: PIN, daily limit, phones, chips from stock, and turning a medium off."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from gateway.api.deps import Caller, address_of, caller
from gateway.api.reach import check_token
from gateway.db import parties
from gateway.errors import Rejection
from gateway.services.linking import LinkChip
from gateway.services.media import AddPhone, RevokeMedium
from gateway.services.stock import printed_id_of
from gateway.services.tokens import SetLimits, SetPin
from gateway.tries import Kind
from wallet.medium import MediumKind
from wallet.money import AMOUNT_MINOR_MAX
from wallet.pin import make_verifier

router = APIRouter(tags=["tokens"])

GuestOrDesk = Annotated[Caller, Depends(caller("guest", "desk"))]


class PinWish(BaseModel):
    """A PIN of four to eight digits."""

    pin: str = Field(pattern=r"^[0-9]{4,8}$")


class LimitWish(BaseModel):
    """What the guest may charge in a day."""

    daily_limit_minor: int = Field(ge=0, le=AMOUNT_MINOR_MAX)


class PhoneWish(BaseModel):
    """A phone is the only medium that needs no encoder."""

    kind: str = Field("phone", pattern=r"^phone$")


class LinkWish(BaseModel):
    """The chip: by what is printed on it, or by its UID (hex) where a desk has tapped it."""

    printed_id: str = Field("", max_length=64, examples=["PB-0042-A7"])
    chip_uid: str = Field("", pattern=r"^([0-9a-f]{14})?$")
    kind: MediumKind = MediumKind.BAND


class RevokeWish(BaseModel):
    """Why, in the guest's words."""

    note: str = Field("", max_length=500)


@router.put("/tokens/{token_id}/pin")
async def set_pin(token_id: str, body: PinWish, called: GuestOrDesk) -> dict[str, Any]:
    """Set the PIN that tills ask for above the threshold."""
    await check_token(called.gateway, called.principal, token_id)
    vault = called.gateway.vault
    # The salt is made of the command's id: the same request again is the same wish.
    verifier = make_verifier(body.pin, vault.derive("pin salt", called.key)[:16], vault.pin_pepper)
    return await called.do("token.set_pin", SetPin(token_id, verifier))


@router.put("/tokens/{token_id}/limits")
async def set_limits(token_id: str, body: LimitWish, called: GuestOrDesk) -> dict[str, Any]:
    """Set how much the guest may charge in a day."""
    await check_token(called.gateway, called.principal, token_id)
    return await called.do("token.set_limits", SetLimits(token_id, body.daily_limit_minor))


@router.post("/tokens/{token_id}/media", status_code=201)
async def add_phone(token_id: str, body: PhoneWish, called: GuestOrDesk) -> dict[str, Any]:
    """Let a phone carry the token too."""
    await check_token(called.gateway, called.principal, token_id)
    return await called.do("medium.add_phone", AddPhone(token_id))


@router.post("/tokens/{token_id}/media/link", status_code=201)
async def link(token_id: str, body: LinkWish, request: Request, called: GuestOrDesk) -> dict[str, Any]:
    """Keep a chip from stock for a guest: it is written when it first touches an encoder or kiosk.

    A guest links by what is printed alone, for the own party.
    """
    await check_token(called.gateway, called.principal, token_id)
    if bool(body.printed_id) == bool(body.chip_uid):
        raise Rejection("one_of_two", 422, "Give either what is printed on the band, or its UID.")
    if body.chip_uid and not called.principal.is_staff:
        raise Rejection("not_allowed", 403, "Give what is printed on the band.")
    try:
        printed = printed_id_of(body.printed_id) if body.printed_id else ""
    except ValueError as fault:
        raise Rejection("printed_id", 422, f"What is printed on a band has {fault}.") from None
    wish = LinkChip(token_id, body.kind, printed, body.chip_uid)
    if called.principal.is_staff:
        return await called.do("medium.link", wish)
    with called.gateway.failures.trying(Kind.LINK, called.principal.subject, address_of(request)):
        return await called.do("medium.link", wish)


@router.post("/media/{medium_id}/revoke")
async def revoke(medium_id: str, called: GuestOrDesk, body: RevokeWish | None = None) -> dict[str, Any]:
    """Turn a medium off, for ever."""
    await check_token(called.gateway, called.principal, medium_id, parties.token_of_medium, "medium")
    return await called.do("medium.revoke", RevokeMedium(medium_id, body.note if body else ""))
