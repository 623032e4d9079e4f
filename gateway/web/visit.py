"""What page routes depend on: who visits, the API as they may use it, and the form they sent."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData, UploadFile

from gateway.api.deps import COOKIE, GatewayHere, role
from gateway.auth import Principal
from gateway.bootstrap import Gateway
from gateway.errors import Rejection
from gateway.web.listeners import Listeners
from gateway.web.own_api import OwnApi
from gateway.web.pages import Pages
from wallet.resort import Resort

_CHANNELS = {
    "guest": "app",
    "anonymous": "app",
    "desk": "desk",
    "photographer": "touchpoint",
    "operations": "operations",
}


@dataclass(frozen=True)
class Visit:
    """One visit of a page."""

    request: Request
    gateway: Gateway
    principal: Principal
    api: OwnApi

    @property
    def pages(self) -> Pages:
        """What renders."""
        pages: Pages = self.request.app.state.pages
        return pages

    @property
    def listeners(self) -> Listeners:
        """Who listens to streams."""
        listeners: Listeners = self.request.app.state.listeners
        return listeners

    @property
    def session_token(self) -> str:
        """The token of the session that the request showed."""
        if self.principal.by_cookie:
            return self.request.cookies.get(COOKIE, "")
        return self.request.headers.get("authorization", "").partition(" ")[2]

    @property
    def resort(self) -> Resort:
        """The resort as it is now.

        Raises:
            Rejection: none is loaded.
        """
        return self.gateway.feed.resort()

    @property
    def party_id(self) -> str:
        """The guest's own party."""
        assert self.principal.party_id is not None, "only a guest's page asks for the own party"
        return self.principal.party_id

    def live(self, url: str) -> dict[str, Any]:
        """Return what a page says about its stream: where it is, and up to where the page is true.

        Read it BEFORE what the page shows, so that nothing falls between the two.
        """
        return {"feed_url": url, "feed_position": self.gateway.feed.head}

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Return a rendered page."""
        return self.pages.page(self.request, template, context, status)


@dataclass(frozen=True)
class Post(Visit):
    """A form that was sent from a page of ours. `key` is the idempotency key it carries."""

    form: FormData = field(default_factory=FormData)
    key: str = ""

    def text(self, name: str) -> str:
        """Return a field's text, stripped; empty when it is missing."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return every text sent under a name."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def files(self, name: str) -> list[UploadFile]:
        """Return every file sent under a name; an empty choice is none."""
        found = [value for value in self.form.getlist(name) if isinstance(value, UploadFile)]
        return [each for each in found if each.filename]


def visit(*roles: str) -> Any:
    """Return the dependency of a page for these roles."""
    authorized = role(*roles)

    async def visited(
        request: Request, gateway: GatewayHere, principal: Annotated[Principal, Depends(authorized)]
    ) -> Visit:
        return Visit(request, gateway, principal, OwnApi(request, _CHANNELS[roles[0]]))

    return visited


def posted(*roles: str) -> Callable[..., Coroutine[Any, Any, Post]]:
    """Return the dependency of a form for these roles; it must come from a page of ours and carry its command id."""
    authorized = role(*roles)

    async def sent(
        request: Request, gateway: GatewayHere, principal: Annotated[Principal, Depends(authorized)]
    ) -> Post:
        refuse_foreign_form(request)
        form = await _form_of(request)
        key = form.get("command_id") or request.headers.get("idempotency-key", "")
        if not isinstance(key, str) or not key:
            raise Rejection(
                "idempotency_key_missing", 400, "The form lacks its command id. Please reload the page."
            )
        api = OwnApi(request, _CHANNELS[roles[0]])
        return Post(request, gateway, principal, api, form, key)

    return sent


def refuse_foreign_form(request: Request) -> None:
    """Do nothing if the form comes from a page of ours, as each browser tells by its Origin.

    Raises:
        Rejection: 403. Signing someone in from another site's page would be an attack too.
    """
    origin = request.headers.get("origin")
    if origin != f"{request.url.scheme}://{request.url.netloc}":
        raise Rejection("foreign_page", 403, "This form did not come from a page of this resort.")


async def _form_of(request: Request) -> FormData:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            sent = await request.json()
        except ValueError:
            raise Rejection("malformed_json", 400, "The body is not JSON.") from None
        if not isinstance(sent, dict):
            raise Rejection("invalid", 422, "A form is an object of fields.")
        return FormData([(str(name), str(value)) for name, value in sent.items()])
    return await request.form(max_files=20, max_fields=100)
