"""What the pages' tests share: one running house with a family in it, and a page that is watched."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.web_house import PASSWORD, Family, House, house, lunch

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
WAIT_MS = 20_000
AXE_STYLE = "sha256-i1f4qw5K3FMVURAOgN/Lz8hMyhCnmnCb69GdlWZG6P8="
"""The hash of the style that axe tries to apply while it measures, which the page's policy refuses aloud."""


@dataclass
class Stay:
    """The house, a family with a day behind it, and another family who must stay strangers."""

    house: House
    family: Family
    strangers: Family
    phone: str
    strange_phone: str


@pytest.fixture(scope="module")
def stay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stay]:
    """A family that booked, checked in, holds picks, had lunch and was refused once."""
    with house(Path(tmp_path_factory.mktemp("house"))) as here:
        family, strangers = here.book(), here.book("Abernathy")
        here.check_in(family)
        phone, strange_phone = here.add_phone(family.tokens[0]), here.add_phone(strangers.tokens[0])
        here.reserve(family.tokens, "galleon", 12)
        here.reserve(family.tokens[:2], "comet", 15)
        here.tap("hotel", "door-102", family, 0, phone, "other_room")
        here.tap("park", "gate-1", family, 0, phone, "enter admission lagoon")
        here.tap("park", "comet-entrance", family, 0, phone, "window_not_open")
        here.tap(
            "shops",
            "till-grill",
            family,
            0,
            phone,
            "charge spending harbour-grill",
            sale=lunch(),
            online=False,
        )
        yield Stay(here, family, strangers, phone, strange_phone)


@dataclass
class Visitor:
    """Someone at a browser; scripts that fail and rules of the page's policy that are broken are remembered."""

    house: House
    page: Page
    context: BrowserContext
    faults: list[str]

    def open(self, path: str) -> Page:
        """Go to an address and wait for its scripts."""
        self.page.goto(self.house.url + path)
        return self.page

    def sign_in(self, family: Family) -> None:
        """Sign in with a new code from the desk."""
        self.open("/app/sign-in")
        self.sign_in_here(family)
        self.page.wait_for_url(f"{self.house.url}/app")

    def sign_in_here(self, family: Family) -> None:
        """Sign in on the sign-in page that is open."""
        told = self.house.api("POST", f"/parties/{family.party_id}/sign-in-codes", {}, "desk")
        page = self.page
        page.get_by_label("Booking reference").fill(family.reference)
        page.get_by_label("One-time code").fill(told["code"])
        page.get_by_role("button", name="Sign in").click()

    def sign_in_staff(self, name: str) -> None:
        """Sign in by name and password."""
        page = self.open("/staff/sign-in")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "sign-in" not in url)

    def check(self) -> None:
        """Nothing failed, nothing sticks out sideways, and axe finds nothing."""
        assert not self.faults, self.faults
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        wide = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"


@pytest.fixture
def visitors(browser: Browser, stay: Stay) -> Iterator["Visitors"]:
    """Whoever a test needs at a browser."""
    made = Visitors(browser, stay.house)
    yield made
    made.leave()


class Visitors:
    """Opens browsers; each has cookies of its own."""

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser = browser
        self._house = house
        self._contexts: list[BrowserContext] = []

    def come(self, viewport: dict[str, int] = PHONE, **options: object) -> Visitor:
        """Return someone who has just opened a browser."""
        context = self._browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        self._contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: _note(faults, said.type, said.text))
        return Visitor(self._house, page, context, faults)

    def leave(self) -> None:
        """Close every browser."""
        for context in self._contexts:
            context.close()


def _note(faults: list[str], kind: str, text: str) -> None:
    # A refused form is answered with its status: the browser says so aloud, and that is no fault of the page.
    known = ("the server responded with a status of 4", "ERR_INTERNET", AXE_STYLE)
    if kind == "error" and not any(each in text for each in known):
        faults.append(text)
