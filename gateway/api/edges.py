"""Edges: announcing, enrolling, and what an edge reads."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import Caller, GatewayHere, address_of, caller, role
from gateway.auth import Principal
from gateway.bootstrap import Gateway
from gateway.db import house
from gateway.edge_codes import new_edge
from gateway.errors import Rejection
from gateway.services.documents import takes_pins
from gateway.services.edge import Enrolment
from gateway.tries import Kind
from wallet.chips.keys import KeySlot
from wallet.public_key import is_sound
from wallet.snapshot import FeedBatch, encode

router = APIRouter(tags=["edges"])

WAIT_MAX_S = 25.0
_CODE_BEGINNING = 4

Edge = Annotated[Principal, Depends(role("edge"))]
Wait = Annotated[float, Query(ge=0, le=WAIT_MAX_S)]
Mark = Annotated[str, Query(max_length=64)]


class EdgeWish(BaseModel):
    """The edge to announce."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", examples=["park"])
    venue: str = Field(min_length=1, max_length=64, examples=["park"])


class EdgeCode(BaseModel):
    """The one-time code that the edge enrols with."""

    edge: str
    venue: str
    enrol_code: str = Field(examples=["7KQ2M9XD4R2W"])


class EnrolWish(BaseModel):
    """What an edge brings to enrol: the code, and the public half (hex) of the key it made itself."""

    edge: str = Field(min_length=1, max_length=64)
    code: str = Field(min_length=1, max_length=32)
    public_key: str = Field(pattern=r"^[0-9a-f]{64}$")


class Anchors(BaseModel):
    """What an edge trusts, all keys in hex: issuer key id → public key; epoch → the key that asks a chip who it is.

    The PIN pepper is for edges with tills only; `chip_masters` (slot → epoch → master) for kinds of touchpoint where
    bands must pass that are not known there yet. `version` changes with any of these.
    """

    edge: str
    venue: str
    issuer_keys: dict[str, str]
    pin_pepper: str | None = None
    resort_version: int
    reader_keys: dict[int, str]
    chip_masters: dict[KeySlot, dict[int, str]]
    version: str


@router.get("/edges")
def edges(
    gateway: GatewayHere, principal: Annotated[Principal, Depends(role("operations"))]
) -> dict[str, list[dict[str, Any]]]:
    """Every edge, and whether it is enrolled."""
    with gateway.database.read() as connection:
        rows = house.edges(connection)
    return {
        "edges": [
            {"id": row.id, "venue": row.venue, "state": row.state, "enrolled_at": row.enrolled_at}
            for row in rows
        ]
    }


@router.post("/edges", status_code=201)
async def add_edge(body: EdgeWish, called: Annotated[Caller, Depends(caller("operations"))]) -> EdgeCode:
    """Announce an edge; the answer holds its one-time code."""
    wish, code = new_edge(called.gateway, body.id, body.venue, called.key)
    return EdgeCode(**await called.do("edge.add", wish), enrol_code=code)


@router.post("/edges/enrol")
async def enrol(
    body: EnrolWish, request: Request, called: Annotated[Caller, Depends(caller("anonymous"))]
) -> Anchors:
    """Bind an edge to its key."""
    gateway = called.gateway
    # The code's beginning is part of the name: who guesses cannot lock out the edge that has the right code.
    name = f"{body.edge} {body.code[:_CODE_BEGINNING]}"
    with gateway.failures.trying(Kind.ENROLMENT, name, address_of(request)):
        if not is_sound(bytes.fromhex(body.public_key)):
            raise Rejection(
                "unsound_key", 422, "That is no public key of an edge: anyone could sign under it."
            )
        wish = Enrolment(body.edge, gateway.vault.code_hash("enrol", body.code), body.public_key)
        answer = await called.do("edge.enrol", wish)
    return await run_in_threadpool(_anchors, gateway, answer["edge"], answer["venue"])


@router.get("/edge/anchors")
def anchors(gateway: GatewayHere, edge: Edge) -> Anchors:
    """What this edge trusts, as of now."""
    return _anchors(gateway, edge.edge, edge.venue or "")


@router.get("/edge/feed", response_class=Response)
async def feed(
    gateway: GatewayHere, edge: Edge, after: Annotated[int, Query(ge=0)], wait_s: Wait = 0.0, mark: Mark = ""
) -> Response:
    """What changed for this edge behind `after`; waits until something did, or the time is up.

    `mark` is that of the last batch or snapshot: with it a restored ledger is told apart (409 feed_forked).
    """
    if wait_s:
        await run_in_threadpool(gateway.feed.must_continue, after, mark)
        await gateway.feed.until(after, wait_s, edge.venue)
    batch = await run_in_threadpool(_batch, gateway, edge.venue or "", after, mark)
    return Response(encode(batch), media_type="application/json")


@router.get("/edge/snapshot", response_class=Response)
def snapshot(
    gateway: GatewayHere,
    edge: Edge,
    after: Annotated[str, Query(max_length=64)] = "",
    position: Annotated[int | None, Query(ge=0)] = None,
    mark: Mark = "",
) -> Response:
    """One page of every document of this edge's venue, and the position to read the feed from."""
    page = gateway.feed.snapshot_for(edge.venue or "", after, position, mark=mark)
    return Response(encode(gateway.edge_keys.in_page(page, edge.venue or "")), media_type="application/json")


def _anchors(gateway: Gateway, edge_id: str, venue: str) -> Anchors:
    resort = gateway.feed.resort()
    trust = gateway.edge_keys.trust(resort, venue)
    pepper = gateway.vault.pin_pepper.hex() if takes_pins(resort, venue) else None
    return Anchors(
        edge=edge_id,
        venue=venue,
        issuer_keys=trust.issuer_keys,
        pin_pepper=pepper,
        resort_version=resort.version,
        reader_keys=trust.reader_keys,
        chip_masters=trust.chip_masters,
        version=trust.version,
    )


def _batch(gateway: Gateway, venue: str, after: int, mark: str) -> FeedBatch:
    batch = gateway.feed.batch_for(venue, after, mark=mark)
    return gateway.edge_keys.in_batch(batch, gateway.feed.resort(), venue)
