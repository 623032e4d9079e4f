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
from gateway.services.party_encodings import RequestPartyEncodings
from gateway.services.passes import fitted
from gateway.services.touching import TouchEncoder
from wallet.chips.keys import KeySlot
from wallet.credential import Credential
from wallet.medium import MediumKind
from wallet.resort import TouchpointKind

router = APIRouter(tags=["encodings"])

JOB_LASTS = timedelta(hours=1)
"""After this an encoder no longer offers to write what nobody came for."""

UID_PATTERN = r"^([0-9a-f]{8}|[0-9a-f]{14}|[0-9a-f]{20})$"
"""Four, seven or ten bytes (ISO/IEC 14443-3)."""

_NEWS = topic("encoding")
EdgeCaller = Annotated[Caller, Depends(caller("edge"))]
Wait = Annotated[float, Query(ge=0, le=25)]


class EncodingWish(BaseModel):
    """Which encoder is to write what."""

    encoder: str = Field(min_length=1, max_length=64, examples=["encoder-desk"])
    kind: MediumKind


class Touch(BaseModel):
    """The chip that lies on an encoder for which no job was started. UID in lower-case hex."""

    encoder: str = Field(min_length=1, max_length=64)
    chip_uid: str = Field(pattern=UID_PATTERN)


class Job(BaseModel):
    """What is to be done for it, to be issued and confirmed like any other job.

    `cause` is "linked" (its first writing), "refresh" (the same medium, brought up to date) or "asked" (a job of the
    desk that was torn).
    """

    encoding_id: str
    token_id: str
    encoder: str
    kind: MediumKind
    cause: str


class ChipHeld(BaseModel):
    """The chip that lies on the encoder. UID in lower-case hex: 4, 7 or 10 bytes (ISO/IEC 14443-3)."""

    chip_uid: str = Field(pattern=UID_PATTERN)
    chip_kind: str = Field(min_length=1, max_length=32)
    capacity_bytes: int = Field(ge=1, le=65_536)


class ChipKeySet(BaseModel):
    """All keys of one chip in one epoch: slot → 16 bytes in hex."""

    epoch: int
    keys: dict[KeySlot, str]


class ChipPlan(BaseModel):
    """How the chip that lies on the encoder is to be personalised; for memory only, never for a disk or a log.

    `before` is what it may carry from earlier, newest first; `factory` whether it may still have the factory's keys.
    One that was written once can't: what has them is another chip under its UID, and is to be told none of its keys.
    """

    keys: ChipKeySet
    before: list[ChipKeySet]
    factory: bool
    sun_url: str
    random_uid: bool


class Issued(BaseModel):
    """The signed credential (hex) to be written; for a chip with keys, also its keys."""

    credential: str
    medium_id: str
    chip: ChipPlan | None = None


class Written(BaseModel):
    """What became of it; `medium_id` says of which medium, so that no other chip is confirmed in its place."""

    ok: bool
    sentence: str = Field("", max_length=500)
    medium_id: str = Field("", max_length=64)


@router.post("/tokens/{token_id}/encodings", status_code=201)
async def request(
    token_id: str, body: EncodingWish, called: Annotated[Caller, Depends(caller("desk"))]
) -> dict[str, Any]:
    """Ask an encoder to write a band or card."""
    return await called.do("encoding.request", RequestEncoding(token_id, body.encoder, body.kind))


@router.post("/parties/{party_id}/encodings", status_code=201)
async def request_party(
    party_id: str, body: EncodingWish, called: Annotated[Caller, Depends(caller("desk"))]
) -> dict[str, Any]:
    """Ask an encoder for the bands of all guests of a party who have none; it writes them in this order."""
    wish = RequestPartyEncodings(party_id, body.encoder, body.kind)
    return await called.do("encoding.request_party", wish)


@router.get("/parties/{party_id}/encodings", dependencies=[Depends(role("desk"))])
def of_party(party_id: str, gateway: GatewayHere) -> dict[str, list[dict[str, Any]]]:
    """What encoders still have to write for a party; the first one is next."""
    with gateway.database.read() as connection:
        since = gateway.clock.now() - JOB_LASTS
        waiting = encodings.waiting_for_party(connection, party_id, since)
    return {"encodings": [_state(job) for job in waiting]}


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


@router.post("/edge/encodings/touch")
async def touch(body: Touch, called: EdgeCaller) -> Job:
    """The job for a chip that lies on an encoder where none was started, or in a refusal why there is none.

    Asked again it is the same job while that is open; what was answered before is not repeated, since it may be over.
    """
    wish = TouchEncoder(body.encoder, body.chip_uid, called.principal.venue or "")
    return Job(**await replace(called, key=called.gateway.new_id()).do("encoding.touch", wish))


@router.post("/edge/encodings/{encoding_id}/issue")
async def issue(encoding_id: str, body: ChipHeld, called: EdgeCaller) -> Issued:
    """Bind the chip to the guest and get the credential for it; the same chip again gets the same one."""
    gateway = called.gateway
    job = await run_in_threadpool(_job, gateway, encoding_id)
    # An edge asks for the same chip under the same key. If another chip was tried in between, or this one was not read
    # back, or new keys have begun, the stored answer would name a medium that was dropped since, or old keys: so the
    # medium, when the job changed and the epochs are part of the command's id.
    epochs = await run_in_threadpool(_newest_epochs, gateway)
    command_id = hashlib.sha256(
        f"{called.key} {job.medium_id} {job.changed_at} {epochs}".encode()
    ).hexdigest()
    wish = IssueEncoding(encoding_id, body.chip_uid, called.principal.venue or "", body.chip_kind)
    answer = await replace(called, key=f"issue:{command_id}").do("encoding.issue", wish)
    claims = msgspec.convert(answer["claims"], Credential)
    signed = await run_in_threadpool(fitted, claims, gateway.issuer.sign, body.capacity_bytes)
    plan = _plan(gateway, body.chip_uid, answer) if "chip_epochs" in answer else None
    return Issued(credential=signed.hex(), medium_id=answer["medium_id"], chip=plan)


@router.post("/edge/encodings/{encoding_id}/confirm")
async def confirm(encoding_id: str, body: Written, called: EdgeCaller) -> dict[str, Any]:
    """Tell that the credential was read back from the chip, or why not."""
    wish = ConfirmEncoding(encoding_id, called.principal.venue or "", body.ok, body.sentence, body.medium_id)
    return await called.do("encoding.confirm", wish)


def _newest_epochs(gateway: Gateway) -> tuple[int, int]:
    return gateway.issuer.current().epoch, gateway.chip_keys.epochs()[0]


def _plan(gateway: Gateway, chip_uid: str, told: dict[str, Any]) -> ChipPlan:
    """Return the keys of the epochs told for one chip. They are made here and leave in this one answer."""
    keys, *before = (
        ChipKeySet(epoch=epoch, keys=gateway.chip_keys.all_of(epoch, chip_uid))
        for epoch in told["chip_epochs"]
    )
    return ChipPlan(
        keys=keys,
        before=before,
        factory=told["factory"],
        sun_url=gateway.settings.sun_url,
        random_uid=gateway.feed.resort().policies.random_uid,
    )


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
