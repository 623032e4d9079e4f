"""Errors as RFC 9457 problem details: one shape for everything that fails."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gateway.db.engine import UNSTORABLE, is_unavailable
from gateway.errors import Rejection, Unavailable, unstorable

MEDIA_TYPE = "application/problem+json"
CLIENT_GONE = 499
"""Nobody reads this status: it is what nginx's logs, and our figures, call a client that hung up while it asked."""


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` never changes its meaning; some codes bring further members."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["This would pass the limit of the room bill."])
    code: str = Field(examples=["over_folio_limit"])
    fields: list[dict[str, Any]] | None = None


_MEANINGS = {
    400: "The request is not JSON, or lacks its Idempotency-Key",
    401: "Not signed in, or not signed",
    403: "Not for this role",
    404: "There is no such thing, or it is not yours",
    409: "Not possible as things are",
    413: "Too large",
    422: "The input is not valid; `fields` tells which",
    429: "Too many requests; Retry-After tells when",
    503: "The database has no time at this moment; Retry-After tells when",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": meaning,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, meaning in _MEANINGS.items()
}


def problem(
    status: int, code: str, sentence: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """Return the response of something that failed."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "code": code,
    }
    return JSONResponse(more | body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""
    app.add_exception_handler(Rejection, _rejection)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    for kind in UNSTORABLE:
        app.add_exception_handler(kind, _unstorable)
    app.add_exception_handler(Exception, _failure)


async def _rejection(request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejection)
    return problem(error.status, error.code, error.sentence, error.headers, **error.detail)


async def _unstorable(request: Request, error: Exception) -> Response:
    return await _rejection(request, unstorable())


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return problem(400, "malformed_json", "The body is not JSON.")
    fields = [{"field": ".".join(map(str, fault["loc"])), "sentence": fault["msg"]} for fault in faults]
    if any(field["field"].lower() == "header.idempotency-key" for field in fields):
        return problem(
            400, "idempotency_key_missing", "Send an Idempotency-Key of 8 to 80 letters, digits, . _ : or -."
        )
    named = ", ".join(field["field"] for field in fields)
    return problem(422, "invalid", f"Not valid: {named}.", fields=fields)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "too_many_requests"}
    headers = dict(error.headers or {})
    return problem(error.status_code, codes.get(error.status_code, "refused"), str(error.detail), headers)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)


async def _failure(request: Request, error: Exception) -> Response:
    if is_unavailable(error):
        return await _rejection(request, Unavailable())
    logging.getLogger(__name__).error("%s %s failed", request.method, request.url.path, exc_info=error)
    # What went wrong inside is for the log, not for whoever asked.
    return problem(500, "internal", "Something went wrong here. The same Idempotency-Key can be tried again.")
