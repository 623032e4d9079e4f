"""The workbench's page, its presses and its stream."""

from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from gateway.bootstrap import Gateway
from gateway.db import bench as records
from gateway.db.bench import Carried
from gateway.errors import Rejection
from gateway.web.live import position
from gateway.web.own_api import OwnApi
from gateway.web.pages import go
from gateway.web.visit import Post, Visit, posted, visit
from gateway.web.workbench import view
from gateway.web.workbench.bench import Bench, Held
from gateway.web.workbench.field import Chip, EdgeSeen, Field, Sight
from gateway.web.workbench.ledger import LINES_SHOWN, ledger_lines
from gateway.web.workbench.session import BenchSession
from gateway.web.workbench.stream import bench_stream


def known_host(request: Request) -> None:
    """Do nothing if the workbench was asked for by an address, as localhost, or by the name it is set to listen on.

    Another site's page can make its own NAME point at loopback (DNS rebinding), and would then be of the workbench's
    origin; it can't do so with an address.

    Raises:
        Rejection: 403.
    """
    host = request.url.hostname or ""
    gateway: Gateway = request.app.state.gateway
    if host not in ("localhost", gateway.settings.host) and not _is_address(host):
        raise Rejection("foreign_host", 403, "The workbench answers to localhost and to addresses only.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


router = APIRouter(include_in_schema=False, dependencies=[Depends(known_host)])

# Whoever reaches a simulation's loopback may play with it: there are no guests here but made-up ones.
Here = Annotated[Visit, Depends(visit("anonymous"))]
Form = Annotated[Post, Depends(posted("anonymous"))]


def bench_of(gateway: Gateway) -> Bench:
    """Return the workbench of a gateway."""
    return Bench(Field(gateway.settings.simulation_control_url))


@router.get("/workbench")
async def workbench(here: Here, held: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Show readers, media, cables and the ledger as they are now."""
    live = here.live("/workbench/live")
    edges, chips, trouble = await _field_of(_bench(here))
    carried, tally = await run_in_threadpool(_recorded, here.gateway)
    after = max(0, live["feed_position"] - LINES_SHOWN * 3)
    lines = await run_in_threadpool(ledger_lines, here.gateway, after, live["feed_position"])
    now = here.gateway.clock.now()
    return here.page(
        "workbench.html",
        **live,
        now=now,
        edges=view.edge_cards(edges, here.pages.resort()),
        media=view.media(carried, chips, held, here.pages.resort(), now),
        ledger=lines[:LINES_SHOWN],
        totals={
            "taps": sum(tally.values()),
            "approved": tally.get("approved", 0),
            "refused": tally.get("refused", 0),
            "waiting_home": sum(edge.status.backlog for edge in edges if edge.status),
        },
        trouble=trouble,
    )


@router.post("/workbench/taps")
async def tap(post: Form) -> Response:
    """Hold what was chosen to a reader; at a till, sell what was chosen there first."""
    touchpoint, medium = post.text("reader"), post.text("medium")
    item = post.text("item") or post.text(f"item-{touchpoint}")
    held = await _held(post, medium)
    sight = await _bench(post).tap(touchpoint, held, item=item, key=post.key)
    return _seen(post, sight, medium)


@router.post("/workbench/pins")
async def pin(post: Form) -> Response:
    """Give the PIN that a till waits for."""
    touchpoint = post.text("reader")
    given = post.text("pin") or post.text(f"pin-{touchpoint}")
    return _seen(post, await _bench(post).give_pin(touchpoint, given), post.text("medium"))


@router.post("/workbench/links")
async def link(post: Form) -> Response:
    """Cut an edge off from the gateway, or heal it."""
    edge, _, how = post.text("link").partition(":")
    if how not in ("cut", "heal"):
        raise Rejection("invalid", 422, "A cable can be cut or healed.")
    await _bench(post).field.turn(edge, how)
    return _answer(post, {"edge": edge, "link": how}, post.text("medium"))


@router.get("/workbench/live")
async def live(
    here: Here,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> EventSourceResponse:
    """Give the ledger's lines as they are written, and say when an edge has changed."""
    start = position(here.gateway, after, last_event_id)
    return EventSourceResponse(bench_stream(here.gateway, here.pages, _bench(here), start), ping=15)


def _bench(here: Visit) -> Bench:
    bench: Bench = here.request.app.state.bench
    return bench


async def _field_of(bench: Bench) -> tuple[list[EdgeSeen], list[Chip], str]:
    """Return edges and chips, or nothing and the sentence that says why."""
    try:
        return await bench.edges(), await bench.field.chips(), ""
    except Rejection as refusal:
        return [], [], refusal.sentence


def _recorded(gateway: Gateway) -> tuple[list[Carried], dict[str, int]]:
    with gateway.database.read() as connection:
        return records.carried(connection), records.tally(connection)


async def _held(post: Post, medium: str) -> Held:
    if medium.startswith("chip:"):
        return Held(chip=medium.removeprefix("chip:"))
    carried, _ = await run_in_threadpool(_recorded, post.gateway)
    for each in carried:
        if each.medium_id == medium:
            if each.kind != "phone":
                return Held(chip=each.chip_uid)
            return Held(show=partial(_show, post, each.token_id, medium))
    raise Rejection("no_medium", 422, "Choose first what the guest holds.")


async def _show(post: Post, token_id: str, medium_id: str, scanner: str) -> None:
    """Show a phone's code to a scanner: a phone with a key, which the field has, signs it there."""
    session: BenchSession = post.request.app.state.bench_session
    api, field = OwnApi(post.request, "operations", await session.token()), _bench(post).field
    told = await api.get(f"/tokens/{token_id}/pass", medium_id=medium_id)
    if told["credential"] is None:
        await field.show(scanner, told["qr"])
    else:
        await field.show_pass(scanner, medium_id, told["credential"], post.gateway.clock.now())


def _seen(post: Post, sight: Sight | None, medium: str) -> Response:
    said: dict[str, Any] = {"decision": "", "sentence": "The reader showed no light."}
    if sight is not None:
        said = {"decision": sight.lamp.decision, "reason": sight.lamp.reason, "sentence": sight.sentence}
    return _answer(post, said, medium)


def _answer(post: Post, said: dict[str, Any], medium: str) -> Response:
    """Answer a script with JSON, and a form that was sent without one with the page."""
    if "application/json" in post.request.headers.get("accept", ""):
        return JSONResponse(said)
    return go("/workbench", held=medium)
