"""Size limits on request bodies and the clock of each request, before anything reads a byte."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import problem
from gateway.bootstrap import Gateway

_PHOTOS_AT_ONCE = 4
"""A photographer's page sends several photos in one form."""
_FORM_BYTES = 64 << 10
"""What a form has around a photo: boundaries, headers, the photo point and fifty tokens."""


class Limits:
    """Refuses bodies that are too large, told so or not, and counts each request."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._gateway.clock.elapsed_s(), [500]

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await self._limited(scope, receive, counted)
        finally:
            seconds = self._gateway.clock.elapsed_s() - began
            self._gateway.metrics.request(scope["method"], pattern_of(scope), status[0], seconds)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        bytes_max = self._bytes_max(scope["path"])
        sentence = f"A body here has at most {bytes_max} bytes."
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > bytes_max:
            await problem(413, "too_large", sentence, {"Connection": "close"})(scope, receive, send)
            return
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > bytes_max:
                # The one kind of error that FastAPI passes on while it reads a body.
                raise HTTPException(413, sentence, {"Connection": "close"})
            return message

        await self._app(scope, bounded, send)

    def _bytes_max(self, path: str) -> int:
        settings = self._gateway.settings
        if path == "/api/v1/photos":
            return settings.photo_bytes_max + _FORM_BYTES
        if path == "/photo/uploads":
            return (settings.photo_bytes_max + _FORM_BYTES) * _PHOTOS_AT_ONCE
        if path == "/api/v1/edge/journal":
            return settings.journal_bytes_max
        return settings.body_bytes_max


def pattern_of(scope: Scope) -> str:
    """Return the pattern of the route that served the request, "other" for none."""
    route = scope.get("route")
    return str(getattr(route, "path", "other"))
