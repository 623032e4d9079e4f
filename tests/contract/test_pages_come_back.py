"""A page that says "not now" says when, whoever answered: the API under it, and in which way the page shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response

from gateway.services.staff import FormerStaff
from tests.support.gateway_http import PASSWORD, Doors, doors

HTML = {"accept": "text/html", "origin": "http://testserver"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Doors]:
    with doors(f"sqlite:///{tmp_path / 'gateway.sqlite'}", tmp_path, sign_in_failures="1/minute") as made:
        yield made


def sign_in(house: Doors, password: str) -> Response:
    form = {"command_id": "sign-in-form", "name": "desk", "password": password}
    return house.http.post("/staff/sign-in", data=form, headers=HTML, follow_redirects=False)


def test_a_sign_in_page_says_when_to_try_again(house: Doors) -> None:
    wrong, locked = sign_in(house, "wrong"), sign_in(house, PASSWORD)
    assert (wrong.status_code, "retry-after" in wrong.headers) == (401, False)
    assert locked.status_code == 429
    assert locked.headers["content-type"].startswith("text/html")
    assert 1 < int(locked.headers["retry-after"]) <= 60


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_full_conveyor_says_so_through_a_page_too(
    house: Doors, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    headers = house.staff("photographer") | HTML | {"accept": accept, "x-passband": "1"}
    house.http.cookies.set("passband_session", headers.pop("Authorization").removeprefix("Bearer "))
    monkeypatch.setattr(house.gateway.conveyor, "_queue_max", 0)
    form = {"command_id": "claim-card-1", "photo": "a photo"}
    answer = house.http.post("/photo/cards", data=form, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.headers["content-type"].startswith("text/html") is (accept == "text/html")


def test_a_refusal_for_good_names_no_time(house: Doors) -> None:
    house.gateway.do("staff.close", FormerStaff("desk"))
    refused = sign_in(house, PASSWORD)
    assert (refused.status_code, "retry-after" in refused.headers) == (401, False)
