"""The staff's and the photographer's pages in a real browser."""

import re
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Route, expect

from photopass.cards import card_svg
from tests.browser.conftest import DESK, PHONE, Stay, Visitors
from tests.support.pictures import jpeg
from tests.support.web_house import lunch

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_is_whole_and_accessible(stay: Stay, visitors: Visitors, viewport: dict[str, int]) -> None:
    pages = {
        "desk": ("/staff", "/staff?q=Mars", "/staff?q=Nobody", f"/staff/parties/{stay.family.party_id}"),
        "operations": ("/staff/conflicts", "/staff/conflicts?state=resolved"),
        "photographer": ("/photo",),
    }
    for name, paths in pages.items():
        someone = visitors.come(viewport)
        someone.open("/staff/sign-in")
        someone.check()
        someone.sign_in_staff(name)
        for path in paths:
            page = someone.open(path)
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            someone.check()


def test_a_wrong_password_says_so(stay: Stay, visitors: Visitors) -> None:
    someone = visitors.come(DESK)
    page = someone.open("/staff/sign-in")
    page.get_by_label("User name").fill("desk")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not fit")
    expect(page.get_by_label("User name")).to_have_value("desk")
    expect(page.get_by_label("Password")).to_have_value("")


def test_a_guest_is_found_by_keyboard_and_the_timeline_tells_why(stay: Stay, visitors: Visitors) -> None:
    desk = visitors.come(DESK)
    desk.sign_in_staff("desk")
    page = desk.page
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("marsv")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Quillon Marsvale").focus()
    page.keyboard.press("Enter")
    lines = page.locator("#timeline")
    expect(lines).to_contain_text("This key opens room 101.")
    expect(lines).to_contain_text("Your return window opens")
    expect(lines).to_contain_text("Decided offline")
    page.get_by_role("link", name=re.compile("^Refused")).click()
    expect(lines.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("navigation", name="Whose").get_by_role("link", name="Tobiah").click()
    expect(lines).to_contain_text("Nothing here")


def test_the_timeline_grows_by_itself(stay: Stay, visitors: Visitors) -> None:
    desk = visitors.come(DESK)
    desk.sign_in_staff("desk")
    page = desk.open(f"/staff/parties/{stay.family.party_id}?kind=taps")
    before = page.locator("#timeline li").count()
    stay.house.tap("park", "gate-2", stay.family, 0, stay.phone, "enter admission lagoon")
    expect(page.locator("#timeline li")).to_have_count(before + 1)


def test_the_desk_checks_in_takes_money_and_gives_a_code(stay: Stay, visitors: Visitors) -> None:
    desk = visitors.come(DESK)
    desk.sign_in_staff("desk")
    page = desk.open(f"/staff/parties/{stay.strangers.party_id}")
    page.get_by_role("button", name="Check in").click()
    expect(page.get_by_role("status").first).to_contain_text("checked in")
    expect(page.locator("#party-tally")).to_contain_text("In house")
    page.locator("summary").filter(has_text="Take a payment").click()
    page.get_by_label("Amount").fill("99999")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator(".field-error")).to_be_visible()
    desk.check()
    page.get_by_label("Amount").fill("100.00")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("#party-tally")).to_contain_text("1,190.00")
    page.get_by_role("button", name="New sign-in code").click()
    code = page.locator(".notice .mono").inner_text()
    assert code not in page.url
    told = stay.house.api("POST", "/sign-in", {"booking_reference": stay.strangers.reference, "code": code})
    assert told["party_id"] == stay.strangers.party_id


def test_a_payment_whose_answer_was_lost_is_pressed_again_and_counts_once(
    stay: Stay, visitors: Visitors
) -> None:
    desk = visitors.come(DESK)
    desk.sign_in_staff("desk")
    page = desk.open(f"/staff/parties/{stay.family.party_id}")

    def taken_but_not_told(route: Route) -> None:
        route.fetch(max_redirects=0, headers=route.request.all_headers())
        route.fulfill(status=503, content_type="text/html", body="<main id='main'>gone</main>")

    page.route("**/payments", taken_but_not_told, times=1)
    page.locator("summary").filter(has_text="Take a payment").click()
    page.get_by_label("Amount").fill("12.34")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("#toasts")).to_contain_text("Press again")
    expect(page.get_by_label("Amount")).to_have_value("12.34")
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("status").first).to_contain_text("on the folio")
    folio = stay.house.api("GET", f"/parties/{stay.family.party_id}/folio", who="desk")
    assert [line["amount_minor"] for line in folio["lines"]].count(-1234) == 1


def test_a_conflict_shows_both_sides_and_is_resolved_with_a_note(stay: Stay, visitors: Visitors) -> None:
    medium = stay.house.add_phone(stay.family.tokens[2])
    stay.house.api("POST", f"/media/{medium}/revoke", {"note": "lost"}, "desk")
    stay.house.clock.at = stay.house.clock.at.replace(minute=stay.house.clock.at.minute + 1)
    sale = lunch()
    stay.house.tap(
        "shops",
        "till-grill",
        stay.family,
        2,
        medium,
        "charge spending harbour-grill",
        sale=sale,
        online=False,
    )
    someone = visitors.come(DESK)
    someone.sign_in_staff("operations")
    page = someone.page
    row = page.locator("#conflicts > li").filter(has_text="A revoked medium was let through")
    expect(row).to_contain_text("The shops edge let it pass")
    expect(row).to_contain_text("turned off")
    row.locator("summary").click()
    row.get_by_label("What was done").fill("Guest called; the charge stands.")
    row.get_by_role("button", name="Resolve").click()
    expect(row).to_have_count(0)
    page.get_by_role("link", name="Resolved").click()
    expect(page.locator("#conflicts")).to_contain_text("the charge stands")


def test_a_photo_is_uploaded_and_a_claim_card_is_claimed(stay: Stay, visitors: Visitors) -> None:
    stay.house.tap("park", "photo-plaza", stay.family, 0, stay.phone, "photo photos plaza")
    someone = visitors.come(DESK)
    someone.sign_in_staff("photographer")
    page = someone.page
    expect(page.locator("#tapped")).to_contain_text("Quillon")
    page.get_by_label("Take or choose photos").set_input_files(
        {"name": "plaza.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    )
    page.get_by_role("button", name="Upload").click()
    photo = page.locator("#uploads > li").first
    expect(photo).to_contain_text("Quillon")
    photo.get_by_role("button", name=re.compile("Claim card")).click()
    code = page.locator("#claim-card .mono").inner_text()
    someone.check()
    guest = visitors.come()
    # What the card's QR says: not signed in yet, the guest comes to the album with the code filled in.
    album = guest.open(f"/app/photos#claim={code}")
    guest.sign_in_here(stay.strangers)
    album.wait_for_url(re.compile(r"/app/photos#claim="))
    expect(album.get_by_label("Code on the card")).to_have_value(code)
    album.get_by_role("button", name="Claim the photo").click()
    expect(album.locator("#photos img")).to_have_count(1)
    assert album.evaluate("document.querySelector('#photos img').decode().then(() => true)")
    guest.check()
    album.locator("#photos summary").click()
    album.get_by_role("button", name="Take it out").click()
    expect(album.locator("#photos img")).to_have_count(0)


def test_the_qr_of_a_claim_card_is_the_address_where_a_guest_claims(stay: Stay) -> None:
    stay.house.tap("park", "photo-plaza", stay.family, 1, stay.phone, "photo photos plaza")
    files = {"file": ("plaza.jpg", jpeg(), "image/jpeg")}
    photo = stay.house.api("POST", "/photos", who="photographer", files=files, data={"photo_point": "plaza"})
    cookies = {"passband_session": stay.house.session("photographer")}
    form = {"command_id": "one-claim-card", "point": "photo-plaza", "photo": photo["photo_id"]}
    headers = {"origin": stay.house.url, "accept": "text/html"}
    page = httpx.post(
        f"{stay.house.url}/photo/cards", data=form, cookies=cookies, headers=headers, trust_env=False
    )
    found = re.search(r'<p class="figure mono">([0-9A-Z-]+)</p>', page.text)
    assert found, page.text
    assert card_svg(found[1], f"{stay.house.url}/app/photos") in page.text


def test_the_timeline_names_staff_and_puts_a_late_tap_where_it_happened(
    stay: Stay, visitors: Visitors
) -> None:
    now = stay.house.clock.at
    stay.house.api("POST", f"/parties/{stay.family.party_id}/sign-in-codes", {}, "desk")
    # Decided alone at a quarter to, home only now: behind what happened meanwhile, and it says so.
    stay.house.clock.at = now - timedelta(minutes=15)
    entry = stay.house.entry("park", "gate-2", stay.family, 1, stay.phone, "enter admission lagoon")
    stay.house.clock.at = now
    stay.house.bring_home("park", entry)
    desk = visitors.come(DESK)
    desk.sign_in_staff("desk")
    page = desk.open(f"/staff/parties/{stay.family.party_id}")
    late = page.locator("#timeline li").filter(has_text="came home")
    expect(late).to_have_count(1)
    expect(late).to_contain_text("Zephyrine entered at Park gate 2")
    code = page.locator("#timeline li").filter(has_text="sign-in code").first
    expect(code).to_contain_text("desk, desk")
    lines = page.locator("#timeline li").all_inner_texts()
    at = [line.split()[0] for line in lines]
    assert at == sorted(at, reverse=True), "one day, newest first by when it happened"
    desk.check()


def test_a_departed_party_gets_no_new_band_and_is_told_why(stay: Stay, visitors: Visitors) -> None:
    leaving = stay.house.book("Lindqvist")
    stay.house.api("POST", f"/parties/{leaving.party_id}/cancel", {}, "desk")
    desk = visitors.come(DESK)
    desk.sign_in_staff("desk")
    page = desk.open(f"/staff/parties/{leaving.party_id}")
    expect(page.get_by_text("This booking is cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Ask the encoder")).to_have_count(0)


def test_a_file_that_is_no_photo_is_refused_in_words(stay: Stay, visitors: Visitors) -> None:
    someone = visitors.come(DESK)
    someone.sign_in_staff("photographer")
    page = someone.page
    page.get_by_label("Take or choose photos").set_input_files(
        {"name": "plaza.jpg", "mimeType": "image/jpeg", "buffer": b"no photo at all"}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#toasts")).not_to_be_empty()
    expect(page.locator("#uploads")).not_to_contain_text("plaza.jpg")
