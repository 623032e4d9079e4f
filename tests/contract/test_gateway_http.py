"""The gateway's own routes over HTTP: signing in, edges, the feed, and how everything that fails looks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.bootstrap import Gateway, build
from gateway.services.resort import LoadedResort
from gateway.services.staff import NewStaff
from gateway.settings import Environment, Settings
from tests.support.gateway_world import RESORT

PASSWORD = "a long enough password"


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Gateway:
    settings = Settings(
        environment=Environment.SIMULATION, directory=tmp_path / "gw", database_url=database_url
    )
    return build(settings)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[TestClient]:
    with TestClient(create_app(gateway), raise_server_exceptions=False) as client:
        gateway.do("resort.load", LoadedResort(RESORT))
        for role in ("desk", "operations", "photographer"):
            gateway.do("staff.add", NewStaff(role, gateway.passwords.hash(PASSWORD), (role,)))
        yield client


def headers(client: TestClient, role: str) -> dict[str, str]:
    answer = client.post("/api/v1/staff/sign-in", json={"name": role, "password": PASSWORD})
    client.cookies.clear()
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['session_token']}"}


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"state": "alive"}
    assert client.get("/readyz").json()["state"] == "ready"
    assert "passband_feed_position" in client.get("/metrics").text
    assert client.get("/api/v1/resort").json()["name"] == "Lagoon Resort"


def test_staff_sign_in_and_out(client: TestClient) -> None:
    signed = headers(client, "operations")
    assert client.get("/api/v1/edges", headers=signed).json() == {"edges": []}
    assert client.get("/api/v1/edges", headers=headers(client, "desk")).status_code == 403
    assert client.get("/api/v1/edges").status_code == 401
    assert client.post("/api/v1/sign-out", headers=signed).status_code == 204
    assert client.get("/api/v1/edges", headers=signed).status_code == 401
