"""A whole gateway behind a test client, with a small resort, staff of each role, and edges that sign like real ones."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx2 import Response
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.bootstrap import Gateway, build
from gateway.clock import SystemEntropy
from gateway.services.resort import LoadedResort
from gateway.services.staff import NewStaff
from gateway.settings import Environment, Settings
from tests.support.gateway_world import RESORT
from wallet.signing import sign_request

PASSWORD = "a long enough password"
API = "/api/v1"
_keys = itertools.count()


def key() -> dict[str, str]:
    """A fresh Idempotency-Key."""
    return {"Idempotency-Key": f"http-test-{next(_keys)}"}


@dataclass
class Edge:
    """An edge's half of the conversation."""

    http: TestClient
    id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def signed(self, method: str, target: str, body: bytes = b"", *, skew_s: float = 0) -> dict[str, str]:
        at = datetime.now(UTC) + timedelta(seconds=skew_s)
        nonce = SystemEntropy().draw(16)
        return sign_request(method, target, body, key=self.key, key_id=self.id, at=at, nonce=nonce)

    def get(self, path: str) -> Response:
        target = f"{API}{path}"
        return self.http.get(target, headers=self.signed("GET", target))


@dataclass
class Doors:
    """A running gateway and a client at its doors."""

    gateway: Gateway
    http: TestClient

    def staff(self, role: str) -> dict[str, str]:
        """Sign in as a member of staff with this role; return the header."""
        answer = self.http.post(f"{API}/staff/sign-in", json={"name": role, "password": PASSWORD})
        self.http.cookies.clear()
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['session_token']}"}

    def announce(self, edge_id: str, venue: str) -> str:
        """Announce an edge; return its code."""
        wish = {"id": edge_id, "venue": venue}
        answer = self.http.post(f"{API}/edges", json=wish, headers=self.staff("operations") | key())
        assert answer.status_code == 201, answer.text
        code: str = answer.json()["enrol_code"]
        return code

    def enrolled(self, edge_id: str, venue: str) -> Edge:
        """Announce and enrol an edge."""
        edge = Edge(self.http, edge_id)
        answer = self.enrol(edge, self.announce(edge_id, venue))
        assert answer.status_code == 200, answer.text
        return edge

    def enrol(self, edge: Edge, code: str, headers: dict[str, str] | None = None) -> Response:
        """Enrol an edge with a code."""
        wish: dict[str, Any] = {"edge": edge.id, "code": code, "public_key": edge.public}
        return self.http.post(f"{API}/edges/enrol", json=wish, headers=headers or key())


@contextmanager
def doors(database_url: str, folder: Path, **options: Any) -> Iterator[Doors]:
    """Run a gateway on a migrated database."""
    settings = Settings(
        environment=Environment.SIMULATION, directory=folder / "gateway", database_url=database_url, **options
    )
    gateway = build(settings)
    with TestClient(create_app(gateway), raise_server_exceptions=False) as client:
        gateway.do("resort.load", LoadedResort(RESORT))
        password = gateway.passwords.hash(PASSWORD)
        for role in ("desk", "operations", "photographer"):
            gateway.do("staff.add", NewStaff(role, password, (role,)))
        yield Doors(gateway, client)
