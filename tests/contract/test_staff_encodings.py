"""The desk's page writes a party in one go, and tells whose band is next."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.api.deps import COOKIE
from tests.contract.test_chip_keys import issued
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import NAMES


@pytest.fixture
def desk(databases, tmp_path: Path) -> Iterator[Api]:
    with api(databases.sqlite(tmp_path), tmp_path) as made:
        yield made.staff("desk")


def queue(desk: Api, party: str) -> list[tuple[str, str]]:
    """Return (guest, badge) of each line at the encoder, as the page shows them."""
    desk.client.cookies.set(COOKIE, desk.token)
    page = desk.client.get(f"/staff/parties/{party}", headers={"Accept": "text/html"}).text
    desk.client.cookies.clear()
    (shown,) = re.findall(r'<ol[^>]*id="encoder-queue".*?</ol>', page, re.DOTALL)
    lines = shown.split("<li")[1:]
    badge = re.compile(r'class="badge[^"]*">(?:<svg.*?</svg>)?([^<]+)<', re.DOTALL)
    return [
        (re.findall(r'class="strong">([^,]+),', line)[0], "".join(badge.findall(line)).strip())
        for line in lines
    ]


def test_the_desk_writes_everyone_and_sees_who_is_next(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    party = booking["party_id"]
    assert queue(desk, party) == []
    desk.client.cookies.set(COOKIE, desk.token)
    form = {"token": "party", "kind": "band", "encoder": "encoder-desk", "command_id": "one-go-1"}
    origin = {"Origin": "http://testserver"}
    sent = desk.client.post(
        f"/staff/parties/{party}/encodings", data=form, headers=origin, follow_redirects=False
    )
    desk.client.cookies.clear()
    assert sent.status_code == 303
    names = list(NAMES[:4])
    assert queue(desk, party)[0] == (names[0], "Next")
    assert sorted(guest for guest, _ in queue(desk, party)) == sorted(names)
    assert [badge for _, badge in queue(desk, party)[1:]] == ["", "", ""]
    first, second = (each["encoding_id"] for each in edge.get("/edge/encodings").json()["encodings"][:2])
    issued(edge, first)
    assert queue(desk, party)[0] == (names[0], "Being written")
    edge.post(f"/edge/encodings/{first}/confirm", {"ok": True})
    assert [badge for _, badge in queue(desk, party)] == ["Next", "", ""]
    assert second in {each["encoding_id"] for each in edge.get("/edge/encodings").json()["encodings"]}
