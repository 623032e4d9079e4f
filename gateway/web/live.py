"""The stream of a page: which kinds of thing changed, so that the page asks again for what shows them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from gateway.bootstrap import Gateway
from gateway.db.feed import FeedEntry
from gateway.web.visit import Visit, visit

router = APIRouter(include_in_schema=False)

WAIT_S = 15.0
_PAGE = 200
SIGNED_OUT = "signed_out"
"""The kind of the last word of a stream whose session is over: the page asks again, and is shown the sign-in."""


@router.get("/app/live")
async def guest_stream(
    here: Annotated[Visit, Depends(visit("guest"))],
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> EventSourceResponse:
    """Tell what changes for the own party."""
    start = position(here.gateway, after, last_event_id)
    return EventSourceResponse(_entries(here, start, here.party_id), ping=15)


@router.get("/staff/live")
async def staff_stream(
    here: Annotated[Visit, Depends(visit("desk", "operations", "photographer"))],
    after: Annotated[int | None, Query(ge=0)] = None,
    party: Annotated[str, Query(max_length=64)] = "",
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> EventSourceResponse:
    """Tell what changes, for one party or for all."""
    start = position(here.gateway, after, last_event_id)
    return EventSourceResponse(_entries(here, start, party), ping=15)


def position(gateway: Gateway, after: int | None, last_event_id: int | None) -> int:
    """Return behind which position a stream begins: the last one seen, else what the page shows, else now."""
    for known in (last_event_id, after):
        if known is not None:
            return min(known, gateway.feed.head)
    return gateway.feed.head


def message(entry: FeedEntry, **more: Any) -> ServerSentEvent:
    """Return an entry as pages read it: no body, since a page asks for what its visitor may see."""
    told = {"kind": noun(entry.kind), "position": entry.position, **more}
    return ServerSentEvent(msgspec.json.encode(told).decode(), id=str(entry.position))


def noun(kind: str) -> str:
    """Return what an entry is about: "tap" of "tap.approved"."""
    return kind.partition(".")[0]


async def _entries(here: Visit, after: int, party_id: str) -> AsyncIterator[ServerSentEvent]:
    """Give the entries behind `after` until the gateway stops or the visitor's session is over.

    A sign-out on a page of this process ends it at once; any other end of the session is seen with the next entry,
    after WAIT_S at the latest.
    """
    feed = here.gateway.feed
    with here.listeners.listening(here.session_token) as ended:
        while not feed.closing:
            head = feed.head
            if party_id:
                found = await run_in_threadpool(feed.entries_of_party, party_id, after, _PAGE)
            else:
                found = await run_in_threadpool(feed.entries, after, _PAGE)
            if ended.is_set() or not await run_in_threadpool(_is_signed_in, here):
                yield ServerSentEvent(msgspec.json.encode({"kind": SIGNED_OUT}).decode())
                return
            for entry in found:
                yield message(entry)
            # What concerns others is passed over in silence, or the wait below would end at once, for ever.
            behind = found[-1].position if found else after
            after = behind if len(found) == _PAGE else max(behind, head)
            if len(found) < _PAGE:
                await _news_or(ended, feed.until(after, WAIT_S))


def _is_signed_in(here: Visit) -> bool:
    return here.gateway.doorman.by_session(here.session_token, here.gateway.clock.now()) is not None


async def _news_or(ended: asyncio.Event, news: Coroutine[Any, Any, bool]) -> None:
    """Wait for news or for the session's end, whichever comes first."""
    both = {asyncio.ensure_future(news), asyncio.ensure_future(ended.wait())}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in both:
            each.cancel()
