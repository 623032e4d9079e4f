"""Errors on pages: words for people instead of problem JSON, and the way to sign in where that is missing."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.errors import Rejection
from gateway.web.pages import Pages, go

_PROGRAMS = ("/api/", "/static/", "/metrics")
AREAS = ("/app", "/staff", "/photo", "/workbench")
_TITLES = {
    400: "That could not be read",
    401: "Please sign in",
    403: "Not for you",
    404: "Nothing here",
    405: "Not that way",
    409: "Not possible just now",
    413: "Too large",
    422: "That does not fit",
    429: "One moment, please",
    503: "One moment, please",
}

_ELSE = "Nothing was changed. Please go back, reload the page and try again."
"""What one can do about a request that no page of ours would have sent."""


def install(app: FastAPI) -> None:
    """Answer what fails on a page with a page; programs go on getting problem JSON."""
    for kind in (Rejection, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _page_or(app.exception_handlers[kind]))


def area_of(path: str) -> str:
    """Return which pages a path belongs to, the start for one that belongs to none."""
    return next((area for area in AREAS if path == area or path.startswith(area + "/")), "/")


def _page_or(otherwise: Any) -> Any:
    async def answered(request: Request, error: Exception) -> Response:
        answer: Response = await otherwise(request, error)
        path = request.url.path
        if path.startswith(_PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
            return answer
        area = area_of(path)
        if answer.status_code == 401:
            home = "/app" if area == "/app" else "/staff"
            wished = request.url.path if request.method == "GET" else area
            return go(f"{home}/sign-in", next=wished if wished != home else "")
        return _problem_page(request, answer.status_code, error, area)

    return answered


def _problem_page(request: Request, status: int, error: Exception, area: str) -> Response:
    pages: Pages = request.app.state.pages
    ours = status >= 500
    detail = {404: "There is no such page, or it is not yours."}.get(status, "")
    if isinstance(error, Rejection) and error.code != "not_found":
        detail = error.sentence
    context = {
        "title": _TITLES.get(status, "Something went wrong on our side" if ours else "That did not work"),
        "detail": detail or ("Nothing was lost. Please try again in a moment." if ours else _ELSE),
        "home": area,
        "retry": request.method == "GET" and status in (409, 429, 500, 503),
        "reference": None,
    }
    response = pages.page(request, "problem.html", context, status)
    if isinstance(error, Rejection):
        response.headers.update(error.headers)
    return response
