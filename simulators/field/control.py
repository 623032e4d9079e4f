"""The field's control interface: HTTP on loopback, for the demo, the workbench and tests.

Starlette and msgspec, because a field that a test kills has to be back soon.
"""

from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.chips.field import FieldBusy
from simulators.field.network import LinkState
from simulators.field.scanner import ScannerGone
from simulators.field.shelf import ShelfFault
from simulators.field.world import NotHere, Occupied, World

SCANNER_WAIT_S = 5.0

_STATUS: dict[type[Exception], int] = {
    NotHere: 404,
    ShelfFault: 422,
    Occupied: 409,
    FieldBusy: 409,
    ScannerGone: 409,
    ValueError: 422,  # of which msgspec's own faults are kinds
}


class Presentation(Struct, forbid_unknown_fields=True):
    """Which chip to hold to a reader, and for how long; without `hold_s` until it is removed."""

    chip: str
    hold_s: Annotated[float, Meta(gt=0, le=600)] | None = None


class Code(Struct, forbid_unknown_fields=True):
    """The text of a code."""

    text: Annotated[str, Meta(min_length=1, max_length=4096)]


class NewPhone(Struct, forbid_unknown_fields=True):
    """A phone that makes its key of `secret` (hex) and proves it for its medium under the idempotency key."""

    phone: str
    secret: str
    command_id: str


class LivePass(Struct, forbid_unknown_fields=True):
    """What a phone shows: its credential (hex), signed at this moment of its own clock."""

    phone: str
    credential: str
    at: datetime


class BlankChip(Struct, forbid_unknown_fields=True):
    """A chip to be made."""

    kind: str
    uid: str
    label: str = ""


class Cut(Struct, forbid_unknown_fields=True):
    """How a network fails: `cut` refuses connections, `blackhole` takes them and stays silent."""

    mode: LinkState = LinkState.CUT


_Body = TypeVar("_Body", bound=Struct)


class Control:
    """The routes of one world; starting and stopping the world is the caller's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/chips", self.list_chips),
                Route("/chips", self.create_chip, methods=["POST"]),
                Route("/chips/{chip}", self.show_chip),
                Route("/fields/{reader}/present", self.present, methods=["POST"]),
                Route("/fields/{reader}/remove", self.remove, methods=["POST"]),
                Route("/fields/{reader}/air", self.air),
                Route("/scanners/{reader}/show", self.show_code, methods=["POST"]),
                Route("/phones", self.create_phone, methods=["POST"]),
                Route("/scanners/{reader}/show-pass", self.show_pass, methods=["POST"]),
                Route("/networks/{edge}/cut", self.cut, methods=["POST"]),
                Route("/networks/{edge}/heal", self.heal, methods=["POST"]),
                Route("/state", self.state),
                Route("/healthz", self.healthz),
            ],
            # A web page elsewhere that makes a name point at loopback must not reach these controls.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
            exception_handlers=dict.fromkeys(_STATUS, _explain),
        )

    def list_chips(self, _: Request) -> Response:
        """List every chip."""
        return JSONResponse([stored.described() for stored in self._world.shelf.all()])

    async def create_chip(self, request: Request) -> Response:
        """Make a blank chip; the same one twice is the same one."""
        blank = await _body(request, BlankChip)
        stored = await run_in_threadpool(self._world.shelf.create, blank.kind, blank.uid, blank.label)
        return JSONResponse(stored.described(), status_code=201)

    def show_chip(self, request: Request) -> Response:
        """Show one chip with its memory."""
        return JSONResponse(self._world.shelf.get(request.path_params["chip"]).described())

    async def present(self, request: Request) -> Response:
        """Hold a chip to a reader."""
        reader, presentation = request.path_params["reader"], await _body(request, Presentation)
        await run_in_threadpool(self._world.present, reader, presentation.chip, presentation.hold_s)
        return JSONResponse({"reader": reader, "chip": presentation.chip})

    def remove(self, request: Request) -> Response:
        """Take a chip away; nothing there is no mistake."""
        reader = request.path_params["reader"]
        self._world.remove(reader)
        return JSONResponse({"reader": reader, "chip": None})

    def air(self, request: Request) -> Response:
        """Tell what went over the air since a chip was last held to the reader."""
        reader = request.path_params["reader"]
        return JSONResponse({"reader": reader, "lines": self._world.air(reader)})

    async def show_code(self, request: Request) -> Response:
        """Show a code to a scanner."""
        reader, code = request.path_params["reader"], await _body(request, Code)
        await self._world.show(reader, code.text, SCANNER_WAIT_S)
        return JSONResponse({"reader": reader})

    async def create_phone(self, request: Request) -> Response:
        """Make a phone, and tell its public key with the proof that it has the other half."""
        new = await _body(request, NewPhone)
        secret = bytes.fromhex(new.secret)
        phone = await run_in_threadpool(self._world.phones.create, new.phone, secret)
        proof = {"public_key": phone.public_key, "signature": phone.prove(new.phone, new.command_id)}
        return JSONResponse(proof, status_code=201)

    async def show_pass(self, request: Request) -> Response:
        """Let a phone sign a code and show it to a scanner; tell the code, for whoever takes its picture."""
        reader, shown = request.path_params["reader"], await _body(request, LivePass)
        text = self._world.phones.get(shown.phone).code(bytes.fromhex(shown.credential), shown.at)
        await self._world.show(reader, text, SCANNER_WAIT_S)
        return JSONResponse({"reader": reader, "text": text})

    async def cut(self, request: Request) -> Response:
        """Cut a network."""
        state = (await _body(request, Cut)).mode
        if state is LinkState.UP:
            raise ValueError("A cut is a cut or a blackhole; to heal has an address of its own.")
        return await self._turn(request, state)

    async def heal(self, request: Request) -> Response:
        """Make a network whole."""
        return await self._turn(request, LinkState.UP)

    async def state(self, _: Request) -> Response:
        """Tell what is at each reader, who listens and how the networks are."""
        return JSONResponse(self._world.described())

    async def healthz(self, _: Request) -> Response:
        """Say that the field is there."""
        return JSONResponse({"status": "ok"})

    async def _turn(self, request: Request, state: LinkState) -> Response:
        edge = request.path_params["edge"]
        await self._world.turn(edge, state)
        return JSONResponse({"edge": edge, "state": state.value})


async def _body(request: Request, kind: type[_Body]) -> _Body:
    return msgspec.json.decode(await request.body() or b"{}", type=kind)


async def _explain(_: Request, error: Exception) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": type(error).__name__,
        "status": status,
        "detail": str(error),
    }
    return JSONResponse(body, status_code=status, media_type="application/problem+json")
