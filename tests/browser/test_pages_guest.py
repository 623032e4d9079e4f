"""The guest's pages in a real browser: what each shows, its main task by keyboard, and that it is accessible."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Stay, Visitors

pytestmark = pytest.mark.browser
PAGES = {
    "/app": "Hello, Quillon",
    "/app/find": "Find a time",
    "/app/picks": "My picks",
    "/app/pass": "Quillon",
    "/app/photos": "Photos",
    "/app/folio": "Folio",
    "/app/tokens": "Bands, cards, phones",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_is_whole_and_accessible(
    stay: Stay, visitors: Visitors, viewport: dict[str, int], scheme: str
) -> None:
    guest = visitors.come(viewport, color_scheme=scheme)
    guest.open("/app/sign-in")
    guest.check()
    guest.sign_in(stay.family)
    for path, heading in PAGES.items():
        page = guest.open(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        guest.check()


def test_a_wrong_code_says_so_and_keeps_the_reference(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    page = guest.open("/app/sign-in")
    page.get_by_label("Booking reference").fill(stay.family.reference.lower())
    page.get_by_label("One-time code").fill("WRONG")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not fit")
    expect(page.get_by_label("Booking reference")).to_have_value(stay.family.reference)
    guest.check()


def test_today_says_first_what_to_do_now(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    first = guest.page.get_by_role("heading", level=2).first
    expect(first).to_have_text("Galleon")
    expect(guest.page.locator("#today-next")).to_contain_text("Go now")
    expect(guest.page.locator("#today-glance")).to_contain_text("1,311.50")


def test_a_pick_is_booked_and_cancelled_by_keyboard(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    page = guest.open("/app/find?day=2030-06-11")
    tobiah = page.get_by_role("checkbox", name="Tobiah")
    for name in ("Quillon", "Zephyrine", "Ondine"):
        box = page.get_by_role("checkbox", name=name)
        box.focus()
        page.keyboard.press("Space")
        expect(box).not_to_be_checked()
    expect(tobiah).to_be_checked()
    times = page.get_by_role("group", name="Times for The Falls").get_by_role("radio")
    times.first.focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-choice]")).to_have_text(re.compile("The Falls, .* for Tobiah"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/app/picks?done=booked")
    expect(page.get_by_role("status").first).to_contain_text("booked")
    pick = page.get_by_role("listitem").filter(has_text="Falls")
    expect(pick).to_contain_text("Tobiah")
    pick.locator("summary").focus()
    page.keyboard.press("Enter")
    pick.get_by_role("button", name="Cancel the pick").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/app/picks?done=cancelled")
    expect(page.get_by_text("Falls")).to_have_count(0)
    guest.check()


def test_a_refused_booking_says_why_and_books_nobody(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    page = guest.open("/app/find?day=2030-06-10")
    page.get_by_role("group", name="Times for Carousel").get_by_role("radio").first.check(force=True)
    page.get_by_role("button", name="Book this time").click()
    notice = page.locator(".notice").filter(has_text="Not booked")
    expect(notice).to_contain_text("overlaps the return window at Galleon")
    expect(notice).to_contain_text("Quillon")
    guest.check()


def test_the_folio_shows_each_line_with_its_place_and_guest(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    page = guest.open("/app/folio")
    expect(page.locator("#folio-lines")).to_contain_text("Harbour Grill")
    expect(page.locator("#folio-lines")).to_contain_text("1,290.00")
    expect(page.locator("#folio-balance")).to_contain_text("1,311.50")


def test_the_pass_shows_a_code_that_renews_itself(stay: Stay, visitors: Visitors) -> None:
    # A phone without a key of its own: another page of these tests may have bound the one before.
    stay.house.add_phone(stay.family.tokens[0])
    guest = visitors.come()
    guest.page.clock.install()
    guest.sign_in(stay.family)
    page = guest.open("/app/pass?drawn=1")
    code = page.get_by_role("img", name="Pass code of Quillon")
    expect(code).to_be_visible()
    before = code.inner_html()
    stay.house.clock.at = stay.house.clock.at.replace(second=30)
    with page.expect_response(lambda answer: answer.url.endswith("/app/pass?drawn=1")):
        page.clock.fast_forward(61_000)
    expect(code).not_to_have_js_property("innerHTML", before)
    page.goto(page.url + "&guest=" + _guest_of(page, "Tobiah"))
    expect(page.get_by_role("button", name="Set up the pass")).to_be_visible()
    guest.check()


def test_a_lost_phone_is_turned_off_after_asking(stay: Stay, visitors: Visitors) -> None:
    medium = stay.house.add_phone(stay.family.tokens[1])
    guest = visitors.come()
    guest.sign_in(stay.family)
    page = guest.open("/app/tokens")
    row = page.locator(f"li[data-key='{medium}']")
    expect(row).to_contain_text("On")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    row.get_by_role("button", name="Keep it on").click()
    expect(row.get_by_role("button", name="Turn it off")).to_be_hidden()
    row.locator("summary").click()
    row.get_by_role("button", name="Turn it off").click()
    expect(row).to_contain_text("Off for good")
    assert page.url.endswith("done=turned-off")
    guest.check()


def test_a_bad_pin_is_refused_in_place_and_a_good_one_is_set(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    page = guest.open("/app/tokens")
    rules = page.locator("details").filter(has_text="PIN and daily limit of Zephyrine")
    rules.locator("summary").click()
    rules.get_by_label("May spend a day").fill("a lot")
    page.get_by_role("button", name="Set the limit of Zephyrine").click()
    expect(page.get_by_text("Enter an amount")).to_be_visible()
    rules.get_by_label("New PIN").fill("4711")
    page.get_by_role("button", name="Set the PIN of Zephyrine").click()
    expect(page.get_by_role("status").first).to_contain_text("The PIN is set")
    guest.check()


def test_the_page_says_when_it_is_offline_and_keeps_what_was_pressed(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    page = guest.open("/app/find?day=2030-06-11")
    page.get_by_role("group", name="Times for The Falls").get_by_role("radio").nth(3).check(force=True)
    guest.context.set_offline(True)
    expect(page.locator(".offline-bar")).to_be_visible()
    page.get_by_role("button", name="Book this time").click()
    expect(page.locator("#toasts")).to_contain_text("press again when you are connected")
    guest.check()
    guest.context.set_offline(False)
    expect(page.locator(".offline-bar")).to_be_hidden()
    page.get_by_role("button", name="Book this time").click()
    page.wait_for_url("**/app/picks?done=booked")


def test_today_changes_by_itself_when_the_desk_books(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    expect(guest.page.locator("#today-picks")).not_to_contain_text("Carousel")
    stay.house.reserve(stay.family.tokens[3:], "carousel", 18)
    expect(guest.page.locator("#today-picks")).to_contain_text("Carousel")


def test_signing_out_ends_the_session(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    guest.page.get_by_role("button", name="Sign out").click()
    expect(guest.page.get_by_text("You are signed out")).to_be_visible()
    guest.open("/app/folio")
    expect(guest.page).to_have_url(re.compile("/app/sign-in"))


def _guest_of(page: object, name: str) -> str:
    href = page.get_by_role("link", name=name).get_attribute("href")  # type: ignore[attr-defined]  # a page
    return str(href).partition("guest=")[2]


def test_signing_out_in_one_tab_closes_the_other(stay: Stay, visitors: Visitors) -> None:
    guest = visitors.come()
    guest.sign_in(stay.family)
    other = guest.context.new_page()
    other.goto(f"{stay.house.url}/app/folio")
    other.wait_for_load_state("load")
    guest.page.get_by_role("button", name="Sign out").click()
    other.wait_for_url(re.compile("/app/sign-in"))
    expect(other.get_by_label("One-time code")).to_be_visible()
