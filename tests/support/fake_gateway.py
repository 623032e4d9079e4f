"""A small real HTTP server with the edge's part of the gateway's API, which can fail on demand."""

import json
import socket
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.support.edge_world import ISSUER, KEY_ID, PEPPER, RESORT, UID, a_credential, an_id
from wallet.credential import Credential, medium_tag, sign
from wallet.journal import (
    GENESIS,
    EntryKind,
    JournalBatch,
    JournalEntry,
    JournalFault,
    JournalReceipt,
    follow,
)
from wallet.signing import SignatureFault, verify_request
from wallet.snapshot import FeedBatch, Snapshot, TokenChange
from wallet.tap import Hold, HoldAnswer
from wallet.token import TokenDocument

__all__ = ["UID", "FakeGateway", "a_credential"]


class FakeGateway:
    """Knows documents, takes journals, answers holds; `lose_answers` and `refuse` count down by path."""

    def __init__(self, as_of: datetime | None = None) -> None:
        self.lock = threading.Condition()  # re-entrant
        self.edge_key: Ed25519PublicKey | None = None
        self.codes = {"ABC123"}
        self.documents: dict[str, TokenDocument] = {}
        self.log: list[TokenChange] = []
        self.entries: list[JournalEntry] = []
        self.epoch, self.head = "", GENESIS
        self.hold = Hold(HoldAnswer.HELD)
        self.hold_delay = threading.Event()
        self.hold_delay.set()
        self.lose_answers: Counter[str] = Counter()
        self.refuse: Counter[str] = Counter()
        self.reader_keys: dict[int, str] = {}
        self.anchors_version = ""
        self.resort_version = 1
        self.entries_max: int | None = None
        self.requests: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.nonces: set[str] = set()
        self.page_size = 2
        self.jobs: dict[str, dict[str, str]] = {}
        self.touched: dict[str, dict[str, str]] = {}
        self.issue_refusal = ""
        self.confirmed: list[tuple[str, dict[str, object]]] = []
        self.as_of = as_of
        self.life, self.shared = 1, 0
        self.knows_marks = True
        self._port = 0
        self.start()

    def start(self) -> None:
        """Listen, on the same port as before."""
        gateway = self

        class Handler(_Handler):
            owner = gateway

        self.server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self.server.daemon_threads = True
        self.is_cut = False
        self._port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def cut(self) -> None:
        """Stop listening, and answer nothing more on connections that stand."""
        self.is_cut = True
        with self.lock:
            self.lock.notify_all()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def position(self) -> int:
        return len(self.log)

    def now(self) -> datetime:
        return self.as_of or datetime.now(UTC)

    def put(self, document: TokenDocument) -> None:
        with self.lock:
            self.documents[document.token_id] = document
            self.log.append(TokenChange(self.position + 1, document.token_id, document.version, document))
            self.lock.notify_all()

    def restore(self, position: int) -> None:
        """Be set back to an older copy, whose feed ended at `position`; what follows is another life."""
        with self.lock:
            del self.log[position:]
            self.documents = {each.token_id: each.document for each in self.log if each.document}
            self.life, self.shared = self.life + 1, position

    def mark(self, position: int) -> str:
        """Return what tells an entry from that of another life at the same position."""
        if not position or not self.knows_marks:
            return ""
        return f"{position}-{1 if position <= self.shared else self.life}"

    def taps(self) -> list[JournalEntry]:
        with self.lock:
            return [entry for entry in self.entries if entry.kind is EntryKind.TAP]

    def wait_for(self, holds, timeout_s: float = 15.0) -> bool:
        with self.lock:
            return self.lock.wait_for(holds, timeout_s)

    # --- what the routes do -----------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        match method, path.removeprefix("/api/v1").strip("/").split("/"):
            case "GET", ["edge", "anchors"]:
                return 200, self.anchors()
            case "GET", ["edge", "snapshot"]:
                position, mark = query.get("position"), query.get("mark", "")
                if mark and self.mark(int(position or 0)) != mark:
                    return 409, msgspec.json.encode({"code": "feed_forked", "title": "another life"})
                return 200, self.snapshot(query.get("after"), position)
            case "GET", ["edge", "feed"]:
                return self.feed(int(query["after"]), float(query["wait_s"]), query.get("mark", ""))
            case "POST", ["edge", "journal"]:
                return self.journal(body)
            case "POST", ["edge", "holds"]:
                self.hold_delay.wait(10)
                return 200, msgspec.json.encode(self.hold)
            case "GET", ["edge", "encodings"]:
                return 200, msgspec.json.encode({"encodings": list(self.jobs.values())})
            case "POST", ["edge", "encodings", "touch"]:
                return self.touch(json.loads(body))
            case "POST", ["edge", "encodings", job, "issue"]:
                return self.issue(job, json.loads(body))
            case "POST", ["edge", "encodings", job, "confirm"]:
                told = json.loads(body)
                with self.lock:
                    self.confirmed.append((job, told))
                    if told["ok"]:
                        self.jobs.pop(job, None)
                    self.lock.notify_all()
                return 200, b"{}"
        return 404, b"{}"

    def anchors(self) -> bytes:
        keys = {KEY_ID: ISSUER.public_key().public_bytes_raw().hex()}
        return msgspec.json.encode(
            {
                "edge": "edge-1",
                "venue": "park",
                "issuer_keys": keys,
                "pin_pepper": PEPPER.hex(),
                "resort_version": self.resort_version,
                "reader_keys": self.reader_keys,
                "version": self.anchors_version,
            }
        )

    def snapshot(self, after: str | None, position: str | None) -> bytes:
        with self.lock:
            ids = sorted(token for token in self.documents if token > (after or ""))
            page = tuple(self.documents[token] for token in ids[: self.page_size])
            more = page[-1].token_id if len(ids) > self.page_size else None
            return msgspec.json.encode(
                Snapshot(
                    1, upto := int(position or self.position), self.now(), RESORT, page, more, self.mark(upto)
                )
            )

    def feed(self, after: int, wait_s: float, mark: str) -> tuple[int, bytes]:
        with self.lock:
            if mark and self.knows_marks and after <= self.position and self.mark(after) != mark:
                return 409, msgspec.json.encode({"code": "feed_forked", "title": "another entry is there"})
            if after > self.position:
                return 410, msgspec.json.encode({"code": "feed_gone", "title": "no such position"})
            self.lock.wait_for(lambda: self.position > after or self.is_cut, wait_s)
            changes = tuple(self.log[after:])
            batch = FeedBatch(
                1,
                after,
                self.position,
                self.now(),
                changes,
                mark=self.mark(self.position),
                anchors=self.anchors_version,
            )
            return 200, msgspec.json.encode(batch)

    def journal(self, body: bytes) -> tuple[int, bytes]:
        batch = msgspec.json.decode(body, type=JournalBatch)
        with self.lock:
            if batch.epoch != self.epoch and not self.entries:
                self.epoch = batch.epoch
            if self.entries_max is not None and len(batch.entries) > self.entries_max:
                return 503, b"{}"
            known = len(self.entries)
            fresh = tuple(entry for entry in batch.entries if entry.number > known)
            try:
                self.head = follow(fresh, known, self.head)
            except JournalFault as fault:
                problem = {
                    "code": "journal_gap",
                    "title": str(fault),
                    "acknowledged": known,
                    "head": self.head,
                    "position": self.position,
                }
                return 409, msgspec.json.encode(problem)
            self.entries.extend(fresh)
            self.lock.notify_all()
            return 200, msgspec.json.encode(
                JournalReceipt(batch.edge, batch.epoch, len(self.entries), self.head)
            )

    def touch(self, told: dict[str, str]) -> tuple[int, bytes]:
        job = self.touched.get(told["chip_uid"])
        if job is None or job["encoder"] != told["encoder"]:
            return 404, msgspec.json.encode(
                {"code": "nothing_to_do", "title": "Nothing is to be done for it."}
            )
        return 200, msgspec.json.encode(job)

    def issue(self, job: str, wanted: dict[str, object]) -> tuple[int, bytes]:
        if self.issue_refusal:
            return 409, msgspec.json.encode({"code": "chip_in_use", "title": self.issue_refusal})
        at = datetime(2026, 6, 1, tzinfo=UTC)
        medium = an_id(1, 2)
        claims = Credential(
            self.jobs[job]["token_id"],
            medium_tag(medium),
            str(wanted["chip_uid"]),
            at,
            at + timedelta(days=400),
            1,
            KEY_ID,
        )
        return 200, msgspec.json.encode({"credential": sign(claims, ISSUER).hex(), "medium_id": medium})


class _Handler(BaseHTTPRequestHandler):
    owner: FakeGateway
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, format: str, *args: object) -> None:
        return

    def _serve(self, method: str) -> None:
        owner = self.owner
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if owner.is_cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        with owner.lock:
            owner.requests.append((method, self.path))
            owner.keys.append(self.headers.get("idempotency-key", ""))
            owner.lock.notify_all()
        if owner.refuse[parts.path] > 0:
            owner.refuse[parts.path] -= 1
            self._send(503, b"{}")
            return
        if parts.path.endswith("/edges/enrol"):
            self._send(*self._enrol(json.loads(body)))
            return
        fault = self._signature_fault(method, body)
        status, answer = (401, fault) if fault else owner.answer(method, parts.path, query, body)
        if owner.is_cut or owner.lose_answers[parts.path] > 0:
            owner.lose_answers[parts.path] -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(status, answer)

    def _enrol(self, told: dict[str, str]) -> tuple[int, bytes]:
        if told["code"] not in self.owner.codes:
            return 403, msgspec.json.encode({"code": "enrol_code_wrong", "title": "That code doesn't hold."})
        self.owner.codes.discard(told["code"])
        self.owner.edge_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public_key"]))
        return 200, self.owner.anchors()

    def _signature_fault(self, method: str, body: bytes) -> bytes:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.owner.edge_key is None:
            return b'{"title": "unknown edge"}'
        try:
            signed = verify_request(
                method, self.path, body, headers, key=self.owner.edge_key, now=self.owner.now()
            )
        except SignatureFault as fault:
            return msgspec.json.encode({"title": str(fault)})
        with self.owner.lock:
            if signed.nonce in self.owner.nonces:
                return b'{"title": "nonce seen"}'
            self.owner.nonces.add(signed.nonce)
        return b""

    def _send(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if status == 503 and self.owner.entries_max is not None:
                self.send_header("retry-after", "0")
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True
