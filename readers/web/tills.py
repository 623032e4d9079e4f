"""The tills' API: open a sale, watch it, give the PIN, cancel."""

import hmac
import math
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from readers.tills import QUANTITY_MAX, SaleView, TillFault, Tills, Wanted
from readers.web.problem import Problem, body_of, json_answer

WAIT_S_MAX = 25.0
_SaleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
_Body = TypeVar("_Body", bound=Struct)


class _Line(Struct, forbid_unknown_fields=True):
    item: Annotated[str, Meta(min_length=1, max_length=64)]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]


class _NewSale(Struct, forbid_unknown_fields=True):
    sale_id: _SaleId
    lines: Annotated[list[_Line], Meta(min_length=1, max_length=100)]


class _Pin(Struct, forbid_unknown_fields=True):
    pin: Annotated[str, Meta(pattern=r"^[0-9]{4,8}$")]


def till_routes(tills: Tills, key: str | None) -> list[Route]:
    """Return the routes; `key` is what each request must show as bearer, None where no till is set up."""

    async def open_sale(request: Request) -> Response:
        wanted = _decoded(await body_of(request), _NewSale)
        lines = tuple(Wanted(line.item, line.quantity) for line in wanted.lines)
        return await _told(201, tills.open, request.path_params["touchpoint"], wanted.sale_id, lines)

    async def view(request: Request) -> Response:
        wait_s, unlike = _wait_of(request), request.query_params.get("unlike", "")
        return await _told(
            200, lambda *words: tills.view(*words, unlike=unlike, wait_s=wait_s), *_sale_of(request)
        )

    async def give_pin(request: Request) -> Response:
        pin = _decoded(await body_of(request), _Pin).pin
        return await _told(200, tills.give_pin, *_sale_of(request), pin)

    async def cancel(request: Request) -> Response:
        return await _told(200, tills.cancel, *_sale_of(request))

    def keyed(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            _require_key(request, key)
            return await answer(request)

        return checked

    sales = "/tills/{touchpoint}/sales"
    return [
        Route(sales, keyed(open_sale), methods=["POST"]),
        Route(sales + "/{sale_id}", keyed(view), methods=["GET"]),
        Route(sales + "/{sale_id}/pin", keyed(give_pin), methods=["POST"]),
        Route(sales + "/{sale_id}/cancel", keyed(cancel), methods=["POST"]),
    ]


def _require_key(request: Request, key: str | None) -> None:
    if not key:
        raise Problem(503, "no_till_key", "This edge has no till key; set edge.till_key_file.")
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(shown.encode(), key.encode()):
        raise Problem(401, "till_key_wrong", "The till's key is missing or wrong.")


async def _told(status: int, ask: Callable[..., SaleView], *words: object) -> Response:
    try:
        return json_answer(await run_in_threadpool(ask, *words), status)
    except TillFault as fault:
        raise Problem(fault.status, fault.code, str(fault)) from None


def _decoded(body: bytes, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(422, "body_invalid", str(error)) from None
    except msgspec.DecodeError as error:
        raise Problem(400, "not_json", f"The body is not JSON: {error}") from None


def _sale_of(request: Request) -> tuple[str, str]:
    return request.path_params["touchpoint"], request.path_params["sale_id"]


def _wait_of(request: Request) -> float:
    try:
        wait_s = float(request.query_params.get("wait_s", "0"))
    except ValueError:
        wait_s = math.nan
    if math.isnan(wait_s):
        raise Problem(422, "wait_s_invalid", "wait_s is a number of seconds.")
    return min(max(wait_s, 0.0), WAIT_S_MAX)
