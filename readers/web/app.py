"""The edge's web application, and the thread that serves it on loopback."""

import base64
import hashlib
import socket
import threading
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from readers.settings import SettingsFault
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
        if not text.isdigit() or not 1 <= int(text[:6]) <= TAPS_MAX:
            raise Problem(422, "limit_invalid", f"limit is a number from 1 to {TAPS_MAX}.")
        return json_answer({"taps": edge.tapping.recent(int(text))})

    routes = [Route("/", page), Route("/status", status), Route("/taps", taps)]
    return Starlette(
        routes=routes + till_routes(edge.tills, till_key),
        exception_handlers={Problem: _problem, HTTPException: _http_error, Exception: _our_fault},
    )


class WebServer:
    """Serves the application in a thread of its own."""

    def __init__(self, edge: "Edge", till_key: str | None) -> None:
        """Take the port.

        Raises:
            SettingsFault: it is taken.
        """
        import uvicorn

        where = edge.settings.edge
        try:
            self._socket = socket.create_server((where.web_host, where.web_port))
        except OSError as error:
            place = f"{where.web_host}:{where.web_port}"
            raise SettingsFault(f"edge.web_port: {place} can't be taken ({error.strerror})") from None
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            create_app(edge, till_key), log_config=None, access_log=False, lifespan="off", server_header=False
        )
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, then end."""
        self._server.should_exit = True
        self._thread.join(3.0)
        self._socket.close()


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_answer(error.status, error.code, str(error))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return problem_answer(error.status_code, code, str(error.detail))


async def _our_fault(_: Request, __: Exception) -> Response:
    return problem_answer(500, "internal", "Something went wrong at this edge; its log says what.")
