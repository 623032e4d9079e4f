"""Who hangs up in the middle of a request has made a mistake of their own, or none: never one of ours."""

import logging
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway_http import API, doors

_HEADERS = (
    (b"signature-input", b'sig1=("@method");created=1;keyid="x"'),
    (b"content-length", b"500"),
    (b"content-type", b"application/x-www-form-urlencoded"),
    (b"origin", b"http://testserver"),
    (b"host", b"testserver"),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"{API}/edge/journal"), ("GET", f"{API}/edge/feed"), ("POST", "/app/sign-in")],
)
def test_who_hangs_up_in_the_middle_of_a_body_is_no_error_of_ours(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    arriving = [{"type": "http.request", "body": b"{  }", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return arriving.pop(0) if len(arriving) > 1 else arriving[0]

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": list(_HEADERS),
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
    }
    with doors(database_url, tmp_path) as house:
        assert house.http.portal is not None
        house.http.portal.call(house.http.app, scope, receive, send)
        figures = house.http.get("/metrics").text

    assert sent[0]["status"] == 499
    assert 'status="499"' in figures
    assert 'status="500"' not in figures
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
