"""Every route of the gateway names its role, and everything that changes something is a command."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from gateway.api.deps import caller, role
from gateway.app import create_app
from gateway.auth import Role
from gateway.bootstrap import build
from gateway.settings import Environment, Settings

WITHOUT_KEY = {"/api/v1/sign-in", "/api/v1/staff/sign-in", "/api/v1/sign-out"}


def roles_of(dependant: Dependant) -> set[Role]:
    found = set(getattr(dependant.call, "__dict__", {}).get("roles", ()))
    for inner in dependant.dependencies:
        found |= roles_of(inner)
    return found


def headers_of(dependant: Dependant) -> set[str]:
    found = {parameter.alias for parameter in dependant.header_params}
    for inner in dependant.dependencies:
        found |= headers_of(inner)
    return found


def api_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Give every route with its whole path, however the routers are nested."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield context


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(
        build(Settings(environment=Environment.SIMULATION, directory=tmp_path_factory.mktemp("gateway")))
    )


def test_every_route_names_its_role(app: FastAPI) -> None:
    routes = list(api_routes(app))
    assert len(routes) > 10
    assert [route.path for route in routes if not roles_of(route.dependant)] == []


def test_every_change_through_the_api_takes_an_idempotency_key(app: FastAPI) -> None:
    changing = [
        route
        for route in api_routes(app)
        if route.path.startswith("/api/") and route.methods & {"POST", "PUT", "DELETE", "PATCH"}
    ]
    assert changing
    without = {route.path for route in changing if "idempotency-key" not in headers_of(route.dependant)}
    assert without == WITHOUT_KEY


def test_every_operation_has_its_own_name_and_the_description_is_whole(app: FastAPI) -> None:
    described = app.openapi()
    paths = {route.path for route in api_routes(app) if route.include_in_schema}
    assert paths == set(described["paths"])


def test_the_walker_sees_a_route_without_a_role() -> None:
    bare, guarded = FastAPI(), FastAPI()

    @bare.get("/x")
    def open_door() -> None: ...

    @guarded.get("/x", dependencies=[role_dependency()])
    def closed_door() -> None: ...

    assert [roles_of(route.dependant) for route in api_routes(bare)] == [set()]
    assert [roles_of(route.dependant) for route in api_routes(guarded)] == [{Role.DESK}]


def role_dependency() -> object:
    from fastapi import Depends

    return Depends(role("desk"))


def test_a_role_that_does_not_exist_is_refused_when_the_route_is_made() -> None:
    with pytest.raises(ValueError, match="waiter"):
        caller("waiter")
