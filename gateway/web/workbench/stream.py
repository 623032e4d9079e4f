"""The workbench's stream: each ledger line with its row, and a word whenever an edge looks different."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from gateway.bootstrap import Gateway
from gateway.errors import Rejection
from gateway.web.live import message
from gateway.web.pages import Pages
from gateway.web.workbench.bench import Bench
from gateway.web.workbench.field import EdgeSeen
from gateway.web.workbench.ledger import entries_of, line_of, names_of, resort_now

_GLANCE_S = 1.0


async def bench_stream(
    gateway: Gateway, pages: Pages, bench: Bench, after: int
) -> AsyncIterator[ServerSentEvent]:
    """Give what is written behind `after` and what changes at the edges, until the gateway stops."""
    known: list[tuple[Any, ...]] = []
    while not gateway.feed.closing:
        entries = await run_in_threadpool(entries_of, gateway, after)
        resort = resort_now(gateway)
        names = await run_in_threadpool(names_of, gateway, entries)
        for entry in entries:
            after = entry.position
            line = line_of(entry, names, resort)
            if line is None:
                yield message(entry)
                continue
            html = await run_in_threadpool(pages.fragment, "workbench_parts.html", "ledger_row", line)
            yield message(entry, region="ledger", key=entry.position, html=html)
        looks = await _looks(bench)
        if looks != known:
            # The first look too: an edge may have changed between the page and its stream.
            yield ServerSentEvent(msgspec.json.encode({"kind": "edge"}).decode())
            known = looks
        if not entries:
            await gateway.feed.until(after, _GLANCE_S)


async def _looks(bench: Bench) -> list[tuple[Any, ...]]:
    try:
        return [_look(edge) for edge in await bench.edges()]
    except Rejection:
        return []


def _look(edge: EdgeSeen) -> tuple[Any, ...]:
    """Return what a person would see change: not the age, which grows all the time."""
    status = edge.status
    lights = tuple((sight.lamp.tap_id, sight.lamp.decision) for sight in edge.sights[:1])
    if status is None:
        return (edge.id, edge.cable.state, lights)
    jobs = tuple(reader.encodings for reader in status.readers)
    return (edge.id, edge.cable.state, status.online, status.backlog, lights, jobs)
