"""Signing in and out."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import COOKIE, GatewayHere, address_of, role
from gateway.auth import Principal, token_hash
from gateway.bootstrap import Gateway
from gateway.command import Channel, Envelope
from gateway.db.house import staff_named
from gateway.db.names import plain_reference
from gateway.db.rows import StaffRow
from gateway.errors import Rejection
from gateway.services.session import GuestSignIn, SignOut, StaffSignIn
from gateway.tries import Kind

router = APIRouter(tags=["sign-in"])


class GuestCredentials(BaseModel):
    """What a guest was told when booking, or by the front desk."""

    booking_reference: str = Field(min_length=1, max_length=64, examples=["H7K2QX"])
    code: str = Field(min_length=1, max_length=32, examples=["7KQ2M9XD"])


class GuestSession(BaseModel):
    """A guest's session. The token goes into `Authorization: Bearer …`; pages have it in a cookie."""

    session_token: str
    party_id: str
    guest_id: str
    expires_at: datetime


class StaffCredentials(BaseModel):
    """A member of staff's name and password."""

    name: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=200)


class StaffSession(BaseModel):
    """A session of a member of staff."""

    session_token: str
    roles: list[str]
    expires_at: datetime


@router.post("/sign-in", dependencies=[Depends(role("anonymous"))])
async def sign_in(
    body: GuestCredentials, request: Request, response: Response, gateway: GatewayHere
) -> GuestSession:
    """Sign in with booking reference and one-time code."""
    reference = plain_reference(body.booking_reference)
    token, now = gateway.entropy.draw(32).hex(), gateway.clock.now()
    wish = GuestSignIn(
        booking_reference=reference,
        code_hash=gateway.vault.code_hash("sign-in", body.code),
        token_hash=token_hash(token),
        expires_at=now + timedelta(days=gateway.settings.guest_session_days),
    )
    with gateway.failures.trying(Kind.GUEST, reference, address_of(request)):
        answer = await run_in_threadpool(gateway.do, "session.open_guest", wish, channel=Channel.WEB)
    _set_cookie(response, gateway, token, wish.expires_at)
    return GuestSession(session_token=token, **answer)


@router.post("/staff/sign-in", dependencies=[Depends(role("anonymous"))])
async def staff_sign_in(
    body: StaffCredentials, request: Request, response: Response, gateway: GatewayHere
) -> StaffSession:
    """Sign in as a member of staff."""
    with gateway.failures.trying(Kind.STAFF, body.name, address_of(request)):
        row = await run_in_threadpool(_checked, gateway, body)
        if row is None:
            raise Rejection("sign_in_refused", 401, "Name and password do not fit.")
    token, now = gateway.entropy.draw(32).hex(), gateway.clock.now()
    expires_at = now + timedelta(hours=gateway.settings.staff_session_hours)
    wish = StaffSignIn(row.id, row.roles, token_hash(token), expires_at, row.name, row.password_hash)
    answer = await run_in_threadpool(gateway.do, "session.open_staff", wish, channel=Channel.DESK)
    _set_cookie(response, gateway, token, expires_at)
    return StaffSession(session_token=token, **answer)


@router.post("/sign-out", status_code=204)
async def sign_out(
    request: Request,
    response: Response,
    gateway: GatewayHere,
    principal: Annotated[Principal, Depends(role("guest", "desk", "operations", "photographer"))],
) -> None:
    """End this session; its token opens nothing any more."""
    bearer = request.headers.get("authorization", "").partition(" ")[2]
    wish = SignOut(token_hash(request.cookies.get(COOKIE, "") if principal.by_cookie else bearer))
    now = gateway.clock.now()
    envelope = Envelope(gateway.new_id(now), principal.subject, Channel.WEB, None, now)
    await run_in_threadpool(gateway.conveyor.call, "session.end", gateway.command(envelope, wish))
    response.delete_cookie(COOKIE, path="/")


def _checked(gateway: Gateway, body: StaffCredentials) -> StaffRow | None:
    with gateway.database.read() as connection:
        row = staff_named(connection, body.name)
    known = row is not None and not row.closed
    fits = gateway.passwords.fits(row.password_hash if row is not None and known else None, body.password)
    return row if fits else None


def _set_cookie(response: Response, gateway: Gateway, token: str, expires_at: datetime) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int((expires_at - gateway.clock.now()).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=not gateway.settings.is_simulation,
    )
