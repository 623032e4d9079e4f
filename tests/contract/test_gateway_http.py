"""The gateway's own routes: health, signing in, size and shape of what comes, how everything that fails looks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy.exc import OperationalError

from gateway.db.rows import GuestRow, SignInCodeRow
from gateway.db.write import write_rows
from gateway.errors import Busy
from tests.support.gateway_http import API, PASSWORD, Doors, Edge, doors, key


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    with doors(database_url, tmp_path, sign_in_failures="4/minute") as made:
        yield made


def test_it_tells_how_it_is_and_what_the_resort_is(house: Doors) -> None:
    assert house.http.get("/healthz").json() == {"state": "alive"}
    assert house.http.get("/readyz").json()["state"] == "ready"
    figures = house.http.get("/metrics").text
    assert 'passband_commands_total{name="resort.load",outcome="answered"} 1.0' in figures
    assert 'route="/readyz",status="200"' in figures
    public = house.http.get(f"{API}/resort").json()
    assert public["name"] == "Lagoon Resort"
    assert "policies" not in public
    assert "rooms" not in public


def test_staff_sign_in_reach_what_their_role_may_and_sign_out(house: Doors) -> None:
    operations = house.staff("operations")

    assert house.http.get(f"{API}/edges", headers=operations).json() == {"edges": []}
    assert house.http.get(f"{API}/edges", headers=house.staff("desk")).status_code == 403
    assert house.http.get(f"{API}/edges").status_code == 401
    assert house.http.post(f"{API}/sign-out", headers=operations).status_code == 204
    assert house.http.get(f"{API}/edges", headers=operations).status_code == 401


@pytest.mark.parametrize(("more_bytes", "status"), [(0, 404), (1, 413)])
def test_a_photo_may_be_as_large_as_a_photo_may_be_whatever_the_form_around_it(
    database_url: str, tmp_path: Path, more_bytes: int, status: int
) -> None:
    with doors(database_url, tmp_path, photo_bytes_max=4096) as house:
        answer = house.http.post(
            f"{API}/photos",
            files={"file": ("plaza.jpg", bytes(4096 + more_bytes), "image/jpeg")},
            data={"photo_point": "nowhere", "token_ids": ["t" * 64] * 40},
            headers=house.staff("photographer") | key(),
        )
        assert answer.status_code == status, answer.text
        assert (answer.json()["code"] == "too_large") == bool(more_bytes)


def test_a_session_ends_by_itself(house: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = house.staff("operations")
    later = house.gateway.clock.now() + timedelta(hours=12, seconds=1)
    monkeypatch.setattr(house.gateway.clock, "now", lambda: later)

    assert house.http.get(f"{API}/edges", headers=operations).status_code == 401


def test_too_many_wrong_passwords_stop_the_right_one_too(house: Doors) -> None:
    def attempt(password: str) -> int:
        wish = {"name": "desk", "password": password}
        return house.http.post(f"{API}/staff/sign-in", json=wish).status_code

    assert [attempt("wrong") for _ in range(4)] == [401] * 4
    assert attempt(PASSWORD) == 429


def test_each_kind_of_sign_in_counts_its_own_mistakes(house: Doors) -> None:
    wrong = {"booking_reference": "H7K2QX", "code": "ABCDEFGH"}
    told = [house.http.post(f"{API}/sign-in", json=wrong) for _ in range(5)]
    assert [each.status_code for each in told] == [401] * 4 + [429]
    assert told[-1].json()["code"] == "too_many_tries"
    assert 0 < int(told[-1].headers["retry-after"]) <= 60
    # The same address goes on: with another booking, as staff, and with an edge that has the right code.
    other = {"booking_reference": guest_code(house, "7KQ2M9XD"), "code": "7KQ2M9XD"}
    assert house.http.post(f"{API}/sign-in", json=other).status_code == 200
    house.http.cookies.clear()
    code = house.announce("park-1", "park")
    edge = Edge(house.http, "park-1")
    guesses = [house.enrol(edge, f"AAAA{number}").status_code for number in range(5)]
    assert guesses == [401] * 4 + [429]
    assert house.enrol(edge, code).status_code == 200


def test_one_address_has_so_many_mistakes_whatever_the_names(database_url: str, tmp_path: Path) -> None:
    with doors(database_url, tmp_path, sign_in_failures_per_address="6/minute") as house:
        told = [
            house.http.post(
                f"{API}/sign-in", json={"booking_reference": f"NOBODY{n}", "code": "X"}
            ).status_code
            for n in range(8)
        ]
        assert told == [401] * 6 + [429] * 2
        assert house.staff("desk")


def test_a_booking_reference_may_be_typed_as_people_type(house: Doors) -> None:
    reference = guest_code(house, "7KQ2M9XD")
    typed = f" {reference[:3].lower()} {reference[3:6]}-{reference[6:].lower()} "
    wish = {"booking_reference": typed, "code": "7kq2 m9xd"}
    assert house.http.post(f"{API}/sign-in", json=wish).status_code == 200


def test_one_address_books_so_often_a_minute_and_the_desk_as_it_needs(
    database_url: str, tmp_path: Path
) -> None:
    with doors(database_url, tmp_path, bookings_per_address="3/minute") as house:
        wish = {
            "product": "none",
            "arrival_day": "2030-01-01",
            "guests": [{"given_name": "A", "family_name": "B"}],
        }

        def book(headers: dict[str, str]) -> Response:
            return house.http.post(f"{API}/bookings", json=wish, headers=headers | key())

        told = [book({}) for _ in range(4)]
        assert [each.status_code for each in told] == [422] * 3 + [429]
        assert told[-1].headers["content-type"] == "application/problem+json"
        assert told[-1].json()["code"] == "too_many_requests"
        assert 0 < int(told[-1].headers["retry-after"]) <= 60
        assert book(house.staff("desk")).status_code == 422


def test_a_gateway_too_busy_to_look_counts_no_failed_try(
    house: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise Busy()

    wish = {"booking_reference": "H7K2QX", "code": "ABCDEFGH"}
    with monkeypatch.context() as rush:
        rush.setattr(house.gateway.conveyor, "call", busy)
        told = [house.http.post(f"{API}/sign-in", json=wish).json()["code"] for _ in range(5)]
    assert told == ["busy"] * 5
    assert house.http.post(f"{API}/sign-in", json=wish).json()["code"] == "sign_in_refused"


def test_a_database_without_a_free_connection_is_told_as_such(
    house: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(Exception):
        sqlstate = "53300"

    def full(*_: object) -> None:
        raise OperationalError("connect", {}, Full("too many clients already"))

    operations = house.staff("operations")
    monkeypatch.setattr("gateway.db.house.edges", full)
    answer = house.http.get(f"{API}/edges", headers=operations)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_an_unknown_name_is_told_the_same_as_a_wrong_password(house: Doors) -> None:
    told = [
        house.http.post(f"{API}/staff/sign-in", json={"name": name, "password": "x"}).json()
        for name in ("desk", "nobody")
    ]
    assert told[0] == told[1]


def guest_code(house: Doors, code: str) -> str:
    """Make a party and give it a one-time code, as the desk does; return its booking reference."""
    from tests.support.gateway_world import MakeParty, NewParty

    service = MakeParty()
    services = dict(house.gateway.conveyor._services)
    services[service.name] = service
    house.gateway.conveyor._services = services
    made = house.gateway.do(service.name, NewParty())
    now = house.gateway.clock.now()
    row = SignInCodeRow(
        house.gateway.new_id(),
        made["party_id"],
        house.gateway.vault.code_hash("sign-in", code),
        now,
        now + timedelta(days=1),
    )
    with house.gateway.database.write() as connection:
        write_rows(connection, [row], [])
    reference: str = made["party_id"][-12:].upper()
    return reference


def test_a_guest_signs_in_once_per_code_and_the_session_is_stored_as_a_hash(house: Doors) -> None:
    wish = {"booking_reference": guest_code(house, "7KQ2M9XD"), "code": "7kq2-m9xd"}
    first = house.http.post(f"{API}/sign-in", json=wish)
    house.http.cookies.clear()
    again = house.http.post(f"{API}/sign-in", json=wish)

    assert first.status_code == 200
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert again.status_code == 401
    assert again.json()["code"] == "sign_in_refused"
    token = first.json()["session_token"]
    with house.gateway.database.read() as connection:
        for table in ("session", "command", "feed_entry", "sign_in_code"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            assert rows
            assert not any(token in str(row) or "7KQ2M9XD" in str(row) for row in rows)
    signed = {"Authorization": f"Bearer {token}"}
    assert house.http.get(f"{API}/edges", headers=signed).status_code == 403


@pytest.mark.parametrize("code", ["7KQ2M9XE", "", "x" * 32, "' OR 1=1 --", "\u0000"])
def test_a_wrong_code_opens_nothing(house: Doors, code: str) -> None:
    reference = guest_code(house, "7KQ2M9XD")
    answer = house.http.post(f"{API}/sign-in", json={"booking_reference": reference, "code": code})

    assert answer.status_code in (401, 422)
    with house.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM session").scalar_one() == 0


def test_a_page_of_another_site_cannot_use_the_cookie(house: Doors) -> None:
    house.http.post(f"{API}/staff/sign-in", json={"name": "operations", "password": PASSWORD})
    wish = {"id": "park", "venue": "park"}
    for headers in ({}, {"Origin": "https://evil.example"}, {"X-Passband": "0"}):
        answer = house.http.post(f"{API}/edges", json=wish, headers=headers | key())
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")
    for headers in ({"Origin": "http://testserver"}, {"X-Passband": "1"}):
        assert house.http.post(f"{API}/edges", json=wish, headers=headers | key()).status_code == 201


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b"[" * 100_000, b'{"id": "a", "venue": }', b"null", b'"text"', b"NaN"]
)
def test_what_is_no_json_or_no_object_is_refused_and_nothing_breaks(house: Doors, body: bytes) -> None:
    headers = house.staff("operations") | key() | {"Content-Type": "application/json"}
    answer = house.http.post(f"{API}/edges", content=body, headers=headers)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(answer.json())
    assert house.http.get("/readyz").status_code == 200


@pytest.mark.parametrize("told", [True, False])
def test_a_body_too_large_is_refused_whether_its_length_is_told_or_not(house: Doors, told: bool) -> None:
    size = house.gateway.settings.body_bytes_max + 1
    content = b" " * size if told else (b" " * 65536 for _ in range(size // 65536 + 1))
    answer = house.http.post(f"{API}/edges", content=content, headers=house.staff("operations") | key())

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("wrong", [None, "short", "x" * 81, "with space", "semi;colon", "ünicode-key"])
def test_a_command_needs_a_sound_idempotency_key(house: Doors, wrong: str | None) -> None:
    headers = house.staff("operations") | ({} if wrong is None else {"Idempotency-Key": wrong.encode()})
    answer = house.http.post(f"{API}/edges", json={"id": "park", "venue": "park"}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def test_the_same_key_gives_the_same_answer_and_another_wish_is_refused(house: Doors) -> None:
    headers = house.staff("operations") | key()
    first = house.http.post(f"{API}/edges", json={"id": "park", "venue": "park"}, headers=headers)
    again = house.http.post(f"{API}/edges", json={"id": "park", "venue": "park"}, headers=headers)
    other = house.http.post(f"{API}/edges", json={"id": "cove", "venue": "cove"}, headers=headers)

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_full_conveyor_says_when_to_come_back(house: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = house.staff("operations") | key()
    monkeypatch.setattr(house.gateway.conveyor, "_queue_max", 0)
    answer = house.http.post(f"{API}/edges", json={"id": "park", "venue": "park"}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (429, "busy")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("DELETE", "/api/v1/resort", 405, "method_not_allowed"),
        ("GET", "/api/v1/feed?after=-1", 422, "invalid"),
        ("GET", "/api/v1/feed?after=99999999999999999999", 422, "unstorable"),
    ],
)
def test_everything_that_fails_is_a_problem(
    house: Doors, method: str, path: str, status: int, code: str
) -> None:
    answer = house.http.request(method, path, headers=house.staff("operations"))

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status


def test_a_text_that_no_database_keeps_is_refused(house: Doors) -> None:
    wish = {"booking_reference": "A\u0000B", "code": "7KQ2M9XD"}
    assert house.http.post(f"{API}/sign-in", json=wish).status_code in (401, 422)
    assert house.http.get("/readyz").status_code == 200


def test_an_error_inside_tells_nothing_of_the_inside(house: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(house.gateway.feed, "resort", broken)
    answer = house.http.get(f"{API}/resort")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret detail" not in answer.text


def test_openapi_describes_the_problems_of_each_route(house: Doors) -> None:
    described = house.http.get(f"{API}/openapi.json").json()

    assert {"code", "detail", "status"} <= set(described["components"]["schemas"]["Problem"]["properties"])
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            problem = operation["responses"]["422"]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}, (path, method)
            assert operation.get("description") or operation.get("summary")
    text = json.dumps(described)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(described["components"]["schemas"])


def test_the_guest_behind_a_token_is_named_in_no_entry_of_the_feed(house: Doors) -> None:
    guest_code(house, "7KQ2M9XD")
    with house.gateway.database.read() as connection:
        bodies = " ".join(connection.exec_driver_sql("SELECT body FROM feed_entry").scalars())
        answers = " ".join(connection.exec_driver_sql("SELECT answer FROM command").scalars())
    assert bodies
    for personal in ("Ada", "Marsh", "ada@example.org"):
        assert personal not in bodies
        assert personal not in answers
    assert GuestRow.__dataclass_fields__.keys() == {"id", "party_id", "token_id", "child", "lead"}
