"""Parties: finding one, looking at it, check-in, check-out, payments and cancelling."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from gateway.api.deps import Caller, GatewayHere, caller, role
from gateway.api.reach import check_party, party_in_reach
from gateway.auth import Principal
from gateway.db import parties
from gateway.db.parties import GuestView, PartyView
from gateway.db.rows import PartyRow, PersonRow
from gateway.services.booked import deposit_due_minor
from gateway.services.cancellation import CancelParty
from gateway.services.check_in import CheckIn
from gateway.services.check_out import CheckOut
from gateway.services.payments import TakePayment
from gateway.services.sign_in_codes import MakeSignInCode
from wallet.ledger import Tender
from wallet.money import AMOUNT_MINOR_MAX

router = APIRouter(tags=["parties"])

GuestOrDesk = Annotated[Principal, Depends(role("guest", "desk"))]
Desk = Annotated[Caller, Depends(caller("desk"))]


class PaymentWish(BaseModel):
    """Money taken at the desk."""

    amount_minor: int = Field(ge=1, le=AMOUNT_MINOR_MAX)
    tender: Tender


class CheckOutWish(BaseModel):
    """How the balance is paid, where there is one."""

    tender: Tender | None = None


class SignInCode(BaseModel):
    """A one-time code for the party."""

    code: str
    expires_at: datetime


@router.get("/parties")
def search(
    gateway: GatewayHere,
    principal: Annotated[Principal, Depends(role("desk"))],
    q: Annotated[str, Query(min_length=2, max_length=100)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """Find parties by a name's beginning, the booking reference, a chip's UID or a token id."""
    with gateway.database.read() as connection:
        found = parties.search(connection, q, limit)
        names = parties.names(connection, [row.id for row in found])
        leads = {person.guest_id: person for person in names.values()}
    return {"parties": [_summary(row) | _name(leads.get(row.lead_guest_id)) for row in found]}


@router.get("/parties/{party_id}")
def party(party_id: str, gateway: GatewayHere, principal: GuestOrDesk) -> dict[str, Any]:
    """A party with its guests, their media and their rights in force."""
    party_in_reach(gateway, principal, party_id)
    with gateway.database.read() as connection:
        view = parties.view(connection, party_id)
    assert view is not None, "a party in reach exists"
    return _party(view)


@router.post("/parties/{party_id}/cancel")
async def cancel(
    party_id: str, called: Annotated[Caller, Depends(caller("guest", "desk"))]
) -> dict[str, Any]:
    """Cancel the booking; the answer names the fee and what is due or to be paid back."""
    await check_party(called.gateway, called.principal, party_id)
    return await called.do("party.cancel", CancelParty(party_id))


@router.post("/parties/{party_id}/check-in")
async def check_in(party_id: str, called: Desk) -> dict[str, Any]:
    """Check the party in; the answer names the room."""
    return await called.do("party.check_in", CheckIn(party_id))


@router.post("/parties/{party_id}/check-out")
async def check_out(party_id: str, called: Desk, body: CheckOutWish | None = None) -> dict[str, Any]:
    """Check the party out and settle the folio."""
    return await called.do("party.check_out", CheckOut(party_id, body.tender if body else None))


@router.post("/parties/{party_id}/payments", status_code=201)
async def pay(party_id: str, body: PaymentWish, called: Desk) -> dict[str, Any]:
    """Take a payment of at most what is due."""
    return await called.do("payment.take", TakePayment(party_id, body.amount_minor, body.tender))


@router.post("/parties/{party_id}/sign-in-codes", status_code=201)
async def sign_in_code(party_id: str, called: Desk) -> SignInCode:
    """Give the party a one-time code to sign in with."""
    vault = called.gateway.vault
    code = vault.code("sign-in", called.key, 8)
    answer = await called.do("sign_in_code.make", MakeSignInCode(party_id, vault.code_hash("sign-in", code)))
    return SignInCode(code=code, expires_at=answer["expires_at"])


def _summary(row: PartyRow) -> dict[str, Any]:
    return {
        "party_id": row.id,
        "booking_reference": row.booking_reference,
        "state": row.state,
        "product": row.product,
        "arrival_day": row.arrival_day,
        "departure_day": row.departure_day,
    }


def _name(person: PersonRow | None) -> dict[str, str]:
    return {
        "given_name": person.given_name if person else "",
        "family_name": person.family_name if person else "",
    }


def _party(view: PartyView) -> dict[str, Any]:
    row = view.party
    return _summary(row) | {
        "price_minor": row.price_minor,
        "deposit_minor": row.deposit_minor,
        **deposit_of(view),
        "currency": row.currency,
        "balance_minor": view.account.balance_minor,
        "held_minor": view.account.held_minor,
        "limit_minor": view.account.limit_minor,
        "booked_at": row.booked_at,
        "checked_in_at": row.checked_in_at,
        "checked_out_at": row.checked_out_at,
        "cancelled_at": row.cancelled_at,
        "rooms": [stay.room for stay in view.stays if stay.ended_at is None],
        "guests": [_guest(guest) for guest in view.guests],
    }


def deposit_of(view: PartyView) -> dict[str, Any]:
    """Return what is still due of the deposit, and since when: it is due from the booking on."""
    due_minor = deposit_due_minor(view.party, view.account.balance_minor)
    return {
        "deposit_due_minor": due_minor,
        "deposit_due_at": view.party.booked_at if due_minor else None,
    }


def _guest(view: GuestView) -> dict[str, Any]:
    return _name(view.person) | {
        "guest_id": view.guest.id,
        "token_id": view.token.id,
        "child": view.guest.child,
        "lead": view.guest.lead,
        "pin_set": bool(view.token.pin_verifier),
        "media": [
            {
                "medium_id": medium.id,
                "kind": medium.kind,
                "state": medium.state,
                "issued_at": medium.issued_at,
                "revoked_at": medium.revoked_at,
                "device_key": bool(medium.device_key),
            }
            for medium in sorted(view.media, key=lambda medium: medium.id)
        ],
        "entitlements": [
            msgspec.to_builtins(right.body)
            | {
                "uses": [
                    {"step": use.step, "at": use.at} for use in view.uses if use.entitlement_id == right.id
                ]
            }
            for right in sorted(view.rights, key=lambda right: right.id)
        ],
    }
