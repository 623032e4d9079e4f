"""Signing in and out on pages, by the API's own routes; its cookie is handed on to the browser."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from gateway.auth import Role
from gateway.errors import Rejection
from gateway.web.pages import go
from gateway.web.visit import Post, Visit, posted, visit

if TYPE_CHECKING:
    from httpx import Response as Answer

router = APIRouter(include_in_schema=False)

Visitor = Annotated[Visit, Depends(visit("anonymous"))]
Form = Annotated[Post, Depends(posted("anonymous"))]
_STAFF = ("desk", "operations", "photographer")


@router.get("/app/sign-in")
async def guest_door(here: Visitor) -> Response:
    """Show the guest's sign-in; who is signed in already goes on."""
    if Role.GUEST in here.principal.roles:
        return go(_next(here.request, "/app"))
    return _guest_page(here, {}, here.request.query_params.get("reference", ""))


@router.post("/app/sign-in")
async def guest_in(post: Form) -> Response:
    """Sign a guest in by booking reference and one-time code."""
    reference = post.text("booking_reference").upper()
    body = {"booking_reference": reference, "code": post.text("code").upper().replace(" ", "")}
    missing = {name: _MISSING[name] for name, value in body.items() if not value}
    if missing:
        return _guest_page(post, missing, reference, 422)
    try:
        answer = await post.api.ask("POST", "/sign-in", json=body)
    except Rejection as refusal:
        return _guest_page(post, {"form": refusal.sentence}, reference, refusal.status)
    return _with_cookie(go(_own_address(post, "/app")), answer)


@router.get("/staff/sign-in")
async def staff_door(here: Visitor) -> Response:
    """Show the staff's sign-in; who is signed in already goes on."""
    if here.principal.is_staff:
        return go(_next(here.request, _staff_home(role.value for role in here.principal.roles)))
    return _staff_page(here, {}, "")


@router.post("/staff/sign-in")
async def staff_in(post: Form) -> Response:
    """Sign a member of staff in by name and password."""
    password = post.form.get("password", "")
    body = {"name": post.text("name"), "password": password if isinstance(password, str) else ""}
    missing = {name: _MISSING[name] for name, value in body.items() if not value}
    if missing:
        return _staff_page(post, missing, body["name"], 422)
    try:
        answer = await post.api.ask("POST", "/staff/sign-in", json=body)
    except Rejection as refusal:
        return _staff_page(post, {"form": refusal.sentence}, body["name"], refusal.status)
    return _with_cookie(go(_own_address(post, _staff_home(answer.json()["roles"]))), answer)


@router.post("/app/sign-out")
async def guest_out(post: Annotated[Post, Depends(posted("guest"))]) -> Response:
    """End a guest's session."""
    answer = await _out(post, "/app/sign-in")
    # The pass, its key and the page kept for offline go with whoever signs out.
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


@router.post("/staff/sign-out")
async def staff_out(post: Annotated[Post, Depends(posted(*_STAFF))]) -> Response:
    """End a session of a member of staff."""
    return await _out(post, "/staff/sign-in")


async def _out(post: Post, door: str) -> Response:
    """End the session, and with it every stream that it opened."""
    answer = await post.api.ask("POST", "/sign-out")
    post.listeners.end(post.session_token)
    return _with_cookie(go(door, done="signed-out"), answer)


_MISSING = {
    "booking_reference": "Enter the booking reference from your confirmation.",
    "code": "Enter the one-time code from your confirmation, or ask the front desk for one.",
    "name": "Enter your user name.",
    "password": "Enter your password.",
}


def _guest_page(here: Visit, errors: dict[str, str], reference: str, status: int = 200) -> Response:
    form = {"booking_reference": reference, "next": _next(here.request, "/app")}
    return here.page("app_sign_in.html", status, form=form, errors=errors)


def _staff_page(here: Visit, errors: dict[str, str], name: str, status: int = 200) -> Response:
    form = {"name": name, "next": _next(here.request, "")}
    return here.page("staff_sign_in.html", status, form=form, errors=errors)


def _staff_home(roles: Iterable[str]) -> str:
    """Return where someone with these roles begins."""
    return "/photo" if set(roles) == {"photographer"} else "/staff"


def _next(request: Request, otherwise: str) -> str:
    return _safe(request.query_params.get("next", ""), otherwise)


def _own_address(post: Post, otherwise: str) -> str:
    return _safe(post.text("next"), otherwise)


def _safe(address: str, otherwise: str) -> str:
    """Return the address if it is one of our pages; a sign-in must not send anyone elsewhere."""
    ours = address.startswith(("/app", "/staff", "/photo")) and "\\" not in address and "//" not in address
    return address if ours else otherwise


def _with_cookie(response: RedirectResponse, answer: "Answer") -> Response:
    """Hand the API's cookie on, as it set it."""
    for value in answer.headers.get_list("set-cookie"):
        response.headers.append("set-cookie", value)
    return response
