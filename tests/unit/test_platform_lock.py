"""The locks pin and hash everything, name no host, and are what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("*.lock"))
ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)( ; .+?)?( --hash=sha256:[0-9a-f]{64})+$")
HOST_OR_PATH = re.compile(
    r"://|@ |\bfile:|^-|(^|\s)\.{0,2}/|(?<!--no-emit-)index-url|find-links|\.(org|com|net|io)\b", re.MULTILINE
)


def entries(lock: Path) -> list[re.Match[str]]:
    """Read a lock's requirements, one match each; fail on a line that is none."""
    text = re.sub(r"^#.*\n", "", lock.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    matches = []
    for line in text.splitlines():
        match = ENTRY.match(re.sub(r"\s+", " ", line))
        assert match, f"{lock.name} holds something else than a pinned and hashed requirement: {line}"
        matches.append(match)
    return matches


def versions(lock: Path) -> dict[str, list[Version]]:
    """Return the versions that a lock pins by name: several where markers tell platforms apart."""
    pinned: dict[str, list[Version]] = {}
    for entry in entries(lock):
        pinned.setdefault(entry["name"], []).append(Version(entry["version"]))
    return pinned


def declared(*groups: str) -> list[Requirement]:
    """Return the requirements of pyproject.toml: "runtime" or the name of a dependency group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = {"runtime": project["project"]["dependencies"], **project["dependency-groups"]}
    return [Requirement(line) for group in groups for line in lists[group]]


def unmet(requirements: list[Requirement], pinned: dict[str, list[Version]]) -> list[str]:
    """Return the requirements that the pinned versions do not satisfy."""
    return [
        str(wanted)
        for wanted in requirements
        if not (found := pinned.get(canonicalize_name(wanted.name)))
        or not all(wanted.specifier.contains(version, prereleases=True) for version in found)
    ]


def test_both_locks_are_there() -> None:
    assert [lock.name for lock in LOCKS] == ["requirements-setup.lock", "requirements.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host_and_no_path(lock: Path) -> None:
    assert not HOST_OR_PATH.search(lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    assert entries(lock)


def test_the_lock_satisfies_what_the_project_declares() -> None:
    assert unmet(declared("runtime", "dev"), versions(ROOT / "requirements.lock")) == []
    assert unmet(declared("setup"), versions(ROOT / "requirements-setup.lock")) == []


def test_a_lock_that_lags_behind_is_noticed() -> None:
    pinned = {"httpx": [Version("0.1")], "nfcpy": [Version("1.0.4")]}

    assert unmet(
        [Requirement("httpx>=0.28"), Requirement("nfcpy==1.0.4"), Requirement("ndeflib")], pinned
    ) == [
        "httpx>=0.28",
        "ndeflib",
    ]


def test_every_dependency_is_accounted_for_in_the_docs() -> None:
    table = (ROOT / "docs" / "dependencies.md").read_text()

    assert [
        wanted.name for wanted in declared("runtime", "dev", "setup") if f"| {wanted.name} |" not in table
    ] == []
