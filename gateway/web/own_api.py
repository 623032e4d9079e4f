"""The pages' way to the ledger: the public API, asked in the same process as the visitor.

So a page can do and see exactly what its visitor could over HTTP: one set of rules, of roles and of answers.
"""

from typing import TYPE_CHECKING, Any

from fastapi import Request

from gateway.api.deps import COOKIE
from gateway.errors import ComeBack, Rejection
from gateway.web.pages import come_back

if TYPE_CHECKING:
    import httpx

PREFIX = "/api/v1"
_STEP_S = 60.0
_OF_EVERY_PROBLEM = ("type", "title", "status", "detail", "code")


class OwnApi:
    """The API as one visitor may use it.

    Args:
        request: the page's request; its session goes along, and the address it came from.
        channel: how the ledger is to name the way this came: "app", "desk" …
        token: a session to use instead of the visitor's own.
    """

    def __init__(self, request: Request, channel: str, token: str = "") -> None:
        self._request = request
        self._headers = {"x-channel": channel, "x-passband": "1"}
        token = token or request.cookies.get(COOKIE, "")
        if token:
            self._headers["cookie"] = f"{COOKIE}={token}"

    async def get(self, path: str, **query: str | int) -> Any:
        """Return the answer's JSON.

        Raises:
            Rejection: the API's problem, with its own words.
        """
        return (await self.ask("GET", path, params=query)).json()

    async def command(
        self, path: str, key: str, body: dict[str, Any] | None = None, method: str = "POST"
    ) -> Any:
        """Send a command under its idempotency key and return the answer's JSON, None for an empty one.

        Raises:
            Rejection: the API's problem, with its own words.
        """
        answer = await self.ask(method, path, key=key, json=body if body is not None else {})
        return answer.json() if answer.content else None

    async def ask(self, method: str, path: str, *, key: str = "", **content: Any) -> "httpx.Response":
        """Send one request and return its response.

        Raises:
            Rejection: it failed.
        """
        import httpx  # with the first page: edges and the public API need none of it

        peer = self._request.client
        transport = httpx.ASGITransport(
            self._request.app, raise_app_exceptions=False, client=(peer.host, peer.port) if peer else ("", 0)
        )
        headers = self._headers | ({"idempotency-key": key} if key else {})
        url = self._request.url.replace(path=PREFIX + path, query="")
        async with httpx.AsyncClient(transport=transport, timeout=_STEP_S, trust_env=False) as client:
            answer = await client.request(method, str(url), headers=headers, **content)
        if answer.is_success:
            return answer
        refusal = _rejection(answer)
        if isinstance(refusal, ComeBack):
            come_back(self._request, refusal)
        raise refusal


def _rejection(answer: "httpx.Response") -> Rejection:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    sentence = str(problem.get("detail") or "Something went wrong here. Please try again.")
    more = {name: value for name, value in problem.items() if name not in _OF_EVERY_PROBLEM}
    code, after = str(problem.get("code", "refused")), answer.headers.get("retry-after", "")
    if after.isdigit():
        return ComeBack(code, answer.status_code, sentence, more, int(after))
    return Rejection(code, answer.status_code, sentence, more)
