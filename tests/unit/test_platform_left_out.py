"""Green in CI means that everything ran; elsewhere, what was left out is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = "import pytest\ndef test_runs(): assert True\n@pytest.mark.skip\ndef test_skipped(): assert True\n"
SKIPPED_MODULE = "import pytest\npytest.skip(allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_fails(): assert False\n"
BROWSER = "def test_runs(): assert True\ndef test_looks(browser): assert browser\n"
FIXTURE = "import pytest\n@pytest.fixture\ndef browser(): return 'a browser'\n"


def run(folder: Path, source: str, *options: str, **env: str) -> tuple[int, str]:
    """Run pytest with the plugin on one file; return its exit status and output."""
    (folder / "conftest.py").write_text(FIXTURE)
    (folder / "test_trial.py").write_text(source)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.support.left_out",
        "-p",
        "no:cacheprovider",
        "-p",
        "xdist",
        "-p",
        "xdist",
        *options,
    ]
    command += ["-c", os.devnull, "--rootdir", str(folder), str(folder)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # Only the plugins that matter: a session starts five times faster.
    clean |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": "", **env}
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=clean)
    return told.returncode, told.stdout


@pytest.mark.parametrize("options", [[], ["-n", "1"]], ids=["one process", "workers"])
@pytest.mark.parametrize("source", [SKIPPED, SKIPPED_MODULE], ids=["test", "module"])
def test_a_skipped_test_fails_ci_and_is_named(tmp_path: Path, source: str, options: list[str]) -> None:
    status, out = run(tmp_path, "def test_more(): assert True\n" + source, *options, CI="true")

    assert status == 1
    assert "CI skips nothing, but these were skipped: test_trial.py" in out


def test_elsewhere_a_skipped_test_is_no_failure(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPPED)[0] == 0


def test_an_expected_failure_is_no_skipped_test(tmp_path: Path) -> None:
    assert run(tmp_path, EXPECTED_FAILURE, CI="true")[0] == 0


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "workers"])
def test_without_a_chromium_browser_tests_are_left_out_aloud(tmp_path: Path, options: list[str]) -> None:
    status, out = run(tmp_path, BROWSER, *options, PASSBAND_CHROMIUM="no-such-program")

    assert status == 0
    assert "1 passed" in out
    assert "1 browser tests left out: no Chromium" in out


def test_in_ci_browser_tests_run_whatever_is_found(tmp_path: Path) -> None:
    status, out = run(tmp_path, BROWSER, CI="1", PASSBAND_CHROMIUM="no-such-program")

    assert status == 0
    assert "2 passed" in out
