"""What every page keeps to: nothing inline, only icons that exist, figures and times in one form."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment, UndefinedError

from gateway.web.rendering import STATIC, TEMPLATES, day, environment, money

PAGES = sorted(TEMPLATES.glob("*.html"))
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)


def pages_of(zone: str) -> Environment:
    return environment(zone=ZoneInfo(zone), currency="EUR", new_command_id=iter(("c1", "c2")).__next__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_compiles_and_holds_nothing_inline(page: Path) -> None:
    assert pages_of("UTC").get_template(page.name).name == page.name
    assert not INLINE.search(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_scripts_and_icons_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="(\w+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    assert set(re.findall(r'ui\.icon\("(\w+)"', text)) <= drawn
    for name in re.findall(r'"/static/([\w./]+)', text):
        assert (STATIC / name).is_file(), name


def test_the_stylesheet_gathers_every_sheet_once() -> None:
    gathered = re.findall(r'@import url\("([\w.]+)"\)', (STATIC / "passband.css").read_text(encoding="utf-8"))
    assert sorted(gathered) == sorted(p.name for p in STATIC.glob("*.css") if p.name != "passband.css")


@pytest.mark.parametrize(
    ("amount_minor", "exponent", "shown"),
    [(0, 2, "0.00 EUR"), (-5, 2, "−0.05 EUR"), (123456789, 2, "1,234,567.89 EUR"), (1500, 0, "1,500 EUR")],
)
def test_money_shows_every_minor_unit(amount_minor: int, exponent: int, shown: str) -> None:
    assert money(amount_minor, "EUR", exponent) == shown.replace(" ", "\N{NO-BREAK SPACE}")


def test_a_late_instant_belongs_to_the_resorts_own_day() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert day(late, ZoneInfo("Europe/Madrid")) == "Sun 22 Nov"
    assert day(date(2026, 11, 21), ZoneInfo("Europe/Madrid"), "es") == "sáb 21 nov"
    template = pages_of("Europe/Madrid").from_string("{{ at | clock_s }} {{ at | machine }}")
    assert template.render(at=late) == "00:30:00 2026-11-21T23:30:00+00:00"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        day(datetime(2026, 11, 21), ZoneInfo("UTC"))  # noqa: DTZ001 - the mistake under test


def test_each_form_is_a_command_of_its_own() -> None:
    forms = '{% import "macros.html" as ui with context %}{{ ui.guard() }}{{ ui.guard() }}'
    shown = pages_of("UTC").from_string(forms).render()
    assert re.findall(r'name="command_id" value="(\w+)"', shown) == ["c1", "c2"]


def test_a_forgotten_value_fails_aloud() -> None:
    with pytest.raises(UndefinedError):
        pages_of("UTC").get_template("app_today.html").render(guest={"nickname": "A"})
