"""Errors of the edge's web as RFC 9457 problem details."""

from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

BODY_BYTES_MAX = 64 * 1024


class Problem(Exception):
    """Ends a request with a status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


def json_answer(content: object, status: int = 200, media_type: str = "application/json") -> Response:
    """Return the content as JSON."""
    return Response(msgspec.json.encode(content), status, media_type=media_type)


def problem_answer(status: int, code: str, sentence: str) -> Response:
    """Return a problem."""
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": sentence, "code": code}
    return json_answer(problem, status, "application/problem+json")


async def body_of(request: Request) -> bytes:
    """Return the request's body.

    Raises:
        Problem: it is too large.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Problem(413, "body_too_large", f"A body has up to {BODY_BYTES_MAX} bytes here.")
    return bytes(body)
