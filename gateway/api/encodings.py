"""Bands and cards: the desk asks for one, the encoder's edge writes and confirms it."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import Caller, GatewayHere, caller, role
from gateway.auth import Principal
from gateway.bootstrap import Gateway
from gateway.db import encodings
from gateway.db.rows import EncodingRow, EncodingState
from gateway.errors import not_found
from gateway.feed import topic
from gateway.services.encodings import ConfirmEncoding, IssueEncoding, RequestEncoding
from gateway.services.passes import fitted
from wallet.credential import Credential
from wallet.medium import MediumKind
from wallet.resort import TouchpointKind

router = APIRouter(tags=["encodings"])

JOB_LASTS = timedelta(hours=1)
"""After this an encoder no longer offers to write what nobody came for."""

_NEWS = topic("encoding")
EdgeCaller = Annotated[Caller, Depends(caller("edge"))]
Wait = Annotated[float, Query(ge=0, le=25)]


class EncodingWish(BaseModel):
    """Which encoder is to write what."""

    encoder: str = Field(min_length=1, max_length=64, examples=["encoder-desk"])
    kind: MediumKind


class ChipHeld(BaseModel):
    """The chip that lies on the encoder. UID in lower-case hex: 4, 7 or 10 bytes (ISO/IEC 14443-3)."""

    chip_uid: str = Field(pattern=r"^([0-9a-f]{8}|[0-9a-f]{14}|[0-9a-f]{20})$")
    chip_kind: str = Field(min_length=1, max_length=32)
    capacity_bytes: int = Field(ge=1, le=65_536)


class Issued(BaseModel):
    """The signed credential (hex) to be written."""

    credential: str
    medium_id: str


class Written(BaseModel):
    """What became of it."""

    ok: bool
    sentence: str = Field("", max_length=500)


@router.post("/tokens/{token_id}/encodings", status_code=201)
async def request(
    token_id: str, body: EncodingWish, called: Annotated[Caller, Depends(caller("desk"))]
) -> dict[str, Any]:
    """Ask an encoder to write a band or card."""
    return await called.do("encoding.request", RequestEncoding(token_id, body.encoder, body.kind))


@router.get("/encodings/{encoding_id}", dependencies=[Depends(role("desk"))])
async def encoding(encoding_id: str, gateway: GatewayHere, wait_s: Wait = 0.0) -> dict[str, Any]:
    """Where the writing is; waits until it is over, or the time is up."""
    began_s = gateway.clock.elapsed_s()
    while True:
        head = gateway.feed.head
        job = await run_in_threadpool(_job, gateway, encoding_id)
        left_s = wait_s - (gateway.clock.elapsed_s() - began_s)
        over = job.state in (EncodingState.DONE, EncodingState.FAILED)
        # For anything: that a band is done is told of the medium. One desk waits here, not every encoder.
        if over or left_s <= 0 or not await gateway.feed.until(head, left_s):
            return _state(job)


@router.get("/edge/encodings")
async def jobs(
    gateway: GatewayHere, edge: Annotated[Principal, Depends(role("edge"))], wait_s: Wait = 0.0
) -> dict[str, list[dict[str, str]]]:
    """What the encoders of this edge's venue have to write; waits until there is something."""
    began_s = gateway.clock.elapsed_s()
    while True:
        head = gateway.feed.head
        waiting = await run_in_threadpool(_waiting, gateway, edge.venue or "")
        left_s = wait_s - (gateway.clock.elapsed_s() - began_s)
        if waiting or left_s <= 0 or not await gateway.feed.until(head, left_s, _NEWS):
            return {"encodings": waiting}


@router.post("/edge/encodings/{encoding_id}/issue")
async def issue(encoding_id: str, body: ChipHeld, called: EdgeCaller) -> Issued:
    """Bind the chip to the guest and get the credential for it; the same chip again gets the same one."""
    gateway = called.gateway
    job = await run_in_threadpool(_job, gateway, encoding_id)
    # An edge asks for the same chip under the same key. If another chip was tried in between, the stored answer would
    # name a medium that was dropped since: so what the job holds now is part of the command's id.
    command_id = hashlib.sha256(f"{called.key} {job.medium_id}".encode()).hexdigest()
    wish = IssueEncoding(encoding_id, body.chip_uid, called.principal.venue or "")
    answer = await replace(called, key=f"issue:{command_id}").do("encoding.issue", wish)
    claims = msgspec.convert(answer["claims"], Credential)
    signed = await run_in_threadpool(fitted, claims, gateway.issuer.sign, body.capacity_bytes)
    return Issued(credential=signed.hex(), medium_id=answer["medium_id"])


@router.post("/edge/encodings/{encoding_id}/confirm")
async def confirm(encoding_id: str, body: Written, called: EdgeCaller) -> dict[str, Any]:
    """Tell that the credential was read back from the chip, or why not."""
    wish = ConfirmEncoding(encoding_id, called.principal.venue or "", body.ok, body.sentence)
    return await called.do("encoding.confirm", wish)


def _job(gateway: Gateway, encoding_id: str) -> EncodingRow:
    with gateway.database.read() as connection:
        job = encodings.encoding_named(connection, encoding_id)
    if job is None:
        raise not_found("encoding", encoding_id)
    return job


def _waiting(gateway: Gateway, venue: str) -> list[dict[str, str]]:
    touchpoints = gateway.feed.resort().touchpoints
    encoders = [
        each.id for each in touchpoints if each.kind is TouchpointKind.ENCODER and each.venue == venue
    ]
    with gateway.database.read() as connection:
        found = encodings.waiting_at(connection, encoders, gateway.clock.now() - JOB_LASTS)
    return [
        {"encoding_id": job.id, "token_id": job.token_id, "encoder": job.encoder, "kind": job.kind.value}
        for job in found
    ]


def _state(job: EncodingRow) -> dict[str, Any]:
    return {
        "encoding_id": job.id,
        "token_id": job.token_id,
        "encoder": job.encoder,
        "kind": job.kind,
        "state": job.state,
        "medium_id": job.medium_id or None,
        "sentence": job.sentence,
    }
