"""A gateway with its pages on a real port and a family at the resort, for a browser to visit."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.app import create_app
from gateway.bootstrap import Gateway, build
from gateway.edge_codes import new_edge
from gateway.resort_toml import read_resort
from gateway.services.journal import TakeJournal
from gateway.services.resort import LoadedResort
from gateway.services.staff import NewStaff
from gateway.settings import Environment, Settings
from wallet.credential import Credential, medium_tag
from wallet.journal import GENESIS, EntryKind, JournalBatch, JournalEntry, chain
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.resort import Resort
from wallet.tap import RULEBOOK_VERSION, Approved, Decision, Presented, Refused, Sale, SaleLine, Tap
from wallet.token import Step, Use

ARRIVAL = date(2030, 6, 10)
NOON = datetime(2030, 6, 10, 10, tzinfo=UTC)
"""Twelve o'clock at the resort, on the day of arrival."""
PASSWORD = "a password for tests"
STAFF = ("desk", "operations", "photographer")
NAMES = ("Quillon", "Zephyrine", "Tobiah", "Ondine")
RESORT_FILE = Path(__file__).resolve().parents[2] / "simulators/demo/resort.toml"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex()
_START_S = 30.0


@dataclass
class HandClock:
    """The time of day stands still until a test moves it."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return monotonic()

    elapsed_s = monotonic


@dataclass
class Family:
    """A party as its booking told of it."""

    party_id: str
    reference: str
    code: str
    tokens: list[str]


@dataclass
class House:
    """The gateway, where its pages are, and its API for whatever a story needs."""

    gateway: Gateway
    clock: HandClock
    resort: Resort
    url: str = ""
    sessions: dict[str, str] = field(default_factory=dict)
    entries: dict[str, list[JournalEntry]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)

    def api(self, method: str, path: str, body: Any = None, who: str = "", **more: Any) -> Any:
        """Ask the API as a member of staff (or nobody) and return the JSON."""
        headers = {"idempotency-key": f"house-{next(self.numbers):06}"}
        if who:
            headers["authorization"] = f"Bearer {self.session(who)}"
        with httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers, timeout=30, trust_env=False
        ) as client:
            answer = client.request(method, path, **({"json": body} if body is not None else {}), **more)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def session(self, name: str) -> str:
        if name not in self.sessions:
            told = self.api("POST", "/staff/sign-in", {"name": name, "password": PASSWORD})
            self.sessions[name] = told["session_token"]
        return self.sessions[name]

    def book(self, family_name: str = "Marsvale") -> Family:
        guests = [
            {"given_name": name, "family_name": family_name, "child": name == NAMES[3]} for name in NAMES
        ]
        wish = {"product": "family-package", "arrival_day": ARRIVAL.isoformat(), "guests": guests}
        told = self.api("POST", "/bookings", wish)
        tokens = [each["token_id"] for each in told["guests"]]
        return Family(told["party_id"], told["booking_reference"], told["sign_in_code"], tokens)

    def check_in(self, family: Family) -> None:
        self.api("POST", f"/parties/{family.party_id}/check-in", {}, "desk")

    def add_phone(self, token_id: str) -> str:
        told = self.api("POST", f"/tokens/{token_id}/media", {"kind": "phone"}, "desk")
        return str(told["medium_id"])

    def reserve(self, tokens: list[str], attraction: str, hour: int) -> Any:
        starts_at = datetime(2030, 6, 10, hour - 2, tzinfo=UTC).isoformat()
        wish = {"token_ids": tokens, "attraction": attraction, "starts_at": starts_at}
        told = self.api("POST", "/reservations", wish, "desk")
        assert told["booked"], told
        return told

    def tap(
        self,
        edge: str,
        touchpoint: str,
        family: Family,
        member: int,
        medium_id: str,
        verdict: str,
        **more: Any,
    ) -> None:
        """Bring one tap home as the edge of a venue would: the verdict is the one the guest saw."""
        self.bring_home(edge, self.entry(edge, touchpoint, family, member, medium_id, verdict, **more))

    def entry(
        self,
        edge: str,
        touchpoint: str,
        family: Family,
        member: int,
        medium_id: str,
        verdict: str,
        **more: Any,
    ) -> JournalEntry:
        """Write one tap into an edge's journal, now; it comes home when it is brought."""
        number = len(self.entries.setdefault(edge, [])) + 1
        at, tap_id = self.clock.at, self.gateway.new_id()
        token = family.tokens[member]
        claims = Credential(token, medium_tag(medium_id), "", at, at + timedelta(days=1), 1, "00" * 8)
        tap = Tap(tap_id, touchpoint, f"{touchpoint}-nfc", at, Presented(Proof.QR, claims), more.get("sale"))
        entry = JournalEntry(
            edge=edge,
            epoch="0190a000-0000-7000-8000-000000000001",
            number=number,
            kind=EntryKind.TAP,
            at=at,
            rulebook=RULEBOOK_VERSION,
            position=1,
            previous=self.heads.get(edge, GENESIS),
            tap=tap,
            token_id=token,
            decision=self._decision(tap, token, verdict),
            as_of=at - timedelta(seconds=6),
            online=more.get("online", True),
        )
        self.entries[edge].append(entry)
        self.heads[edge] = chain(entry.previous, entry)
        return entry

    def bring_home(self, edge: str, entry: JournalEntry) -> None:
        """Bring the edge's newest entry home."""
        batch = JournalBatch(1, edge, entry.epoch, (entry,), self.heads[edge])
        self.gateway.do("journal.take", TakeJournal(batch), actor=f"edge:{edge}")

    def _decision(self, tap: Tap, token: str, verdict: str) -> Decision:
        if verdict in set(Reason):
            return Refused(Reason(verdict), {"opens_at": "14:55", "rooms": "101"})
        step, kind, place = verdict.split()
        party = self.api("GET", f"/parties/{self._party_of(token)}", who="desk")
        rights = next(each["entitlements"] for each in party["guests"] if each["token_id"] == token)
        right = next(each["entitlement_id"] for each in rights if each["kind"] == kind)
        amount = tap.sale.total_minor if tap.sale else 0
        use = Use(tap.tap_id, right, Step(step), tap.at, self.resort.day_of(tap.at), place, amount)
        return Approved(right, (use,))

    def _party_of(self, token: str) -> str:
        return str(self.api("GET", f"/parties?q={token}", who="desk")["parties"][0]["party_id"])


def lunch() -> Sale:
    """Fish and chips and two lemonades."""
    lines = (SaleLine("fish-and-chips", 1, 1450, "vat10"), SaleLine("lemonade", 2, 700, "vat10"))
    return Sale("sale-1", "harbour-grill", "EUR", lines, 2150)


@contextmanager
def house(folder: Path, database_url: str = "", **more: Any) -> Iterator[House]:
    """Give a running gateway with the demo's resort, its staff and its edges' names."""
    settings = Settings(
        environment=Environment.SIMULATION, directory=folder / "gateway", database_url=database_url, **more
    )
    clock = HandClock()
    gateway = build(settings, clock=clock)
    app = create_app(gateway)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        ends = monotonic() + _START_S
        while not server.started:
            assert thread.is_alive(), "the gateway did not start"
            assert monotonic() < ends, "the gateway takes too long to start"
            thread.join(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        resort = read_resort(RESORT_FILE.read_text(encoding="utf-8"))
        gateway.do("resort.load", LoadedResort(resort))
        here = House(gateway, clock, resort, f"http://127.0.0.1:{port}")
        for name in STAFF:
            gateway.do("staff.add", NewStaff(name, gateway.passwords.hash(PASSWORD), (name,)))
        for edge in ("hotel", "park", "shops"):
            wish, code = new_edge(gateway, edge, edge, gateway.new_id())
            gateway.do("edge.add", wish)
            here.api("POST", "/edges/enrol", {"edge": edge, "code": code, "public_key": KEY})
        yield here
    finally:
        gateway.feed.release()
        server.should_exit = True
        thread.join(10)
