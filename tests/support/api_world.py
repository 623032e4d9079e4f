"""The gateway over HTTP with the reference resort: a client, who is signed in, and an edge that signs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import Response
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.auth import token_hash
from gateway.bootstrap import build
from gateway.services.edge import Enrolment, NewEdge
from gateway.services.resort import LoadedResort
from gateway.services.session import StaffSignIn
from gateway.settings import Environment, Settings
from tests.support.guests_world import ARRIVAL, NAMES, StillClock, World
from tests.support.resort_world import RESORT
from wallet.signing import sign_request


@dataclass
class Api:
    """Whoever asks: a guest, staff, or nobody when `token` is empty."""

    client: TestClient
    world: World
    token: str = ""

    def get(self, path: str, **params: Any) -> Response:
        return self.client.get(f"/api/v1{path}", params=params, headers=self._headers())

    def post(self, path: str, body: Any = None, key: str = "") -> Response:
        return self.client.post(f"/api/v1{path}", json=body, headers=self._headers(key or self._key()))

    def put(self, path: str, body: Any, key: str = "") -> Response:
        return self.client.put(f"/api/v1{path}", json=body, headers=self._headers(key or self._key()))

    def staff(self, *roles: str) -> "Api":
        token = f"staff token {'-'.join(roles)}"
        expires_at = self.world.clock.at + timedelta(days=900)
        self.world.gateway.do(
            "session.open_staff", StaffSignIn(roles[0], roles, token_hash(token), expires_at)
        )
        return Api(self.client, self.world, token)

    def guest(self, booking: dict[str, Any]) -> "Api":
        wish = {"booking_reference": booking["booking_reference"], "code": booking["sign_in_code"]}
        answer = self.client.post("/api/v1/sign-in", json=wish)
        self.client.cookies.clear()
        assert answer.status_code == 200, answer.text
        return Api(self.client, self.world, answer.json()["session_token"])

    def book(self, product: str = "family-package", guests: int = 4, **more: Any) -> dict[str, Any]:
        people = [
            {"given_name": NAMES[n % 4], "family_name": NAMES[-1], "email": f"{NAMES[4]}@example.org"}
            for n in range(guests)
        ]
        wish = {"product": product, "arrival_day": str(ARRIVAL), "guests": people, "plate": "9876 QRS"} | more
        answer = self.post("/bookings", wish)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def _key(self) -> str:
        return f"api-test-{next(self.world.numbers)}"

    def _headers(self, key: str = "") -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return headers | ({"Idempotency-Key": key} if key else {})


class EdgeApi:
    """An enrolled edge whose requests are signed."""

    def __init__(self, api: Api, edge: str, venue: str) -> None:
        self._api, self._edge = api, edge
        self._private = Ed25519PrivateKey.from_private_bytes(edge.encode().ljust(32, b"."))
        public = self._private.public_key().public_bytes_raw().hex()
        api.world.gateway.do("edge.add", NewEdge(edge, venue, "hash"))
        api.world.gateway.do("edge.enrol", Enrolment(edge, "hash", public))

    def get(self, target: str) -> Response:
        return self._send("GET", f"/api/v1{target}", b"", {})

    def post(self, target: str, body: Any, key: str = "") -> Response:
        number = next(self._api.world.numbers)
        headers = {"Idempotency-Key": key or f"edge-test-{number}", "Content-Type": "application/json"}
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self._send("POST", f"/api/v1{target}", data, headers)

    def _send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Response:
        nonce = next(self._api.world.numbers).to_bytes(16, "big")
        signed = sign_request(
            method,
            target,
            body,
            key=self._private,
            key_id=self._edge,
            at=self._api.world.clock.at,
            nonce=nonce,
        )
        return self._api.client.request(method, target, content=body, headers=headers | signed)


@contextmanager
def api(url: str, folder: Path) -> Iterator[Api]:
    clock = StillClock()
    settings = Settings(environment=Environment.SIMULATION, directory=folder / "gateway", database_url=url)
    gateway = build(settings, clock=clock)
    with TestClient(create_app(gateway), raise_server_exceptions=False) as client:
        gateway.do("resort.load", LoadedResort(RESORT))
        yield Api(client, World(gateway, clock, count()))
