"""A pytest plugin: CI skips no test; elsewhere, without a Chromium, browser tests are left out, aloud."""

import os
from collections.abc import Iterable

import pytest

from tests.support.chromium import find_chromium

LEFT_OUT = "passband_browser_tests_left_out"


def in_ci() -> bool:
    """Tell whether this run must skip nothing."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


class LeftOut:
    """Counts what did not run, across all workers, and says it at the end."""

    def __init__(self) -> None:
        self.skipped: list[str] = []
        self.browser_tests = 0

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave browser tests out where they cannot run. In CI they stay, and fail for want of a browser."""
        browser_tests = [item for item in items if needs_browser(item)]
        if not browser_tests or in_ci() or find_chromium():
            return
        items[:] = [item for item in items if not needs_browser(item)]
        config.hook.pytest_deselected(items=browser_tests)
        self.browser_tests = len(browser_tests)
        if hasattr(config, "workeroutput"):
            config.workeroutput[LEFT_OUT] = self.browser_tests

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take over a worker's count; every worker collects the same tests."""
        told = getattr(node, "workeroutput", {}).get(LEFT_OUT, 0)
        self.browser_tests = max(self.browser_tests, told)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a skipped test; an expected failure isn't one."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a module that skipped itself."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a CI session that skipped anything, so that green means that everything ran."""
        passed = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self.skipped and in_ci() and session.exitstatus in passed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say in a line what did not run."""
        if self.browser_tests:
            terminalreporter.write_line(
                f"{self.browser_tests} browser tests left out: no Chromium (PASSBAND_CHROMIUM names one)."
            )
        if self.skipped and in_ci():
            terminalreporter.write_line(f"CI skips nothing, but these were skipped: {listed(self.skipped)}")


def needs_browser(item: pytest.Item) -> bool:
    """Tell whether a test is marked as a browser test or asks for the browser."""
    return item.get_closest_marker("browser") is not None or "browser" in getattr(item, "fixturenames", ())


def listed(names: Iterable[str]) -> str:
    """Return names for a line, each once."""
    return ", ".join(sorted(set(names)))


def pytest_configure(config: pytest.Config) -> None:
    """Join a session that names this module as a plugin."""
    config.pluginmanager.register(LeftOut())
