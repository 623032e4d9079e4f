"""Whoever plays on after the story finds bands that open something: the first click is green at every kind of place."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.resort_toml import read_resort
from simulators.beats import Beats
from simulators.demo.chapters import staying, times
from simulators.demo.house import House, running_house
from simulators.demo.narrator import Narrator
from simulators.demo.plan import RESORT_FILE, Plan
from simulators.demo.stage import Stage
from simulators.dice import Dice
from simulators.ports import PORT_SPAN, free_port_base

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
WAIT_MS = 20_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The resort on the day of the story's end, with the couple who stays."""
    plan, dice, beats = Plan(tmp_path_factory.mktemp("resort"), free_port_base(PORT_SPAN)), Dice(11), Beats()
    with patch.dict(os.environ):  # a running house sets what its processes inherit
        database = f"sqlite:///{plan.database_file}"
        with running_house(plan, database, dice, beats, lambda said: None) as house:
            stage = stage_of(plan, house, dice, beats)
            times.begin(stage)
            staying.play(stage)
            yield plan.gateway_url


def stage_of(plan: Plan, house: House, dice: Dice, beats: Beats) -> Stage:
    return Stage(
        plan=plan,
        resort=read_resort(RESORT_FILE.read_text(encoding="utf-8")),
        dice=dice,
        beats=beats,
        clock=house.clock,
        supervisor=house.supervisor,
        narrator=Narrator(pause_s=0.0),
        staff=house.staff,
        gateway=house.gateway,
    )


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(f"{url}/workbench")
    yield page
    context.close()


def test_the_first_click_is_green_at_door_lane_gate_ride_and_till(page: Page) -> None:
    held = page.locator(".medium:has(:checked)")
    expect(held).to_contain_text("lead of")
    words = held.locator(".medium-may").inner_text()
    room = words.partition(" · ")[0].removeprefix("Room ")
    assert "Lagoon Park" in words
    assert "Comet until" in words
    assert "Pays" in words
    for touchpoint in (f"door-{room}", "lane-in", "gate-1", "comet-entrance", "till-grill"):
        tile = page.locator(f"#reader-{touchpoint}")
        tile.locator(".reader-tap").click()
        expect(tile, touchpoint).to_have_attribute("data-state", "approved", timeout=WAIT_MS)
    expect(held.locator(".medium-may")).to_contain_text("Comet merge point", timeout=WAIT_MS)
