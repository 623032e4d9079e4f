"""Every route names the roles that may ask it, and every route that changes something asks for an Idempotency-Key."""

from collections.abc import Iterator
from pathlib import Path

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.api import ROUTERS
from gateway.api.deps import caller
from gateway.app import create_app
from gateway.bootstrap import build
from gateway.settings import Environment, Settings

WITHOUT_KEY = {"/sign-in", "/staff/sign-in", "/sign-out"}
"""Signing in and out: each try is a new one."""


def calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from calls(each)


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def test_every_route_names_its_roles(tmp_path: Path) -> None:
    gateway = build(Settings(environment=Environment.SIMULATION, directory=tmp_path))
    served = [route for route in create_app(gateway).routes if isinstance(route, APIRoute)]
    nameless = [
        route.path
        for route in (*routes(), *served)
        if not any(getattr(call, "roles", None) for call in calls(route.dependant))
    ]
    gateway.database.close()
    assert nameless == []
    assert len(routes()) > 40


def test_every_change_asks_for_an_idempotency_key() -> None:
    asks = caller("desk").__qualname__
    changing = [route for route in routes() if route.methods & {"POST", "PUT", "DELETE"}]
    without = {
        route.path
        for route in changing
        if not any(getattr(call, "__qualname__", "") == asks for call in calls(route.dependant))
    }
    assert without == WITHOUT_KEY
    assert len(changing) > 20
