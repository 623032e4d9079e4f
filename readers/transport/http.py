"""The gateway over HTTP: signed requests (wallet.signing), and its answers told apart."""

import hashlib
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from readers.clock import Clock, Entropy
from readers.transport.base import (
    Anchors,
    Denied,
    EncodingJob,
    FeedGone,
    HoldRequest,
    IssuedCredential,
    JournalRefused,
    NotAccepted,
    TransportFault,
    Unreachable,
)
from wallet.journal import JournalBatch, JournalReceipt
from wallet.signing import sign_request
from wallet.snapshot import FeedBatch, Snapshot, WireError, decode, encode
from wallet.tap import Hold, HoldAnswer

if TYPE_CHECKING:
    import httpx

_API = "/api/v1"
_CONNECT_S = 3.0
_ANSWER_S = 10.0
_NEWS_S = 5.0
_HOLDS_AT_ONCE = 16
_Message = TypeVar("_Message", bound=Struct)


class _Jobs(Struct, frozen=True):
    encodings: tuple[EncodingJob, ...]


class SignedClient:
    """Sends signed requests of one edge and raises what its answers mean. Any thread may call."""

    def __init__(
        self, gateway_url: str, edge: str, key: Ed25519PrivateKey, clock: Clock, entropy: Entropy
    ) -> None:
        self._edge = edge
        self._key = key
        self._clock = clock
        self._entropy = entropy
        self._answered_at_s: float | None = None
        self._url = gateway_url.rstrip("/")
        self._made = threading.Lock()
        self._http: httpx.Client | None = None

    def answered_at_s(self) -> float | None:
        """Return when the gateway last answered, on the clock's elapsed seconds; None before that."""
        return self._answered_at_s

    def get(self, target: str, kind: type[_Message], *, wait_s: float = 0.0) -> _Message:
        """Return the answer to a GET that may take `wait_s` seconds longer than usual."""
        return _decoded(self.send("GET", target, b"", timeout_s=_NEWS_S + wait_s), kind)

    def post(self, target: str, body: bytes, key: str, *, timeout_s: float = _ANSWER_S) -> bytes:
        """Return the answer to a POST with an idempotency key."""
        return self.send("POST", target, body, timeout_s=timeout_s, idempotency_key=key)

    def send(
        self, method: str, target: str, body: bytes, *, timeout_s: float, idempotency_key: str = ""
    ) -> bytes:
        """Return the body of a 2xx answer.

        Raises:
            TransportFault: the one that the failure means.
        """
        headers = sign_request(
            method,
            target,
            body,
            key=self._key,
            key_id=self._edge,
            at=self._clock.now(),
            nonce=self._entropy.bytes(16),
        )
        if body:
            headers["content-type"] = "application/json"
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        import httpx

        timeout = httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s))
        try:
            answer = self._client().request(method, target, content=body, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            raise Unreachable(f"the gateway can't be reached: {str(error) or type(error).__name__}") from None
        # A proxy that answers for a gateway which is away (5xx) is no answer of the gateway's.
        if answer.status_code < 500:
            self._answered_at_s = self._clock.elapsed_s()
        if answer.is_success:
            return answer.content
        raise _fault(answer)

    def close(self) -> None:
        """Let go of the connections."""
        with self._made:
            if self._http is not None:
                self._http.close()

    def _client(self) -> "httpx.Client":
        # httpx takes longer to import than all the rest of an edge: the first tap doesn't wait for it.
        import httpx

        with self._made:
            if self._http is None:
                # The environment is not asked for a proxy: an edge's settings are in its settings file.
                self._http = httpx.Client(base_url=self._url, trust_env=False, verify=_trusted(self._url))
            return self._http


class HttpTransport:
    """The gateway for an edge that runs readers: a client each to pull, to push and to hold."""

    def __init__(
        self,
        gateway_url: str,
        edge: str,
        key: Ed25519PrivateKey,
        clock: Clock,
        entropy: Entropy,
        *,
        hold_deadline_s: float,
    ) -> None:
        def client() -> SignedClient:
            return SignedClient(gateway_url, edge, key, clock, entropy)

        self._pull, self._push, self._hold = client(), client(), client()
        self._hold_deadline_s = hold_deadline_s
        self._holders = ThreadPoolExecutor(_HOLDS_AT_ONCE, thread_name_prefix="hold")

    def answered_at_s(self) -> float | None:
        """Return when the gateway last answered any of the requests."""
        times = [each.answered_at_s() for each in (self._pull, self._push, self._hold)]
        return max((time for time in times if time is not None), default=None)

    def anchors(self) -> Anchors:
        """Return what is to be trusted now."""
        return self._pull.get(f"{_API}/edge/anchors", Anchors)

    def snapshot(self, after: str | None, position: int | None, mark: str = "") -> Snapshot:
        """Return the page of the snapshot that follows token id `after`."""
        words = {"after": after, "position": position, "mark": mark or None}
        query = urlencode({name: word for name, word in words.items() if word is not None})
        return self._pull.get(f"{_API}/edge/snapshot" + (f"?{query}" if query else ""), Snapshot)

    def feed(self, after: int, wait_s: float, mark: str = "") -> FeedBatch:
        """Return what follows position `after`, waiting for something to happen."""
        target = f"{_API}/edge/feed?after={after}&wait_s={wait_s:g}" + (
            f"&mark={quote(mark)}" if mark else ""
        )
        return self._pull.get(target, FeedBatch, wait_s=wait_s)

    def push(self, batch: JournalBatch) -> JournalReceipt:
        """Bring entries home and return what the gateway has."""
        first, last = batch.entries[0].number, batch.entries[-1].number
        key = request_id("journal", batch.edge, batch.epoch, str(first), str(last), batch.head)
        return _decoded(self._push.post(f"{_API}/edge/journal", encode(batch), key), JournalReceipt)

    def hold(self, request: HoldRequest) -> Hold:
        """Return the answer, UNREACHABLE when none came within the deadline."""
        # HTTP time-outs count from byte to byte; the guest's patience counts as a whole.
        try:
            return self._holders.submit(self._ask_hold, request).result(self._hold_deadline_s)
        except (TransportFault, TooLate, RuntimeError):
            return Hold(HoldAnswer.UNREACHABLE)

    def close(self) -> None:
        """Let go of the connections."""
        self._holders.shutdown(wait=False, cancel_futures=True)
        for client in (self._pull, self._push, self._hold):
            client.close()

    def _ask_hold(self, request: HoldRequest) -> Hold:
        body, key = encode(request), request_id("hold", request.tap.tap_id)
        for attempt in (1, 2):
            try:
                answer = self._hold.post(f"{_API}/edge/holds", body, key, timeout_s=self._hold_deadline_s)
                return _decoded(answer, Hold)
            except Unreachable:
                # A connection kept from before a cut fails at once, a new one may well do.
                if attempt == 2:
                    raise
        raise AssertionError("the loop returns or raises")


class HttpEncodingDesk:
    """The gateway for an edge with encoders."""

    def __init__(self, client: SignedClient, entropy: Entropy) -> None:
        self._client = client
        self._entropy = entropy

    def jobs(self, wait_s: float) -> tuple[EncodingJob, ...]:
        """Return the jobs that wait for this edge's encoders."""
        target = f"{_API}/edge/encodings?wait_s={wait_s:g}"
        return self._client.get(target, _Jobs, wait_s=wait_s).encodings

    def touch(self, encoder: str, chip_uid: str) -> EncodingJob:
        """Return what is to be done with a chip that nobody announced."""
        body = msgspec.json.encode({"encoder": encoder, "chip_uid": chip_uid})
        # Each touch asks anew: what was nothing to be done a minute ago may be something now.
        key = request_id("touch", encoder, chip_uid, self._entropy.bytes(16).hex())
        return _decoded(self._client.post(f"{_API}/edge/encodings/touch", body, key), EncodingJob)

    def issue(self, encoding_id: str, chip_uid: str, chip_kind: str, capacity_bytes: int) -> IssuedCredential:
        """Return the credential for that chip."""
        body = msgspec.json.encode(
            {"chip_uid": chip_uid, "chip_kind": chip_kind, "capacity_bytes": capacity_bytes}
        )
        # Each touch asks anew: after a word of failure the answer of before names a medium that was dropped. The same
        # chip gets the same credential all the same, as long as its job is open.
        key = request_id("issue", encoding_id, chip_uid, chip_kind, self._entropy.bytes(16).hex())
        answer = self._client.post(f"{_API}/edge/encodings/{quote(encoding_id)}/issue", body, key)
        return _decoded(answer, IssuedCredential)

    def confirm(self, encoding_id: str, *, ok: bool, sentence: str, medium_id: str) -> None:
        """Tell what became of it."""
        said = {"sentence": sentence, "medium_id": medium_id}
        body = msgspec.json.encode({"ok": ok} | {name: word for name, word in said.items() if word})
        # A success is told once of each chip; each failure is news of its own.
        key = request_id("confirm", encoding_id, medium_id if ok else self._entropy.bytes(16).hex())
        self._client.post(f"{_API}/edge/encodings/{quote(encoding_id)}/confirm", body, key)


def enrol(gateway_url: str, edge: str, code: str, public_key: str, key: str) -> Anchors:
    """Tell the gateway this edge's public key with the one-time code, and return what to trust.

    Args:
        public_key: hex.
        key: the idempotency key of this enrolment.
    Raises:
        TransportFault: unreachable, or the code doesn't hold.
    """
    import httpx

    body = {"edge": edge, "code": code, "public_key": public_key}
    try:
        with httpx.Client(
            base_url=gateway_url.rstrip("/"),
            trust_env=False,
            verify=_trusted(gateway_url),
            timeout=_ANSWER_S,
        ) as http:
            answer = http.post(f"{_API}/edges/enrol", json=body, headers={"idempotency-key": key})
    except httpx.HTTPError as error:
        raise Unreachable(f"the gateway can't be reached: {str(error) or type(error).__name__}") from None
    if not answer.is_success:
        raise _fault(answer)
    return _decoded(answer.content, Anchors)


def request_id(*parts: str) -> str:
    """Return an idempotency key that is the same for the same request."""
    return str(UUID(bytes=hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]))


def _trusted(gateway_url: str) -> ssl.SSLContext:
    """Return the certificates to trust: none for plain http, since loading them takes its time."""
    if gateway_url.startswith("https:"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _decoded(body: bytes, kind: type[_Message]) -> _Message:
    try:
        return decode(body, kind)
    except WireError as error:
        raise Unreachable(f"the gateway's answer is not understood: {error}") from None


def _fault(answer: "httpx.Response") -> TransportFault:
    problem = _problem(answer)
    words = str(problem.get("detail") or problem.get("title") or f"HTTP status {answer.status_code}")
    match answer.status_code:
        case 401 | 403:
            return Denied(words)
        case 409 if str(problem.get("code")).startswith("journal_"):
            known, told = int(problem.get("acknowledged", 0)), int(problem.get("position", 0))
            return JournalRefused(words, known, str(problem.get("head", "")), told)
        case 409 | 410 if str(problem.get("code")).startswith("feed_"):
            return FeedGone(words)
        case 404 | 409 | 422:
            return NotAccepted(words)
        case _:
            after = answer.headers.get("retry-after", "")
            return Unreachable(words, float(after) if after.isdigit() else None)


def _problem(answer: "httpx.Response") -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
