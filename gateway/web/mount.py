"""Puts the pages into the gateway's application."""

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from gateway.bootstrap import Gateway
from gateway.web import (
    guest_find,
    guest_folio,
    guest_media,
    guest_pass,
    guest_pass_offline,
    guest_photos,
    guest_today,
    live,
    photo,
    problem,
    signing,
    staff_conflicts,
    staff_desk,
    staff_guest,
    staff_search,
    tap,
)
from gateway.web.listeners import Listeners
from gateway.web.pages import Pages
from gateway.web.rendering import STATIC
from gateway.web.workbench import routes as workbench
from gateway.web.workbench.session import BenchSession

_ROUTERS = (
    signing.router,
    live.router,
    guest_today.router,
    guest_find.router,
    guest_folio.router,
    guest_photos.router,
    guest_pass.router,
    guest_pass_offline.router,
    guest_media.router,
    photo.router,
    tap.router,
    staff_search.router,
    staff_guest.router,
    staff_desk.router,
    staff_conflicts.router,
)


class _Static(StaticFiles):
    """Our files. They carry no version in their names, so a browser asks each time whether they changed."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they are
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def install(app: FastAPI, gateway: Gateway) -> None:
    """Add the pages. The workbench moves chips and cables, so a simulation alone has it."""
    app.state.pages, app.state.listeners = Pages(gateway), Listeners()
    problem.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    if gateway.settings.is_simulation:
        app.state.bench = workbench.bench_of(gateway)
        app.state.bench_session = BenchSession(gateway)
        app.include_router(workbench.router)
    start = "/workbench" if gateway.settings.is_simulation else "/app"
    app.add_route("/", lambda request: RedirectResponse(start), include_in_schema=False)
    app.mount("/static", _Static(directory=STATIC), name="static")
