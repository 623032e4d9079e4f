"""What routes depend on: who asks, in which role, and the conveyor under the request's Idempotency-Key."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from gateway.auth import ANONYMOUS, Principal, Role
from gateway.bootstrap import Gateway
from gateway.command import Channel, Envelope
from gateway.errors import Rejection
from gateway.waiting import Answer

COOKIE = "passband_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_GUEST_CHANNELS = frozenset({Channel.WEB, Channel.APP})
_STAFF_CHANNELS = frozenset({Channel.DESK, Channel.PHONE, Channel.OPERATIONS, Channel.TOUCHPOINT})


def gateway_of(request: Request) -> Gateway:
    """Return the gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayHere = Annotated[Gateway, Depends(gateway_of)]
Authorizer = Callable[[Request, Gateway], Coroutine[Any, Any, Principal]]


def address_of(request: Request) -> str:
    """Return the network address that a request came from."""
    return request.client.host if request.client else "unknown"


def role(*names: str) -> Any:
    """Return the dependency that lets only these roles in; every route has one. It gives the Principal."""
    allowed = frozenset(Role(name) for name in names)

    async def authorized(request: Request, gateway: GatewayHere) -> Principal:
        principal = await principal_of(request, gateway)
        if Role.ANONYMOUS in allowed or principal.roles & allowed:
            _refuse_foreign_pages(request, principal)
            return principal
        if principal is ANONYMOUS:
            raise Rejection("not_signed_in", 401, "Please sign in first.")
        raise Rejection("not_allowed", 403, f"This is for {' or '.join(sorted(allowed))} only.")

    authorized.__dict__["roles"] = allowed
    return authorized


@dataclass(frozen=True)
class Caller:
    """Who asks, with what a command of theirs is wrapped in."""

    gateway: Gateway
    principal: Principal
    key: str
    channel: Channel
    case: str | None

    async def do(self, name: str, body: Struct) -> Answer:
        """Put a command on the conveyor under the request's Idempotency-Key; return its answer once committed."""
        envelope = Envelope(
            self.key, self.principal.subject, self.channel, self.case, self.gateway.clock.now()
        )
        future = self.gateway.conveyor.submit(name, self.gateway.command(envelope, body))
        # Shielded: a client that hangs up must not leave a half-told command behind.
        return await asyncio.shield(asyncio.wrap_future(future))


def caller(*names: str) -> Any:
    """Return the dependency of a route that changes something: role, Idempotency-Key, channel and case."""
    authorized = role(*names)

    async def called(
        gateway: GatewayHere,
        principal: Annotated[Principal, Depends(authorized)],
        idempotency_key: Annotated[str, Header(pattern=r"^[A-Za-z0-9._:-]{8,80}$")],
        x_channel: Annotated[Channel | None, Header()] = None,
        x_case: Annotated[str | None, Header(max_length=80)] = None,
    ) -> Caller:
        return Caller(gateway, principal, idempotency_key, _channel(principal, x_channel), x_case)

    return called


def _channel(principal: Principal, wished: Channel | None) -> Channel:
    if Role.EDGE in principal.roles:
        return Channel.TOUCHPOINT
    if principal.is_staff:
        usual = Channel.DESK if Role.DESK in principal.roles else Channel.OPERATIONS
        return wished if wished in _STAFF_CHANNELS else usual
    return wished if wished in _GUEST_CHANNELS else Channel.WEB


async def principal_of(request: Request, gateway: Gateway) -> Principal:
    """Return who asks, as of this moment."""
    now = gateway.clock.now()
    if "signature-input" in request.headers:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        return await run_in_threadpool(
            gateway.doorman.by_signature, request.method, target, body, headers, now
        )
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return await run_in_threadpool(gateway.doorman.by_session, token, now) or ANONYMOUS
    token = request.cookies.get(COOKIE, "")
    if token:
        found = await run_in_threadpool(gateway.doorman.by_session, token, now, by_cookie=True)
        return found or ANONYMOUS
    return ANONYMOUS


def _refuse_foreign_pages(request: Request, principal: Principal) -> None:
    """A browser sends its cookie for any page that asks: a change must come from a page of ours."""
    if request.method in _SAFE_METHODS or not principal.by_cookie or request.headers.get("x-passband") == "1":
        return
    if request.headers.get("origin") == f"{request.url.scheme}://{request.url.netloc}":
        return
    raise Rejection("foreign_page", 403, "This request did not come from a page of this resort.")
