"""run.py sets up once, whole or not at all, and then is the program that was asked for."""

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for the installer, which downloads: it notes its words, makes an "environment" and ends as told.
FAKE_UV = """#!/bin/sh
echo "$1 $2" >> "$FAKE_UV_LOG"
case "$1" in
    --version) echo "uv 99.0.0" ;;
    venv)
        for folder; do :; done
        rm -rf "$folder" && mkdir -p "$folder/bin" && ln -s "$FAKE_UV_PYTHON" "$folder/bin/python" ;;
    pip)
        [ -z "$FAKE_UV_WAITS" ] || cat "$FAKE_UV_WAITS"
        echo "$FAKE_UV_SAYS"
        exit "${FAKE_UV_STATUS:-0}" ;;
esac
"""


class Checkout:
    """A scratch checkout whose installer is the fake."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.root.mkdir()
        for name in ("run.py", "requirements.lock", "requirements-setup.lock"):
            shutil.copy(ROOT / name, self.root)
        uv = folder / "bin" / "uv"
        uv.parent.mkdir()
        uv.write_text(FAKE_UV)
        uv.chmod(0o755)
        self.log = folder / "uv.log"
        self.env = {
            **os.environ,
            "PATH": f"{uv.parent}:{os.environ['PATH']}",
            "FAKE_UV_LOG": str(self.log),
            "FAKE_UV_PYTHON": getattr(sys, "_base_executable", sys.executable),
        }

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start run.py with these words."""
        return subprocess.Popen(
            [sys.executable, str(self.root / "run.py"), *words],
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **env: str) -> tuple[int, str, str]:
        """Run run.py to its end; return exit status, stdout, stderr."""
        process = self.start(*words, **env)
        out, err = process.communicate()
        return process.returncode, out, err

    def installs(self) -> int:
        """Count how often packages were installed."""
        return self.log.read_text().count("pip sync") if self.log.exists() else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def run_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_under_test", ROOT / "run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_installs_once_and_then_only_compares(checkout: Checkout) -> None:
    first = checkout.run("python", "-c", "print('hello')")
    second = checkout.run("python", "-c", "print('hello')")

    assert first[:2] == second[:2] == (0, "hello\n")
    assert "installing" in first[2]
    assert second[2] == ""
    assert checkout.installs() == 1


def test_a_changed_lock_installs_again(checkout: Checkout) -> None:
    checkout.run("python", "-c", "")
    with (checkout.root / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")

    checkout.run("python", "-c", "")

    assert checkout.installs() == 2


def test_a_failed_install_is_told_and_never_taken_as_good(checkout: Checkout) -> None:
    status, out, err = checkout.run("python", "-c", "print(1)", FAKE_UV_STATUS="3", FAKE_UV_SAYS="disk full")

    assert (status, out) == (1, "")
    assert "failed with exit status 3:\n  disk full" in err
    assert checkout.run("python", "-c", "print(1)")[:2] == (0, "1\n")
    assert checkout.installs() == 2


def test_a_missing_network_is_one_sentence(checkout: Checkout) -> None:
    says = "error: Failed to fetch\n  Caused by: dns error\n  Caused by: Name or service not known"

    status, _, err = checkout.run("python", "-c", "", FAKE_UV_STATUS="2", FAKE_UV_SAYS=says)

    assert status == 1
    last = err.splitlines()[-1]
    assert last.startswith("passband: installing ")
    assert last.endswith(
        " packages failed: the package index cannot be reached; check the network and run this again."
    )


def test_after_a_kill_the_next_run_waits_for_the_orphan_and_starts_over(
    checkout: Checkout, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    killed = checkout.start("python", "-c", "", FAKE_UV_WAITS=str(gate))
    with gate.open("w"):  # opens once the installer is at work, which then waits until we close
        killed.kill()
        killed.communicate()
        second = checkout.start("python", "-c", "print('whole')")
        assert second.stderr
        assert "waiting" in second.stderr.readline()
        assert checkout.installs() == 1
    out, _ = second.communicate()

    assert (second.returncode, out) == (0, "whole\n")
    assert checkout.installs() == 2


def test_two_runs_at_once_install_once(checkout: Checkout, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    first = checkout.start("python", "-c", "print(1)", FAKE_UV_WAITS=str(gate))
    with gate.open("w"):
        second = checkout.start("python", "-c", "print(2)")
        assert second.stderr
        assert "waiting" in second.stderr.readline()

    assert first.communicate()[0] == "1\n"
    assert second.communicate()[0] == "2\n"
    assert checkout.installs() == 1


def test_sigterm_during_set_up_stops_the_installer_too(checkout: Checkout, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    stopped = checkout.start("python", "-c", "", FAKE_UV_WAITS=str(gate))
    with gate.open("w"):
        stopped.terminate()
        stopped.communicate()

    assert stopped.returncode == 128 + signal.SIGTERM
    assert not (checkout.root / ".passband" / "venv.stamp").exists()


def test_the_program_takes_the_place_of_run_py(checkout: Checkout) -> None:
    checkout.run("python", "-c", "")
    process = checkout.start("python", "-c", "import os; print(os.getpid()); raise SystemExit(7)")
    out, _ = process.communicate()

    assert (int(out), process.returncode) == (process.pid, 7)


def test_words_find_their_program(checkout: Checkout) -> None:
    (checkout.root / "passband.py").write_text("import sys; print(sys.argv[1:])")
    (checkout.root / "guestbook.py").write_text("NAME = 'importable'")

    assert checkout.run("demo", "--once")[1] == "['demo', '--once']\n"
    assert checkout.run("passband", "verify", "--json")[1] == "['verify', '--json']\n"
    assert checkout.run("python", "-c", "import guestbook; print(guestbook.NAME)")[1] == "importable\n"


def test_an_unknown_program_and_no_words_are_usage_errors(checkout: Checkout) -> None:
    status, _, err = checkout.run("frobnicate")

    assert status == 2
    assert "no program 'frobnicate'" in err
    assert checkout.run()[0] == 2
    assert checkout.run("--help")[0] == 0


PIP_LISTING = """\
:env:.index-url='https://user:hidden@index.test/simple'
global.cert='/etc/ssl/ours.pem'
global.extra-index-url='file:///a/simple\\nfile:///b/simple'
global.index-url='https://other.test/simple'
install.find-links='/wheels /more-wheels'
global.trusted-host='index.test'
"""


def test_pip_s_configuration_is_handed_to_uv(run_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("UV_", "SSL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(run_module, "output_of", lambda command: PIP_LISTING)

    env = run_module.uv_environment()

    assert env["UV_DEFAULT_INDEX"] == "https://user:hidden@index.test/simple"
    assert env["UV_INDEX"] == "file:///a/simple file:///b/simple"
    assert env["UV_FIND_LINKS"] == "/wheels,/more-wheels"
    assert env["UV_INSECURE_HOST"] == "index.test"
    assert env["SSL_CERT_FILE"] == "/etc/ssl/ours.pem"
    assert env["UV_PYTHON_DOWNLOADS"] == "never"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_what_was_said_to_uv_itself_wins(run_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "https://mine.test/simple")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setattr(run_module, "output_of", lambda command: PIP_LISTING)

    env = run_module.uv_environment()

    assert env["UV_INDEX_URL"] == "https://mine.test/simple"
    assert "UV_DEFAULT_INDEX" not in env


def test_without_pip_its_environment_still_counts(
    run_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str]) -> str:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(run_module, "output_of", fail)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.test/simple")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)

    assert run_module.uv_environment()["UV_DEFAULT_INDEX"] == "https://index.test/simple"


def test_a_failure_never_shows_credentials(run_module: ModuleType) -> None:
    told = run_module.explain("installing", "error: bad answer from https://user:hidden@index.test/simple", 1)

    assert "hidden" not in told
    assert "index.test" in told


def test_a_wrong_hash_is_called_by_its_name(run_module: ModuleType) -> None:
    told = run_module.explain("installing", "error: Hash mismatch for `httpx==0.28.1`", 1)

    assert (
        told
        == "installing failed: a downloaded file is not the one that the lock names; it was not installed."
    )


@pytest.mark.parametrize(
    "options", [["-n", "4"], ["-n0"], ["--numprocesses=1"], ["--pdb"], ["-p", "no:xdist"]]
)
def test_a_person_s_choice_of_workers_stands(run_module: ModuleType, options: list[str]) -> None:
    assert run_module.workers(options) == []


def test_tests_use_the_machine_s_cores(run_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert run_module.workers(["-k", "lock"])[:2] == ["-n", "2"]

    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    assert run_module.workers([]) == []


@pytest.mark.parametrize("options", [(3, 6), (3, 10)])
def test_run_py_stays_readable_to_an_old_python(options: tuple[int, int]) -> None:
    assert ast.parse((ROOT / "run.py").read_text(), feature_version=options)
