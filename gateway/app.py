"""The gateway's HTTP: routes, pages, errors and limits around one gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from gateway.api import ROUTERS, health, problems
from gateway.api.limits import Limits
from gateway.bootstrap import Gateway
from gateway.web import mount

VERSION = "0.1.0"
PREFIX = "/api/v1"


def create_app(gateway: Gateway, *, started: bool = False) -> FastAPI:
    """Return the application; it starts the gateway, unless `started`, and stops it when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if not started:
            await run_in_threadpool(gateway.start)
        try:
            yield
        finally:
            await run_in_threadpool(gateway.stop)

    app = FastAPI(
        title="Passband gateway",
        version=VERSION,
        description="The central ledger of a resort. Everything that fails is application/problem+json (RFC 9457).",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.gateway = gateway
    problems.install(app)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    mount.install(app, gateway)
    app.add_middleware(Limits, gateway=gateway)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Put the shape of errors into the OpenAPI description, where every route's responses point."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = problems.Problem.model_json_schema()
        return described

    # FastAPI's own way to extend its description: replace the method on the instance.
    app.__dict__["openapi"] = openapi
