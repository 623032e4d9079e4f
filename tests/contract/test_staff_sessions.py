"""A session of staff is worth what the account is worth now: its roles, its password, and whether it is open."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sse_starlette import ServerSentEvent

from gateway.auth import Passwords
from gateway.db.feed import FeedEntry
from gateway.db.house import staff_named
from gateway.services.staff import FormerStaff, NewStaff
from gateway.web import live
from tests.support.gateway_http import API, PASSWORD, Doors, doors


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    with doors(database_url, tmp_path) as made:
        yield made


def test_a_session_has_the_roles_of_now_and_ends_when_staff_is_closed(house: Doors) -> None:
    session = house.staff("operations")
    with house.gateway.database.read() as connection:
        known = staff_named(connection, "operations")
    assert known is not None

    def reaches(path: str) -> int:
        return house.http.get(f"{API}{path}", headers=session).status_code

    assert (reaches("/edges"), reaches("/parties?q=nobody")) == (200, 403)
    house.gateway.do("staff.add", NewStaff("operations", known.password_hash, ("desk",)))
    assert (reaches("/edges"), reaches("/parties?q=nobody")) == (403, 200)
    house.gateway.do("staff.close", FormerStaff("operations"))
    assert (reaches("/edges"), reaches("/parties?q=nobody")) == (401, 401)
    wish = {"name": "operations", "password": PASSWORD}
    assert house.http.post(f"{API}/staff/sign-in", json=wish).status_code == 401
    assert house.staff("desk"), "nobody else is closed with them"


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "only a new password"])
def test_no_session_outlives_the_password_it_was_opened_with(house: Doors, closes: bool) -> None:
    old = house.staff("operations")
    assert house.http.get(f"{API}/edges", headers=old).status_code == 200
    if closes:
        house.gateway.do("staff.close", FormerStaff("operations"))
    again = NewStaff("operations", house.gateway.passwords.hash(PASSWORD), ("operations",))
    house.gateway.do("staff.add", again)
    assert house.http.get(f"{API}/edges", headers=old).status_code == 401
    assert house.http.get(f"{API}/edges", headers=house.staff("operations")).status_code == 200


def test_opened_again_with_the_password_of_before_no_old_session_comes_back(house: Doors) -> None:
    old = house.staff("operations")
    with house.gateway.database.read() as connection:
        known = staff_named(connection, "operations")
    assert known is not None
    house.gateway.do("staff.close", FormerStaff("operations"))
    house.gateway.do("staff.add", NewStaff("operations", known.password_hash, known.roles))
    assert house.http.get(f"{API}/edges", headers=old).status_code == 401


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "another password"])
def test_a_password_that_ends_while_it_is_checked_opens_nothing(
    house: Doors, closes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = house.gateway.passwords
    fits = type(passwords).fits

    def changed_meanwhile(self: Passwords, password_hash: str | None, password: str) -> bool:
        fitting = fits(self, password_hash, password)
        if closes:
            house.gateway.do("staff.close", FormerStaff("operations"))
        else:
            other = NewStaff("operations", passwords.hash("another password"), ("operations",))
            house.gateway.do("staff.add", other)
        return fitting

    monkeypatch.setattr(Passwords, "fits", changed_meanwhile)
    answer = house.http.post(f"{API}/staff/sign-in", json={"name": "operations", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "a new password"])
def test_a_pages_stream_ends_with_the_session_it_was_opened_with(
    house: Doors, closes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations, head = house.staff("operations"), house.gateway.feed.head
    again = NewStaff("operations", house.gateway.passwords.hash(PASSWORD), ("operations",))
    name, wish = ("staff.close", FormerStaff("operations")) if closes else ("staff.add", again)
    began, message = threading.Event(), live.message

    def told_one(entry: FeedEntry) -> ServerSentEvent:
        began.set()
        return message(entry)

    monkeypatch.setattr(live, "message", told_one)
    ending = threading.Thread(target=lambda: began.wait(20) and house.gateway.do(name, wish))
    # Only a stream that does not end by itself gets this far.
    at_last = threading.Timer(20.0, house.gateway.feed.release)
    ending.start()
    at_last.start()
    answer = house.http.get(f"/staff/live?after={head - 1}", headers=operations)
    at_last.cancel()
    ending.join()

    assert not house.gateway.feed.closing
    told = [line for line in answer.text.splitlines() if line.startswith(("id:", "data:"))]
    assert (told[0], told[-1]) == (f"id: {head}", 'data: {"kind":"signed_out"}')
    assert len([line for line in told if line.startswith("id:")]) == 1, "nothing that came after"
