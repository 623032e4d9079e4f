"""The house rules bite: each is broken here once, and the tool that holds it says so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "readers", "wallet", "photopass", "simulators")
BIN = Path(sys.executable).parent


def ruff(path: str, code: str) -> str:
    """Check a file's text as if it stood at `path`; return the rules that it breaks."""
    command = [
        str(BIN / "ruff"),
        "check",
        "--no-cache",
        "--output-format=concise",
        "--stdin-filename",
        path,
        "-",
    ]
    text = f'"""A trial."""\n\n{code}\n'
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT).stdout


CLOCK_DICE_AND_ENVIRONMENT = """
import os
import random
import secrets
import time
from datetime import UTC, date, datetime
from uuid import uuid4

NOW = datetime.now(UTC)
TODAY = date.today()
KEY = os.urandom(16)
NAME = uuid4()
URL = os.environ["PASSBAND_DATABASE_URL"]
OTHER = os.getenv("PASSBAND_DATABASE_URL")
"""
BANNED = (
    "random",
    "secrets",
    "time",
    "uuid.uuid4",
    "datetime.datetime.now",
    "datetime.date.today",
    "os.urandom",
)
BANNED += ("os.environ", "os.getenv")


@pytest.mark.parametrize("path", ["gateway/services/booking.py", "readers/tapping.py", "wallet/ids.py"])
def test_clock_dice_and_environment_are_banned(path: str) -> None:
    told = ruff(path, CLOCK_DICE_AND_ENVIRONMENT)

    assert [name for name in BANNED if f"TID251 `{name}` is banned" not in told] == []


@pytest.mark.parametrize(
    "path", ["gateway/clock.py", "readers/clock.py", "readers/settings.py", "simulators/day.py", "tests/x.py"]
)
def test_clock_dice_and_environment_have_their_places(path: str) -> None:
    told = ruff(path, CLOCK_DICE_AND_ENVIRONMENT)

    assert "TID251" not in told
    assert "F401" in told


def test_ids_may_name_their_type() -> None:
    assert ruff("wallet/ids.py", "from uuid import UUID\n\nNIL = UUID(int=0)") == "All checks passed!\n"


def test_a_public_thing_has_a_docstring() -> None:
    assert "D103" in ruff("gateway/feed.py", "def follow() -> None:\n    return None")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty house under the project's contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


def lint(house: Path) -> tuple[set[str], str]:
    """Return the names of the contracts that a house breaks, and all that was said about it."""
    told = subprocess.run(
        [str(BIN / "lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"},
    )
    names = {line.removesuffix(" BROKEN") for line in told.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (told.returncode == 0) == (not names), told.stdout + told.stderr
    return names, told.stdout


def write(house: Path, module: str, code: str) -> None:
    path = house / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)


def test_what_the_house_is_made_for_is_allowed(house: Path) -> None:
    write(house, "gateway/db/__init__.py", "import sqlalchemy, alembic\n")
    write(house, "gateway/db/taps.py", "import sqlalchemy\n")
    write(house, "gateway/conveyor.py", "import gateway.db, wallet\n")
    write(house, "readers/store.py", "import sqlite3, wallet\n")
    write(house, "readers/tapping.py", "import readers.store, photopass\n")
    write(house, "simulators/demo.py", "import gateway.conveyor, readers.tapping\n")
    write(house, "wallet/ids.py", "import datetime, hashlib, uuid\n")

    assert lint(house)[0] == set()


def test_every_broken_contract_is_named_with_the_import_that_broke_it(house: Path) -> None:
    write(house, "gateway/app.py", "import readers, simulators\n")
    write(house, "gateway/services.py", "import sqlalchemy\n")
    write(house, "readers/edge.py", "import gateway\nfrom fastapi import FastAPI\n")
    write(house, "readers/sync.py", "import sqlite3\nfrom sqlalchemy.engine import Engine\n")
    write(house, "simulators/verify.py", "import sqlalchemy\n")
    write(house, "wallet/tap.py", "import os, photopass, uuid\nfrom time import time\n")

    names, told = lint(house)

    assert len(names) == 5
    arrows = ["gateway.app -> readers", "gateway.app -> simulators", "readers.edge -> gateway"]
    arrows += ["wallet.tap -> photopass", "wallet.tap -> os", "wallet.tap -> uuid", "wallet.tap -> time"]
    arrows += ["readers.edge -> fastapi", "readers.sync -> sqlalchemy", "readers.sync -> sqlite3"]
    arrows += ["gateway.services -> sqlalchemy", "simulators.verify -> sqlalchemy"]
    assert [arrow for arrow in arrows if arrow not in told] == []
