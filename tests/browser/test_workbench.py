"""The workbench before real processes: gateway, field and edges; each tap goes through emulated chips and codes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from gateway.resort_toml import read_resort
from simulators.beats import Beats
from simulators.demo.field_control import FieldControl
from simulators.demo.house import House, running_house
from simulators.demo.plan import Plan
from simulators.dice import Dice
from simulators.ports import PORT_SPAN, free_port_base
from tests.support.web_house import RESORT_FILE

# The edges start, enrol and connect: real processes on two cores.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
WAIT_MS = 20_000


@dataclass
class Bench:
    """A running resort whose one guest has a phone with a PIN, and one chip that is nobody's."""

    house: House
    url: str


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A resort with a checked-in guest."""
    plan = Plan(tmp_path_factory.mktemp("resort"), free_port_base(PORT_SPAN))
    dice = Dice(7)
    with patch.dict(os.environ):  # a running house sets what its processes inherit
        database = f"sqlite:///{plan.database_file}"
        with running_house(plan, database, dice, Beats(), lambda said: None) as house:
            _check_in(house, dice)
            FieldControl(plan.field_url, dice).make_chip("ntag216", "04a1b2c3d4e5f6", "A stranger's chip")
            yield Bench(house, plan.gateway_url)


def _check_in(house: House, dice: Dice) -> None:
    desk = house.staff["desk"]
    # The resort's own day: after midnight it is still yesterday's.
    resort = read_resort(RESORT_FILE.read_text(encoding="utf-8"))
    day = resort.day_of(house.clock.now()).isoformat()
    wish = {
        "product": "family-package",
        "arrival_day": day,
        "guests": [{"given_name": "Quillon", "family_name": "Marsvale"}],
    }
    told = house.gateway.command("book", "/api/v1/bookings", wish)
    token = told["guests"][0]["token_id"]
    house.gateway.command("check-in", f"/api/v1/parties/{told['party_id']}/check-in", {}, desk)
    phone = house.gateway.command("phone", f"/api/v1/tokens/{token}/media", {"kind": "phone"}, desk)
    field, medium = FieldControl(house.plan.field_url, dice), phone["medium_id"]
    proof = field.make_phone(medium, dice.secret("phone"), dice.command_id("bind"))
    house.gateway.command("bind", f"/api/v1/media/{medium}/device-key", proof, desk, "PUT")
    house.gateway.command("pin", f"/api/v1/tokens/{token}/pin", {"pin": "4711"}, desk, "PUT")


@pytest.fixture
def page(browser: Browser, bench: Bench) -> Iterator[Page]:
    """The workbench in a browser, its edges connected."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(f"{bench.url}/workbench")
    for edge in ("hotel", "park", "shops"):
        expect(page.locator(f"#edge-{edge}")).to_contain_text("Connected", timeout=WAIT_MS)
    yield page
    context.close()


def tap(page: Page, who: str, touchpoint: str) -> None:
    """Choose a medium and press a reader, with the keyboard alone."""
    page.get_by_role("radio", name=who).focus()
    page.keyboard.press("Space")
    page.locator(f"#reader-{touchpoint} .reader-tap").focus()
    page.keyboard.press("Enter")


def shows(page: Page, touchpoint: str, state: str, words: str) -> None:
    """Wait until the tile shows what the lamp shows."""
    tile = page.locator(f"#reader-{touchpoint}")
    expect(tile).to_have_attribute("data-state", state, timeout=WAIT_MS)
    expect(tile.locator(".reader-words")).to_contain_text(words)


def test_a_tap_comes_back_as_the_lamp_shows_it_and_as_a_line_of_the_ledger(page: Page) -> None:
    tap(page, "Quillon", "door-101")
    shows(page, "door-101", "approved", "Welcome")
    expect(page.locator("#ledger li").first).to_contain_text("Quillon opened", timeout=WAIT_MS)
    tap(page, "A stranger's chip", "gate-2")
    shows(page, "gate-2", "waiting", "not one of our bands")
    tap(page, "Quillon", "gate-2")
    expect(page.locator("#toasts")).to_contain_text("reads no codes")


def test_a_dear_sale_asks_for_the_pin(page: Page) -> None:
    page.get_by_label("Sale at Harbour Grill, till").select_option("family-paella")
    tap(page, "Quillon", "till-grill")
    shows(page, "till-grill", "asks", "PIN, please")
    page.get_by_label("PIN at Harbour Grill, till").fill("4711")
    page.keyboard.press("Enter")
    shows(page, "till-grill", "approved", "Welcome")
    expect(page.locator("#ledger")).to_contain_text("Quillon paid", timeout=WAIT_MS)


def test_an_edge_that_is_cut_off_decides_alone_and_brings_its_taps_home(page: Page) -> None:
    park = page.locator("#edge-park")
    park.get_by_role("button", name="Cut the network").click()
    expect(park).to_contain_text("Cut off, deciding alone", timeout=WAIT_MS)
    tap(page, "Quillon", "gate-1")
    shows(page, "gate-1", "approved", "Welcome")
    expect(park.locator(".edge-facts")).to_contain_text("Journal to send1")
    assert "gate 1" not in page.locator("#ledger").inner_text()
    park.get_by_role("button", name="Heal the network").click()
    expect(page.locator("#ledger")).to_contain_text("entered at Park gate 1", timeout=WAIT_MS)
    expect(park).to_contain_text("Connected", timeout=WAIT_MS)
    expect(park.locator(".edge-facts")).to_contain_text("Journal to send0", timeout=WAIT_MS)


@pytest.mark.parametrize("width", [390, 1100, 1440])
def test_it_is_whole_and_accessible_at_every_size(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
