"""Who may open which page, what foreign pages may do (nothing), and how errors look."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from gateway.web import live
from gateway.web.rendering import CONTENT_SECURITY_POLICY
from tests.browser.conftest import DESK, Stay, Visitors
from tests.support.web_house import house

pytestmark = pytest.mark.browser
GUEST = (
    "/app",
    "/app/find",
    "/app/picks",
    "/app/pass",
    "/app/photos",
    "/app/folio",
    "/app/tokens",
    "/app/live",
)
DESKS = ("/staff/parties/{party}", "/staff/parties/{party}?kind=taps")
OPERATIONS = ("/staff/conflicts",)
PHOTOGRAPHER = ("/photo",)
ALLOWED = {"guest": GUEST, "desk": DESKS, "operations": OPERATIONS, "photographer": PHOTOGRAPHER}


def client(stay: Stay, who: str) -> httpx.Client:
    """Return a client with someone's cookie, as a browser sends it."""
    house = stay.house
    if who == "guest":
        told = house.api("POST", f"/parties/{stay.family.party_id}/sign-in-codes", {}, "desk")
        body = {"booking_reference": stay.family.reference, "code": told["code"]}
        token = house.api("POST", "/sign-in", body)["session_token"]
    else:
        token = house.session(who) if who else ""
    cookies = {"passband_session": token} if token else {}
    return httpx.Client(base_url=house.url, cookies=cookies, headers={"accept": "text/html"}, trust_env=False)


@pytest.mark.parametrize("who", ["", "guest", "desk", "operations", "photographer"])
def test_each_page_opens_for_its_roles_alone(stay: Stay, who: str) -> None:
    with client(stay, who) as someone:
        for role, paths in ALLOWED.items():
            for path in paths:
                if path == "/app/live" and who == "guest":
                    continue  # a stream that opens does not end
                answer = someone.get(path.format(party=stay.family.party_id))
                if not who:
                    area = "/app" if role == "guest" else "/staff"
                    assert answer.status_code == 303
                    assert answer.headers["location"].startswith(f"{area}/sign-in")
                else:
                    assert answer.status_code == (200 if who == role else 403), (who, path)
                    assert answer.headers["content-type"].startswith("text/html")


def test_each_page_has_a_strict_policy_and_is_kept_by_nobody(stay: Stay) -> None:
    with client(stay, "guest") as guest:
        for path in ("/app", "/app/find", "/staff/sign-in", "/workbench", "/nothing-here", "/staff"):
            answer = guest.get(path)
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_is_signed_in_is_led_past_the_sign_in(stay: Stay) -> None:
    homes = {"guest": ("/app", "/app"), "desk": ("/staff", "/staff"), "photographer": ("/staff", "/photo")}
    for who, (area, home) in homes.items():
        with client(stay, who) as someone:
            answer = someone.get(f"{area}/sign-in")
            assert (answer.status_code, answer.headers["location"]) == (303, home), who
            answer = someone.get(f"{area}/sign-in?next=https://elsewhere.example")
            assert answer.headers["location"] == home
    with client(stay, "") as stranger:
        assert stranger.get("/app/sign-in").status_code == 200


def test_anothers_things_do_not_exist(stay: Stay) -> None:
    forms = {
        f"/app/media/{stay.strange_phone}/turn-off": {},
        f"/app/tokens/{stay.strangers.tokens[0]}/pin": {"pin": "1234"},
        "/app/picks/cancel": {"reservation": stay.strangers.tokens[0]},
        "/app/pass": {"token": stay.strangers.tokens[0]},
    }
    with client(stay, "guest") as guest:
        for path, form in forms.items():
            data = {"command_id": "a-command-of-mine", **form}
            answer = guest.post(path, data=data, headers={"origin": stay.house.url})
            assert answer.status_code == 404, path
            assert "Nothing here" in answer.text
        page = guest.get(f"/app/pass?guest={stay.strangers.tokens[0]}").text
        assert "Abernathy" not in page


def test_a_form_of_a_foreign_page_does_nothing(stay: Stay) -> None:
    with client(stay, "guest") as guest:
        for origin in ({}, {"origin": "https://elsewhere.example"}, {"origin": "null"}):
            form = {"command_id": "a-foreign-command"}
            answer = guest.post(f"/app/media/{stay.phone}/turn-off", data=form, headers=origin)
            assert answer.status_code == 403
            body = {
                "booking_reference": stay.family.reference,
                "code": "X",
                "command_id": "a-foreign-command",
            }
            assert guest.post("/app/sign-in", data=body, headers=origin).status_code == 403
    party = stay.house.api("GET", f"/parties/{stay.family.party_id}", who="desk")
    media = [each for guest in party["guests"] for each in guest["media"] if each["medium_id"] == stay.phone]
    assert [each["state"] for each in media] == ["active"]


def test_the_same_form_twice_counts_once(stay: Stay) -> None:
    form = {"command_id": "one-press-of-a-button", "token": stay.family.tokens[3], "guest": ""}
    with client(stay, "guest") as guest:
        for _ in range(2):
            assert guest.post("/app/pass", data=form, headers={"origin": stay.house.url}).status_code == 303
    party = stay.house.api("GET", f"/parties/{stay.family.party_id}", who="desk")
    (ondine,) = [each for each in party["guests"] if each["token_id"] == stay.family.tokens[3]]
    assert len(ondine["media"]) == 1


@pytest.mark.parametrize(
    "elsewhere", ["//elsewhere.example/app", "https://elsewhere.example", "/app//x", "/app\\x"]
)
def test_signing_in_sends_nobody_elsewhere(stay: Stay, elsewhere: str) -> None:
    told = stay.house.api("POST", f"/parties/{stay.family.party_id}/sign-in-codes", {}, "desk")
    form = {
        "booking_reference": stay.family.reference,
        "code": told["code"],
        "next": elsewhere,
        "command_id": "a-sign-in-form",
    }
    with client(stay, "") as someone:
        answer = someone.post("/app/sign-in", data=form, headers={"origin": stay.house.url})
    assert answer.headers["location"] == "/app"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_an_error_page_says_what_to_do_and_is_accessible(stay: Stay, visitors: Visitors) -> None:
    someone = visitors.come(DESK)
    page = someone.open("/app/nothing-here")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    someone.faults.clear()
    someone.check()
    page.get_by_role("link", name="Back to start").click()
    expect(page).to_have_url(re.compile("/app/sign-in"))


def test_a_page_works_without_a_script(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come(java_script_enabled=False)
    guest.sign_in(stay.family)
    page = guest.open("/app/find?day=2030-06-11")
    page.get_by_role("group", name="Times for The Falls").get_by_role("radio").nth(6).check(force=True)
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_text("Your times are booked")).to_be_visible()


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("localhost:8701", 200), ("[::1]:8701", 200), ("192.0.2.7", 200),
     ("rebound.example", 403), ("rebound.example:8701", 403), ("localhost.rebound.example", 403)],
)  # fmt: skip
def test_the_workbench_answers_to_no_foreign_name(stay: Stay, host: str, status: int) -> None:
    headers = {"host": host, "accept": "text/html"}
    answer = httpx.get(f"{stay.house.url}/workbench", headers=headers, trust_env=False)
    assert answer.status_code == status
    headers |= {"origin": f"http://{host}"}
    form = {"command_id": f"press-at-{host}", "link": "park:cut", "reader": "gate-1", "medium": "nobody"}
    for path in ("/workbench/taps", "/workbench/pins", "/workbench/links"):
        answer = httpx.post(stay.house.url + path, data=form, headers=headers, trust_env=False)
        assert (answer.status_code == 403) is (status == 403), path
    if status == 403:
        answer = httpx.get(f"{stay.house.url}/workbench/live", headers=headers, trust_env=False)
        assert answer.status_code == 403


@pytest.mark.parametrize("who", ["guest", "desk"])
@pytest.mark.parametrize("by", ["page", "api"])
def test_a_stream_ends_with_its_session(
    stay: Stay, who: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "api":
        monkeypatch.setattr(live, "WAIT_S", 0.2)  # how soon a stream looks whether its session still is
    stay.house.sessions.pop(who, None)
    area = "/app" if who == "guest" else "/staff"
    with client(stay, who) as someone, someone.stream("GET", f"{area}/live") as stream:
        assert stream.status_code == 200
        if by == "page":
            form = {"command_id": f"leave-{who}"}
            with_origin = {"origin": stay.house.url}
            assert someone.post(f"{area}/sign-out", data=form, headers=with_origin).status_code == 303
        else:
            assert someone.post("/api/v1/sign-out", headers={"x-passband": "1"}).status_code == 204
        told = [line for line in stream.iter_lines() if line.startswith("data:")]
        assert '"signed_out"' in told[-1], "the stream has ended, and said why"
    stay.house.sessions.pop(who, None)


def test_an_error_page_is_shown_when_the_database_is_gone(tmp_path: Path) -> None:
    with house(tmp_path) as here:
        database = tmp_path / "gateway/gateway.sqlite"

        def look(path: str) -> httpx.Response:
            return httpx.get(here.url + path, headers={"accept": "text/html"}, trust_env=False)

        assert look("/app/sign-in").status_code == 200
        here.gateway.database.close()
        database.rename(tmp_path / "away.sqlite")
        database.mkdir()  # where a directory is, no database can be opened
        for path in ("/workbench", "/app?x", "/nothing-here"):
            cookies = {"cookie": "passband_session=some-token", "accept": "text/html"}
            answer = httpx.get(here.url + path, headers=cookies, trust_env=False)
            assert answer.status_code in (404, 500), path
            assert answer.headers["content-type"].startswith("text/html"), path
            assert "Back to start" in answer.text
            assert "Lagoon Bay Resort" in answer.text, "what was known last"
        database.rmdir()
        (tmp_path / "away.sqlite").rename(database)
