"""What the desk does for a party: check-in, payment, check-out, sign-in codes, bands and cards, turning media off."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.errors import Rejection
from gateway.web.guest_media import minor_of
from gateway.web.pages import go
from gateway.web.staff_guest import WHOLE_PARTY, party_page
from gateway.web.visit import Post, posted

router = APIRouter(include_in_schema=False)

Form = Annotated[Post, Depends(posted("desk"))]
_ASKED_AGAIN = (404, 409, 422)


@router.post("/staff/parties/{party_id}/check-in")
async def check_in(post: Form, party_id: str) -> Response:
    """Check the party in."""
    return await _do(post, party_id, f"/parties/{party_id}/check-in", {}, "checked-in")


@router.post("/staff/parties/{party_id}/check-out")
async def check_out(post: Form, party_id: str) -> Response:
    """Settle the folio and check the party out."""
    body = {"tender": post.text("tender")} if post.text("tender") else {}
    return await _do(post, party_id, f"/parties/{party_id}/check-out", body, "checked-out")


@router.post("/staff/parties/{party_id}/payments")
async def pay(post: Form, party_id: str) -> Response:
    """Take a payment."""
    amount = minor_of(post.text("amount"))
    if not amount:
        errors = {"amount": "Enter an amount, for example 120.00."}
        return await party_page(post, party_id, errors=errors, status=422)
    body = {"amount_minor": amount, "tender": post.text("tender")}
    return await _do(post, party_id, f"/parties/{party_id}/payments", body, "paid", field="amount")


@router.post("/staff/parties/{party_id}/encodings")
async def encode(post: Form, party_id: str) -> Response:
    """Ask an encoder for a band or card: of one guest, or of everyone in the party who has none."""
    body = {"encoder": post.text("encoder"), "kind": post.text("kind")}
    token = post.text("token")
    path = f"/parties/{party_id}/encodings" if token == WHOLE_PARTY else f"/tokens/{token}/encodings"
    return await _do(post, party_id, path, body, "encoding", field="encoding")


@router.post("/staff/parties/{party_id}/sign-in-codes")
async def sign_in_code(post: Form, party_id: str) -> Response:
    """Make a sign-in code and show it once: it stands in no address and no log."""
    try:
        code = await post.api.command(f"/parties/{party_id}/sign-in-codes", post.key)
    except Rejection as refusal:
        return await _asked_again(post, party_id, refusal, "form")
    return await party_page(post, party_id, code=code)


@router.post("/staff/parties/{party_id}/media/{medium_id}/revoke")
async def revoke(post: Form, party_id: str, medium_id: str) -> Response:
    """Turn a medium off, for good."""
    body = {"note": "turned off at the desk"}
    return await _do(post, party_id, f"/media/{medium_id}/revoke", body, "revoked")


async def _do(
    post: Post, party_id: str, path: str, body: dict[str, Any], done: str, field: str = "form"
) -> Response:
    try:
        await post.api.command(path, post.key, body)
    except Rejection as refusal:
        return await _asked_again(post, party_id, refusal, field)
    return go(f"/staff/parties/{party_id}", done=done)


async def _asked_again(post: Post, party_id: str, refusal: Rejection, field: str) -> Response:
    """Show the party's page with the sentence that says why not."""
    if refusal.status not in _ASKED_AGAIN:
        raise refusal
    return await party_page(post, party_id, errors={field: refusal.sentence}, status=refusal.status)
