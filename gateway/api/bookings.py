"""Booking a product."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from gateway.api import problems
from gateway.api.deps import Caller, address_of, caller
from gateway.services.bookings import CreateBooking, NewGuest
from gateway.vault import Vault

router = APIRouter(tags=["bookings"])

REFERENCES = 4
"""How many booking references are tried; with a million bookings, all four are taken once in 10^11 times."""

_SOLD_OUT: dict[int | str, dict[str, Any]] = {
    409: problems.RESPONSES[409]
    | {"description": "`sold_out`: on some of the nights no room is free; `nights` and `detail` say on which"}
}

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]


class GuestWish(BaseModel):
    """A guest to be booked. Without a lead, the first one leads."""

    given_name: Name
    family_name: Name
    email: str = Field("", max_length=254)
    phone: str = Field("", max_length=40)
    child: bool = False
    lead: bool = False


class BookingWish(BaseModel):
    """What is to be booked, for whom."""

    product: str = Field(min_length=1, max_length=64, examples=["family-package"])
    arrival_day: date
    guests: list[GuestWish] = Field(min_length=1, max_length=20)
    plate: str = Field("", max_length=20)


class BookedGuest(BaseModel):
    """A guest's ids."""

    guest_id: str
    token_id: str
    lead: bool
    child: bool


class Booking(BaseModel):
    """What was booked. The code signs the party in once."""

    party_id: str
    booking_reference: str
    guests: list[BookedGuest]
    price_minor: int
    deposit_minor: int
    currency: str
    sign_in_code: str


@router.post("/bookings", status_code=201, responses=_SOLD_OUT)
async def book(
    body: BookingWish, request: Request, called: Annotated[Caller, Depends(caller("anonymous"))]
) -> Booking:
    """Book a product for a party."""
    if not called.principal.is_staff:
        called.gateway.bookings.count(address_of(request))
    vault = called.gateway.vault
    answer = await called.do("booking.create", _wish(body, vault, called.key))
    return Booking(**answer, sign_in_code=vault.code("sign-in", called.key, 8))


def _wish(body: BookingWish, vault: Vault, key: str) -> CreateBooking:
    """Return the command's body: reference and code are made of the command's id, so that a repeat is the same."""
    return CreateBooking(
        product=body.product,
        arrival_day=body.arrival_day,
        guests=tuple(NewGuest(**guest.model_dump()) for guest in body.guests),
        plate=body.plate,
        references=tuple(vault.code("booking reference", f"{key} {n}", 6) for n in range(REFERENCES)),
        sign_in_code_hash=vault.code_hash("sign-in", vault.code("sign-in", key, 8)),
    )
