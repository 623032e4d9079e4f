"""Takes the pictures of the pages anew: python3 run.py python tests/browser/take_pictures.py

The guest's and the staff's pages are those of the browser tests' family; the workbench is that of the demo's story,
with the hotel cut off.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import Browser, Page, sync_playwright

from simulators.demo.chapters import staying
from simulators.demo.narrator import Narrator
from simulators.demo.plan import Plan
from simulators.demo.run import Options, played_story
from simulators.ports import PORT_SPAN, free_port_base
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.web_house import PASSWORD, house, lunch

PICTURES = Path(__file__).resolve().parents[2] / "docs/pictures"
PHONE, DESK = (390, 844), (1440, 960)
SETTLE_MS = 700


def main() -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        with tempfile.TemporaryDirectory() as folder:
            take_pages(browser, Path(folder))
        with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ):
            take_workbench(browser, Path(folder))
        browser.close()


def take_pages(browser: Browser, folder: Path) -> None:
    """Take the guest's and the staff's pages on the family's first day."""
    with house(folder) as here:
        family = here.book()
        here.check_in(family)
        phone = here.add_phone(family.tokens[0])
        here.reserve(family.tokens, "galleon", 12)
        here.reserve(family.tokens[:2], "comet", 15)
        here.tap("hotel", "door-102", family, 0, phone, "other_room")
        here.tap("park", "gate-1", family, 0, phone, "enter admission lagoon")
        here.tap("park", "comet-entrance", family, 0, phone, "window_not_open")
        paid = "charge spending harbour-grill"
        here.tap("shops", "till-grill", family, 0, phone, paid, sale=lunch(), online=False)
        code = here.api("POST", f"/parties/{family.party_id}/sign-in-codes", {}, "desk")["code"]

        def guest(page: Page) -> None:
            page.clock.set_fixed_time(here.clock.at)  # a phone's clock on time, or the pass says otherwise
            page.goto(f"{here.url}/app/sign-in")
            page.get_by_label("Booking reference").fill(family.reference)
            page.get_by_label("One-time code").fill(code)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{here.url}/app")

        def desk(page: Page) -> None:
            page.goto(f"{here.url}/staff/sign-in")
            page.get_by_label("User name").fill("desk")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{here.url}/staff")

        guests = {"app": "/app", "find": "/app/find", "pass": "/app/pass", "folio": "/app/folio"}
        shoot(browser, here.url, PHONE, guest, guests)
        shoot(browser, here.url, DESK, desk, {"staff": f"/staff/parties/{family.party_id}"})


def shoot(
    browser: Browser, url: str, size: tuple[int, int], enter: Callable[[Page], None], pictures: dict[str, str]
) -> None:
    """Sign in and take each page under its picture's name."""
    page = visitor(browser, size)
    enter(page)
    for name, path in pictures.items():
        page.goto(url + path)
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=PICTURES / f"{name}.png")
    page.context.close()


def take_workbench(browser: Browser, folder: Path) -> None:
    """Take the workbench after the story, with the hotel cut off and a band at a gate."""
    plan = Plan(folder, free_port_base(PORT_SPAN))
    options = Options(plan, f"sqlite:///{plan.database_file}", seed=1)
    with played_story(options, Narrator(pause_s=0.0)) as played:
        room = staying.play(played.stage).room
        page = visitor(browser, DESK)
        page.goto(f"{plan.gateway_url}/workbench")
        page.locator("button[value='hotel:cut']").click()
        page.get_by_text("Cut off, deciding alone").wait_for()
        media = page.locator(".medium")
        for number, touchpoint in ((1, f"door-{room}"), (0, "gate-1")):
            media.nth(number).locator("input").check(force=True)
            page.locator(f"#reader-{touchpoint} .reader-tap").click()
            page.locator(
                f"#reader-{touchpoint}[data-state='approved'], #reader-{touchpoint}[data-state='waiting']"
            ).wait_for()
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=PICTURES / "workbench.png")
        page.context.close()


def visitor(browser: Browser, size: tuple[int, int]) -> Page:
    """Return a page of a new visitor."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    return context.new_page()


if __name__ == "__main__":
    main()
