"""The edge's web application, and the thread that serves it on loopback."""

import base64
import hashlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from readers.web.page import _STYLE, status_page
from readers.web.problem import Problem, json_answer, problem_answer
from readers.web.tills import till_routes

if TYPE_CHECKING:
    from readers.edge import Edge

TAPS_MAX = 200
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def create_app(edge: "Edge", till_key: str | None) -> Starlette:
    """Return the application of one edge."""

    async def page(_: Request) -> Response:
        status = await run_in_threadpool(edge.status)
        html = status_page(status, edge.tapping.recent(20))
        return HTMLResponse(html, headers={"content-security-policy": _POLICY})

    async def status(_: Request) -> Response:
        return json_answer(await run_in_threadpool(edge.status))

    async def taps(request: Request) -> Response:
        text = request.query_params.get("limit", "50")
        if not text.isdecimal() or not 1 <= int(text[:6]) <= TAPS_MAX:
            raise Problem(422, "limit_invalid", f"limit is a number from 1 to {TAPS_MAX}.")
        return json_answer({"taps": edge.tapping.recent(int(text))})

    routes = [Route("/", page), Route("/status", status), Route("/taps", taps)]
    return Starlette(
        routes=routes + till_routes(edge.tills, till_key),
        exception_handlers={Problem: _problem, HTTPException: _http_error, Exception: _our_fault},
    )


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_answer(error.status, error.code, str(error))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return problem_answer(error.status_code, code, str(error.detail))


async def _our_fault(_: Request, __: Exception) -> Response:
    return problem_answer(500, "internal", "Something went wrong at this edge; its log says what.")
