"""The field's control interface: HTTP on loopback, for the demo, the workbench and tests."""

from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, StringConstraints
from starlette.middleware.trustedhost import TrustedHostMiddleware

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
    ValueError: 422,
}


class Presentation(BaseModel):
    """Which chip to hold to a reader, and for how long; without `hold_s` until it is removed."""

    chip: str
    hold_s: Annotated[float, Field(gt=0, le=600)] | None = None


class Code(BaseModel):
    """The text of a code."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class BlankChip(BaseModel):
    """A chip to be made."""

    kind: str
    uid: str
    label: str = ""


class Cut(BaseModel):
    """How a network fails: `cut` refuses connections, `blackhole` takes them and stays silent."""

    mode: LinkState = LinkState.CUT


def make_control(world: World) -> FastAPI:
    """Return the application that controls `world`; starting and stopping the world is the caller's."""
    app = FastAPI(title="Passband field", docs_url=None, redoc_url=None)
    # A web page elsewhere that makes a name point at loopback must not reach these controls.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"])
    for fault, status in _STATUS.items():
        app.add_exception_handler(fault, _explain(status))
    _add_chips(app, world)
    _add_readers(app, world)
    _add_networks(app, world)
    return app


def _add_chips(app: FastAPI, world: World) -> None:
    @app.get("/chips")
    def list_chips() -> list[dict[str, Any]]:
        return [stored.described() for stored in world.shelf.all()]

    @app.post("/chips", status_code=201)
    def create_chip(blank: BlankChip) -> dict[str, Any]:
        return world.shelf.create(blank.kind, blank.uid, blank.label).described()

    @app.get("/chips/{chip}")
    def show_chip(chip: str) -> dict[str, Any]:
        return world.shelf.get(chip).described()


def _add_readers(app: FastAPI, world: World) -> None:
    @app.post("/fields/{reader}/present")
    def present(reader: str, presentation: Presentation) -> dict[str, Any]:
        world.present(reader, presentation.chip, presentation.hold_s)
        return {"reader": reader, "chip": presentation.chip}

    @app.post("/fields/{reader}/remove")
    def remove(reader: str) -> dict[str, Any]:
        world.remove(reader)
        return {"reader": reader, "chip": None}

    @app.post("/scanners/{reader}/show")
    async def show(reader: str, code: Code) -> dict[str, Any]:
        await world.show(reader, code.text, SCANNER_WAIT_S)
        return {"reader": reader}


def _add_networks(app: FastAPI, world: World) -> None:
    @app.post("/networks/{edge}/cut")
    async def cut(edge: str, how: Cut | None = None) -> dict[str, Any]:
        state = how.mode if how else LinkState.CUT
        if state is LinkState.UP:
            raise ValueError("a cut is a cut or a blackhole; heal has an address of its own")
        await world.turn(edge, state)
        return {"edge": edge, "state": state.value}

    @app.post("/networks/{edge}/heal")
    async def heal(edge: str) -> dict[str, Any]:
        await world.turn(edge, LinkState.UP)
        return {"edge": edge, "state": LinkState.UP.value}

    @app.get("/state")
    def state() -> dict[str, Any]:
        return world.described()

    @app.get("/healthz")
    def healthz() -> dict[str, Any]:
        return {"status": "ok"}


def _explain(status: int) -> Any:
    def answer(_: Request, error: Exception) -> JSONResponse:
        body = {"type": "about:blank", "title": type(error).__name__, "status": status, "detail": str(error)}
        return JSONResponse(body, status_code=status, media_type="application/problem+json")

    return answer
