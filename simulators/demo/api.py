"""The public API as the people of the story use it: patient, and each command under one idempotency key."""

import time
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from simulators.beats import Beats
from simulators.demo.faults import Refused, StoryFailed
from simulators.dice import Dice
from simulators.patience import Patience

_PAUSE_S = 0.1
_BUSY = (429, 500, 502, 503, 504)
_UNAUTHORISED = 401

Json = dict[str, Any]


class Session:
    """Someone who is signed in; signs in again by itself when the session has run out."""

    def __init__(self, sign_in: Callable[[], str]) -> None:
        """Args: `sign_in` returns a session token."""
        self._sign_in = sign_in
        self._token = ""

    def headers(self) -> dict[str, str]:
        """Return what a request shows."""
        if not self._token:
            self._token = self._sign_in()
        return {"authorization": f"Bearer {self._token}"}

    def expire(self) -> None:
        """Forget the token; the next request signs in."""
        self._token = ""


class Api:
    """One HTTP service, asked until it answers: a server that was killed is back within seconds."""

    def __init__(
        self,
        base_url: str,
        dice: Dice,
        beats: Beats | None = None,
        moves: Callable[[], object] = lambda: None,
    ) -> None:
        """Args:
        beats: counts the commands.
        moves: changes while the server, or what starts it again, is at work.
        """
        # Each request shows the session of whoever makes it; a cookie kept from another's sign-in must not.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._http = httpx.Client(base_url=base_url, timeout=30.0, trust_env=False, cookies=no_cookies)
        self._dice = dice
        self._beats = beats
        self._moves = moves

    def get(self, path: str, session: Session | None = None, **params: str | float) -> Json:
        """Return the answer's JSON. Raises Refused."""
        answer: Json = self._ask("GET", path, session, {}, params=params).json()
        return answer

    def get_bytes(self, path: str, session: Session) -> bytes:
        """Return the answer's body. Raises Refused."""
        return self._ask("GET", path, session, {}).content

    def command(
        self,
        step: str,
        path: str,
        body: Mapping[str, Any],
        session: Session | None = None,
        method: str = "POST",
    ) -> Json:
        """Send a command under the key of `step` and return the answer, the stored one if it came before.

        Raises:
            Refused: the command is not possible.
        """
        headers = {"idempotency-key": self._dice.command_id(step)}
        answer: Json = self._ask(method, path, session, headers, json=dict(body)).json()
        return answer

    def upload(self, step: str, path: str, fields: Mapping[str, str], file: bytes, session: Session) -> Json:
        """Send a file with its fields under the key of `step`. Raises Refused."""
        headers = {"idempotency-key": self._dice.command_id(step)}
        files = {"file": ("photo.jpg", file, "image/jpeg")}
        answer: Json = self._ask("POST", path, session, headers, data=dict(fields), files=files).json()
        return answer

    def _ask(
        self, method: str, path: str, session: Session | None, headers: Mapping[str, str], **content: Any
    ) -> httpx.Response:
        if self._beats is not None and method != "GET":
            self._beats.tick()
        patience = Patience(self._moves)
        trouble = ""
        signed_in_again = False
        while patience.lasts():
            shown = {**headers, **(session.headers() if session else {})}
            try:
                answer = self._http.request(method, path, headers=shown, **content)
            except httpx.TransportError as error:
                trouble = str(error) or type(error).__name__
            else:
                if answer.status_code == _UNAUTHORISED and session and not signed_in_again:
                    session.expire()
                    signed_in_again = True
                    continue
                if answer.status_code not in _BUSY:
                    return _checked(answer)
                trouble = f"status {answer.status_code}: {answer.text[:200]}"
            time.sleep(_PAUSE_S)
        raise StoryFailed(
            f"{method} {self._http.base_url}{path} was not answered in {patience.waited_s:.0f} s: {trouble}"
        )


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    sentence = problem.get("detail") or problem.get("title") or answer.text[:200]
    where = f"{answer.request.method} {answer.request.url.path}: {sentence}"
    raise Refused(answer.status_code, str(problem.get("code", "unknown")), where)
