"""A browser of the machine is found, started, and draws a page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.chromium import find_chromium


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PASSBAND_CHROMIUM", raising=False)
    return tmp_path


def make_program(path: Path) -> str:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_nothing_is_found_where_nothing_is(programs: Path) -> None:
    assert find_chromium() is None


def test_debian_s_chromium_comes_first(programs: Path) -> None:
    make_program(programs / "google-chrome")
    chromium = make_program(programs / "chromium")

    assert find_chromium() == chromium


def test_the_setting_wins_and_a_wrong_one_finds_nothing(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program(programs / "chromium")
    other = make_program(programs / "my-browser")

    monkeypatch.setenv("PASSBAND_CHROMIUM", other)
    assert find_chromium() == other

    monkeypatch.setenv("PASSBAND_CHROMIUM", "missing")
    assert find_chromium() is None


@pytest.mark.browser
def test_the_browser_runs_scripts(page: Page) -> None:
    page.set_content("<p id=light>blue</p><script>light.textContent = 'green'</script>")

    assert page.inner_text("#light") == "green"


@pytest.mark.browser
def test_each_page_starts_clean(page: Page) -> None:
    assert page.context.cookies() == []
    assert len(page.context.pages) == 1
