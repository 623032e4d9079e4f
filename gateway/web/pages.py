"""What every page goes through: one environment per resort version, strict headers, notices from the address."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from gateway.bootstrap import Gateway
from gateway.errors import ComeBack, Rejection
from gateway.web.notices import notice_of
from gateway.web.rendering import CONTENT_SECURITY_POLICY, environment
from wallet.resort import Resort

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": that would blank the Origin by which we know our own forms.
    "Referrer-Policy": "same-origin",
    # A page shows one person's stay: neither a shared cache nor the next user of a desk may have it.
    "Cache-Control": "no-store",
}

_COME_BACK = "come_back"


class Pages:
    """Renders the pages of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._made: tuple[int, Environment] | None = None

    def resort(self) -> Resort | None:
        """Return the resort, None before one is loaded."""
        try:
            return self._gateway.feed.resort()
        except Rejection:
            return None

    def environment(self) -> Environment:
        """Return the environment of the resort as it is now; as it was known last while the database is away."""
        try:
            resort = self.resort()
        except Exception:  # whatever a database's driver raises: the page that says so must still be rendered
            if self._made is not None:
                return self._made[1]
            resort = None
        version = resort.version if resort else 0
        if self._made is None or self._made[0] != version:
            made = environment(
                zone=resort.tz if resort else ZoneInfo("UTC"),
                currency=resort.currency if resort else "",
                new_command_id=self._gateway.new_id,
            )
            made.globals["resort"] = resort
            self._made = (version, made)
        return self._made[1]

    def fragment(self, template: str, macro: str, *values: object) -> str:
        """Return what a macro of a template gives, for a row that travels on its own."""
        module = self.environment().get_template(template).make_module({})
        return str(getattr(module, macro)(*values))

    def page(
        self, request: Request, template: str, context: Mapping[str, Any], status: int = 200
    ) -> HTMLResponse:
        """Return a rendered page; a `done` code in the address becomes its notice.

        One that says "not now" says when, as the API did that was asked for it.
        """
        notices = notice_of(request.query_params.get("done", ""))
        text = self.environment().get_template(template).render({"notices": notices} | dict(context))
        refusal: ComeBack | None = getattr(request.state, _COME_BACK, None)
        when = refusal.headers if refusal is not None and refusal.status == status else {}
        return HTMLResponse(text, status, HEADERS | when)


def come_back(request: Request, refusal: ComeBack) -> None:
    """Remember with a request what the API answered it, for the page that shows it."""
    setattr(request.state, _COME_BACK, refusal)


def go(address: str, **query: str) -> RedirectResponse:
    """Return the answer to a form that was taken: look at `address` (303, so that a reload sends nothing again)."""
    words = {name: value for name, value in query.items() if value}
    target = address + (("&" if "?" in address else "?") + urlencode(words) if words else "")
    return RedirectResponse(target, 303, {"Cache-Control": "no-store"})
