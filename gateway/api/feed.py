"""The feed for people and programs of operations: by page, and live."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import GatewayHere, principal_of, role
from gateway.auth import Principal, Role
from gateway.bootstrap import Gateway
from gateway.db.feed import FeedEntry
from gateway.publish import TOKEN

router = APIRouter(tags=["feed"])

Operations = Annotated[Principal, Depends(role("operations"))]
_POLL_S = 15.0


@router.get("/feed")
async def feed(
    gateway: GatewayHere,
    principal: Operations,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    wait_s: Annotated[float, Query(ge=0, le=25)] = 0.0,
) -> dict[str, Any]:
    """Entries behind `after`, in order; `next` is what to give as `after` next time."""
    if wait_s:
        await gateway.feed.until(after, wait_s)
    entries = await run_in_threadpool(gateway.feed.entries, after, limit)
    return {
        "entries": [as_json(entry) for entry in entries],
        "next": entries[-1].position if entries else after,
        "head": gateway.feed.head,
    }


@router.get("/feed/stream", response_class=EventSourceResponse)
async def stream(
    request: Request,
    gateway: GatewayHere,
    principal: Operations,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> EventSourceResponse:
    """Entries as they come (SSE). An event's id is its position: a reconnect goes on behind the last one seen."""
    start = last_event_id if last_event_id is not None else after if after is not None else gateway.feed.head

    async def may_read() -> bool:
        return Role.OPERATIONS in (await principal_of(request, gateway)).roles

    return EventSourceResponse(events(gateway, start, may_read), ping=15)


async def events(
    gateway: Gateway, after: int, may_read: Callable[[], Awaitable[bool]]
) -> AsyncIterator[ServerSentEvent]:
    """Give the entries behind `after` as server-sent events, until the reader may read no more or the gateway stops."""
    while not gateway.feed.closing:
        entries = await run_in_threadpool(gateway.feed.entries, after)
        # A stream outlives the sign-in it began with: whoever was closed since then reads nothing that came after.
        if not await may_read():
            return
        for entry in entries:
            after = entry.position
            data = msgspec.json.encode(as_json(entry)).decode()
            yield ServerSentEvent(data, event=entry.kind, id=str(entry.position))
        if not entries:
            await gateway.feed.until(after, _POLL_S)


def as_json(entry: FeedEntry) -> dict[str, Any]:
    """Return an entry as operations may read it: the verifier of a PIN is nothing to look at."""
    body = msgspec.json.decode(entry.body)
    if entry.kind == TOKEN:
        body.pop("pin_verifier", None)
    return {
        "position": entry.position,
        "kind": entry.kind,
        "at": entry.at,
        "party_id": entry.party_id,
        "token_id": entry.token_id,
        "command": entry.command_name,
        "command_id": entry.command_id,
        "actor": entry.actor,
        "channel": entry.channel,
        "case": entry.case_id,
        "body": body,
    }
