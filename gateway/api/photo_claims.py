"""Claim cards: printing one, and claiming its photos."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import Caller, address_of, caller
from gateway.api.photos import refused
from gateway.errors import Rejection
from gateway.services.photo_claims import ClaimPhotos, MakeCard
from gateway.tries import Kind
from photopass.cards import card_svg
from photopass.claims import CODE_CHARACTERS, print_code, read_code
from photopass.refusals import PhotoReason, PhotoRefusal

router = APIRouter(tags=["photos"])

_PURPOSE = "claim"


class CardWish(BaseModel):
    """The photos on the card."""

    photo_ids: list[str] = Field(min_length=1, max_length=50)


class Card(BaseModel):
    """What to print: the code, its QR as SVG, and the last resort day to claim."""

    code: str = Field(examples=["7Q2M-9XKD-4RPT"])
    qr: str
    claim_until: str = Field(examples=["2027-04-16"])


class ClaimWish(BaseModel):
    """The code as typed or scanned. `token_id` says for which guest of the party; staff must say it."""

    code: str = Field(min_length=1, max_length=1024, examples=["7Q2M-9XKD-4RPT"])
    token_id: str | None = Field(default=None, min_length=1, max_length=64)


class Claim(BaseModel):
    """The photos now in the album and those whose days are over, or why the card is not claimed."""

    claimed: bool
    photo_ids: list[str] = []
    over: list[str] = []
    reason: str | None = None
    sentence: str | None = None


@router.post("/photo-claim-cards", status_code=201)
async def make_card(body: CardWish, called: Annotated[Caller, Depends(caller("photographer"))]) -> Card:
    """Make a claim card for guests without a band; a repeated request tells the same code."""
    vault = called.gateway.vault
    code = vault.code(_PURPOSE, called.key, CODE_CHARACTERS)
    wish = MakeCard(tuple(sorted(set(body.photo_ids))), vault.code_hash(_PURPOSE, code))
    answer = await called.do("photo.card", wish)
    printed = print_code(code)
    return Card(code=printed, qr=card_svg(printed), claim_until=answer["claim_until"])


@router.post("/photo-claims")
async def claim(
    body: ClaimWish, request: Request, called: Annotated[Caller, Depends(caller("guest", "desk"))]
) -> Claim:
    """Claim a card's photos for a guest and the guest's party."""
    token_id = body.token_id
    if token_id is None:
        token_id = await run_in_threadpool(_own_token, called)
    with called.gateway.failures.trying(Kind.CLAIM, called.principal.subject, address_of(request)):
        code = read_code(body.code)
        if code is None:
            raise refused(PhotoRefusal(PhotoReason.CODE_UNKNOWN))
        party_id = None if called.principal.is_staff else called.principal.party_id or ""
        wish = ClaimPhotos(called.gateway.vault.code_hash(_PURPOSE, code), token_id, party_id)
        return Claim(**await called.do("photo.claim", wish))


def _own_token(called: Caller) -> str:
    kind, _, guest_id = called.principal.subject.partition(":")
    found = called.gateway.photo_records.token_of(guest_id) if kind == "guest" else None
    if found is None:
        raise Rejection("token_id_missing", 422, "Say for which guest the photos are claimed: token_id.")
    return found
