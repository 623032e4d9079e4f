"""The phone's pass in a real browser: its key, its codes, without a network, and nothing left after signing out."""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stay, Visitor, Visitors
from tests.support.web_house import Family
from wallet import phone, qr
from wallet.credential import Credential, medium_tag, open_credential

pytestmark = pytest.mark.browser
TURN_MS = 8000
"""More than a code is shown: half of the 15 s in which it is taken."""
KEPT = """async () => {
    const names = (await indexedDB.databases()).map((each) => each.name);
    const caches_ = await caches.keys();
    const workers = await navigator.serviceWorker.getRegistrations();
    return [...names, ...caches_, ...workers.map((each) => each.scope)];
}"""


@pytest.fixture
def family(stay: Stay) -> Iterator[Family]:
    """A family of each test's own; its rooms are free again afterwards."""
    family = stay.house.book()
    yield family
    stay.house.api("POST", f"/parties/{family.party_id}/cancel", {}, "desk")


def signed_in(visitors: Visitors, family: Family, **options: Any) -> Visitor:
    guest = visitors.come(**options)
    guest.page.clock.install()
    guest.sign_in(family)
    return guest


def set_up(guest: Visitor) -> Page:
    page = guest.open("/app/pass")
    page.get_by_role("button", name="Set up the pass on this phone").click()
    expect(live(page)).to_have_attribute("data-state", "live")
    return page


def live(page: Page) -> Any:
    return page.locator("#pass-live")


def next_code(page: Page) -> str:
    """Let the phone show its next code, and return the text that a scanner reads from the screen."""
    code = page.get_by_role("img", name="Pass code")
    before = code.inner_html()
    page.clock.run_for(TURN_MS)
    expect(code).not_to_have_js_property("innerHTML", before)
    return scanned(page)


def scanned(page: Page) -> str:
    picture = Image.open(io.BytesIO(page.get_by_role("img", name="Pass code").screenshot()))
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1, "a scanner reads exactly one code"
    return str(found[0].text)


def checked(stay: Stay, text: str) -> tuple[phone.PhoneCode, Credential]:
    """Check a code as an edge does without a network, and return it with its claims."""
    code = phone.decode(qr.decode(text))
    public = stay.house.gateway.issuer.public_keys()
    keys = {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in public.items()}
    claims = open_credential(code.credential, keys, "")
    phone.check(code, claims.device_key)
    return code, claims


def test_a_phone_signs_a_new_code_every_few_seconds(stay: Stay, visitors: Visitors, family: Family) -> None:
    guest = signed_in(visitors, family)
    page = set_up(guest)
    (first, claims), (second, again) = checked(stay, scanned(page)), checked(stay, next_code(page))
    assert claims == again
    assert claims.token_id == family.tokens[0]
    assert claims.expires_at == stay.house.clock.at + timedelta(days=1)
    assert first.code_id != second.code_id
    # Of the gateway's time, though this browser's clock is years off.
    assert timedelta(0) <= first.shown_at - stay.house.clock.at < timedelta(seconds=30)
    assert timedelta(seconds=5) <= second.shown_at - first.shown_at <= timedelta(seconds=10)
    told = stay.house.api("GET", f"/tokens/{family.tokens[0]}/pass", who="desk")
    assert (told["qr"], told["device_key"]) == (None, claims.device_key.hex())
    guest.check()


def test_the_key_stays_over_a_reload_and_leaves_the_phone_never(
    visitors: Visitors, family: Family, stay: Stay
) -> None:
    page = set_up(signed_in(visitors, family))
    key = checked(stay, scanned(page))[1].device_key
    page.reload()
    expect(live(page)).to_have_attribute("data-state", "live")
    assert checked(stay, scanned(page))[1].device_key == key
    taken = page.evaluate(
        """async () => {
            const { passes } = await import("/static/pass/store.js");
            const [{ keys }] = await passes();
            return crypto.subtle.exportKey("pkcs8", keys.privateKey).then(() => "taken", (fault) => fault.name);
        }"""
    )
    assert taken == "InvalidAccessError"


def test_without_a_network_the_page_opens_and_the_codes_go_on(
    stay: Stay, visitors: Visitors, family: Family
) -> None:
    guest = signed_in(visitors, family)
    page = set_up(guest)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    guest.context.set_offline(True)
    checked(stay, next_code(page))
    expect(live(page)).to_have_attribute("data-state", "offline")
    page.goto(page.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Quillon")
    expect(page.get_by_role("status").filter(has_text="No connection, and none needed")).to_be_visible()
    expect(page.get_by_text("Works without a connection until")).to_contain_text("11 Jun, 12:00")
    first, second = checked(stay, scanned(page))[0], checked(stay, next_code(page))[0]
    assert second.shown_at > first.shown_at
    guest.check()
    guest.context.set_offline(False)
    expect(live(page)).to_have_attribute("data-state", "live")


def test_what_has_expired_shows_no_code_until_it_is_online_once(
    stay: Stay, visitors: Visitors, family: Family
) -> None:
    guest = signed_in(visitors, family)
    page = set_up(guest)
    guest.context.set_offline(True)
    page.clock.fast_forward(24 * 3600 * 1000 + TURN_MS)
    expect(live(page)).to_have_attribute("data-state", "expired")
    expect(page.get_by_role("status").filter(has_text="go online")).to_be_visible()
    assert page.locator("[data-pass=code] svg").count() == 0
    guest.context.set_offline(False)
    expect(live(page)).to_have_attribute("data-state", "live")
    checked(stay, scanned(page))


def test_a_second_phone_is_refused_the_first_ones_pass(
    stay: Stay, visitors: Visitors, family: Family
) -> None:
    medium = stay.house.add_phone(family.tokens[0])
    page = signed_in(visitors, family).open("/app/pass")
    expect(live(page)).to_have_attribute("data-state", "live")  # the desk had added it: this phone takes it
    first = checked(stay, scanned(page))[1]
    other = signed_in(visitors, family).open("/app/pass")
    expect(other.get_by_role("button", name="Set up the pass on this phone")).to_be_visible()
    said = other.evaluate(
        """async (medium) => {
            const { prepare, renew } = await import("/static/pass/gateway.js");
            const record = await prepare(document.getElementById("pass-live").dataset, medium);
            return renew(record).then(() => "taken", (problem) => problem.message);
        }""",
        medium,
    )
    assert said == "This pass belongs to another phone. Turn that one off, and add this phone as a new one."
    other.get_by_role("button", name="Set up the pass on this phone").click()
    expect(live(other)).to_have_attribute("data-state", "live")
    second = checked(stay, scanned(other))[1]
    assert (first.token_id, first.medium_tag, first.device_key) != (
        second.token_id,
        second.medium_tag,
        second.device_key,
    )
    assert first.token_id == second.token_id


def test_to_look_at_anothers_pass_takes_no_phone_until_it_is_asked_for(
    stay: Stay, visitors: Visitors, family: Family
) -> None:
    medium, path = stay.house.add_phone(family.tokens[1]), f"/tokens/{family.tokens[1]}/pass"
    guests = stay.house.api("GET", f"/parties/{family.party_id}", who="desk")["guests"]
    other = next(each["guest_id"] for each in guests if each["token_id"] == family.tokens[1])
    page = signed_in(visitors, family).open(f"/app/pass?guest={other}")
    button = page.get_by_role("button", name="Set up the pass on this phone")
    expect(button).to_be_visible()
    assert stay.house.api("GET", path, who="desk")["device_key"] is None, "it waits for its own guest"
    button.click()
    expect(live(page)).to_have_attribute("data-state", "live")
    claims = checked(stay, scanned(page))[1]
    assert claims.medium_tag == medium_tag(medium), "the phone that was waiting, and no second one"
    assert stay.house.api("GET", path, who="desk")["device_key"] == claims.device_key.hex()


@pytest.mark.parametrize(
    ("code", "kept"), [("visit_over", 1), ("device_key_set", 0), ("medium_revoked", 0), ("no_phone", 0)]
)
def test_a_refusal_costs_the_phone_its_key_only_where_that_is_good_for_nothing(
    visitors: Visitors, family: Family, code: str, kept: int
) -> None:
    page = set_up(signed_in(visitors, family))
    problem = {"code": code, "title": "Conflict", "status": 409, "detail": "No."}
    page.route(
        "**/pass?medium_id=*",
        lambda route: route.fulfill(status=409, json=problem, content_type="application/problem+json"),
    )
    with page.expect_response("**/pass?medium_id=*"):
        page.evaluate("dispatchEvent(new Event('online'))")
    expect(live(page)).to_have_attribute("data-state", "live" if kept else "setup")
    passes = "import('/static/pass/store.js').then(({ passes }) => passes()).then((all) => all.length)"
    assert page.evaluate(passes) == kept


def test_a_pass_that_was_turned_off_is_shown_no_more(stay: Stay, visitors: Visitors, family: Family) -> None:
    medium = stay.house.add_phone(family.tokens[0])
    page = signed_in(visitors, family).open("/app/pass")
    expect(live(page)).to_have_attribute("data-state", "live")
    stay.house.api("POST", f"/media/{medium}/revoke", {}, "desk")
    expect(live(page)).to_have_attribute("data-state", "setup")
    assert page.locator("[data-pass=code] svg").count() == 0


def test_signing_out_leaves_nothing_on_the_phone(visitors: Visitors, family: Family) -> None:
    guest = signed_in(visitors, family)
    page = set_up(guest)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    assert len(page.evaluate(KEPT)) == 3
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/app/sign-in?done=signed-out")
    assert page.evaluate(KEPT) == []


def test_the_kept_page_names_nobody_and_no_answer_of_the_api_is_kept(
    visitors: Visitors, family: Family
) -> None:
    page = set_up(signed_in(visitors, family))
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.reload()
    expect(live(page)).to_have_attribute("data-state", "live")
    kept = page.evaluate(
        """async () => {
            const cache = await caches.open((await caches.keys())[0]);
            const shell = await (await cache.match("/app/pass-shell")).text();
            return [(await cache.keys()).map((each) => new URL(each.url).pathname), shell];
        }"""
    )
    assert all(path == "/app/pass-shell" or path.startswith("/static/") for path in kept[0])
    assert "Quillon" not in kept[1]
    assert not any(token in kept[1] for token in family.tokens)


def test_a_clock_that_is_off_is_told_and_allowed_for(stay: Stay, visitors: Visitors, family: Family) -> None:
    guest = visitors.come()
    guest.page.clock.install(time=stay.house.clock.at - timedelta(minutes=3))
    guest.sign_in(family)
    page = set_up(guest)
    hint = page.get_by_text("clock is 3 minutes behind the resort’s")
    expect(hint).to_be_visible()
    assert abs(checked(stay, scanned(page))[0].shown_at - stay.house.clock.at) < timedelta(seconds=30)
    page.clock.set_system_time(datetime.fromisoformat(stay.house.clock.at.isoformat()))
    page.reload()
    expect(live(page)).to_have_attribute("data-state", "live")
    expect(hint).not_to_be_visible()


@pytest.mark.parametrize("options", [{"java_script_enabled": False}, {}], ids=["no script", "no key store"])
def test_a_browser_that_keeps_no_key_gets_a_drawn_code(
    visitors: Visitors, family: Family, stay: Stay, options: dict[str, Any]
) -> None:
    stay.house.add_phone(family.tokens[0])
    guest = visitors.come(**options)
    if not options:
        guest.page.add_init_script("Object.defineProperty(window, 'isSecureContext', { get: () => false })")
    guest.sign_in(family)
    page = guest.open("/app/pass")
    page.wait_for_url("**drawn=1")
    claims = open_credential(
        qr.decode(scanned(page)),
        {
            name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            for name, key in stay.house.gateway.issuer.public_keys().items()
        },
        "",
    )
    assert (claims.device_key, claims.expires_at - claims.issued_at) == (b"", timedelta(seconds=30))
