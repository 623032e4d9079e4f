"""A session of staff is worth what the account is worth now: its roles, its password, and whether it is open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.auth import Passwords
from gateway.db.house import staff_named
from gateway.services.staff import FormerStaff, NewStaff
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
