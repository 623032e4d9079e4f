"""Fixtures that every kind of test may ask for: fresh databases and a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.databases import Databases
from tests.support.left_out import LeftOut, in_ci
from tests.support.postgres import SessionFolder

if TYPE_CHECKING:
    from tests.support.guests_world import World
    from tests.support.verify_world import Day

# In CI the same examples every time: a red run means that the change did it. At a desk, new ones each time.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if in_ci() else "dev"))

FOLDER = pytest.StashKey[SessionFolder]()
WORKER_INPUT = "passband_session_folder"


def pytest_configure(config: pytest.Config) -> None:
    """Say what is left out; name the session's folder, in the controller only."""
    config.pluginmanager.register(LeftOut())
    if not hasattr(config, "workerinput"):
        config.stash[FOLDER] = SessionFolder()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the session's server, when there is one, and remove the folder."""
    if FOLDER in config.stash:
        config.stash[FOLDER].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:  # xdist's controller starts a worker
    """Tell each worker the session's folder."""
    node.workerinput[WORKER_INPUT] = str(node.config.stash[FOLDER].path)


@pytest.fixture(scope="session")
def session_folder(pytestconfig: pytest.Config) -> Path:
    """The folder that all workers of this session share."""
    if hasattr(pytestconfig, "workerinput"):
        return Path(pytestconfig.workerinput[WORKER_INPUT])
    return pytestconfig.stash[FOLDER].path


@pytest.fixture(scope="session")
def worker_name() -> str:
    """This worker's name, "main" without workers."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def databases(session_folder: Path, worker_name: str) -> Databases:
    """Fresh databases with the gateway's tables."""

    def migrate(url: str) -> None:
        from gateway.db import migrate  # loads SQLAlchemy: only for tests that need it

        migrate(url)

    return Databases(session_folder, worker_name, migrate)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database; who asks runs once on SQLite and once on PostgreSQL."""
    with databases.fresh(request.param, tmp_path) as url:
        yield url


# For a module, not for the session: while Playwright runs, its event loop is this thread's, and the tests of other
# modules that begin a loop of their own would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium of this machine."""
    path = find_chromium()
    assert path, "no Chromium found: install Debian's chromium or name one in PASSBAND_CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser context of its own: no cookie and no worker of another test."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> "Iterator[World]":
    """A started gateway with the reference resort, on SQLite, its clock standing still."""
    from tests.support.guests_world import world  # loads the gateway: only for tests that need it

    with world(databases.sqlite(tmp_path), tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def lived_day(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Path:
    """The files of a small day that keeps every promise: to be copied, never changed."""
    from tests.support.verify_world import DATABASE, live_a_day  # loads gateway and edges

    folder = tmp_path_factory.mktemp("day")
    Path(databases.sqlite(folder).removeprefix("sqlite:///")).rename(folder / DATABASE)
    live_a_day(folder, f"sqlite:///{folder / DATABASE}")
    return folder


@pytest.fixture
def day(lived_day: Path, tmp_path: Path) -> "Iterator[Day]":
    """A copy of that day, to be broken in one place."""
    from gateway.db.engine import Database
    from tests.support.verify_world import DATABASE, Day, read_evidence

    folder = Path(shutil.copytree(lived_day, tmp_path / "day"))
    made = Day(folder, Database(f"sqlite:///{folder / DATABASE}"), read_evidence(folder))
    yield made
    made.database.close()
