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


@pytest.mark.parametrize(
    "code",
    [
        "import time\n\nNOW = time.time()",
        "from time import monotonic\n\nNOW = monotonic()",
        "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)",
        "import secrets\n\nKEY = secrets.token_bytes(16)",
        "import random\n\nDICE = random.random()",
        "import os\n\nKEY = os.urandom(16)",
        "from uuid import uuid4\n\nNAME = uuid4()",
        'import os\n\nURL = os.environ["PASSBAND_DATABASE_URL"]',
        'import os\n\nURL = os.getenv("PASSBAND_DATABASE_URL")',
    ],
)
def test_clock_dice_and_environment_are_banned_but_in_their_places(code: str) -> None:
    assert "TID251" in ruff("gateway/services/booking.py", code)
    assert "TID251" in ruff("readers/tapping.py", code)
    assert "TID251" in ruff("wallet/ids.py", code)
    for free in (
        "gateway/clock.py",
        "readers/clock.py",
        "gateway/settings.py",
        "simulators/day.py",
        "tests/x.py",
    ):
        assert "TID251" not in ruff(free, code)


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


def broken(house: Path) -> list[str]:
    """Return the names of the contracts that the house breaks."""
    told = subprocess.run(
        [str(BIN / "lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"},
    )
    lines = [line.removesuffix(" BROKEN") for line in told.stdout.splitlines() if line.endswith(" BROKEN")]
    assert (told.returncode == 0) == (lines == []), told.stdout + told.stderr
    return lines


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

    assert broken(house) == []


@pytest.mark.parametrize(
    ("module", "code", "contract"),
    [
        ("gateway/app.py", "import readers", "Imports point one way"),
        ("readers/edge.py", "import gateway", "Imports point one way"),
        ("gateway/app.py", "import simulators", "Imports point one way"),
        ("wallet/tap.py", "import photopass", "Imports point one way"),
        ("wallet/tap.py", "import os", "The wallet is pure"),
        ("wallet/tap.py", "from time import time", "The wallet is pure"),
        ("wallet/tap.py", "import uuid", "The wallet is pure"),
        ("readers/edge.py", "from fastapi import FastAPI", "An edge is light"),
        ("readers/edge.py", "from sqlalchemy.engine import Engine", "An edge is light"),
        ("gateway/services.py", "import sqlalchemy", "SQL on the gateway lives in gateway.db"),
        ("simulators/verify.py", "import sqlalchemy", "SQL on the gateway lives in gateway.db"),
        ("readers/sync.py", "import sqlite3", "SQLite on the edge lives in readers.store"),
    ],
)
def test_a_broken_contract_is_named(house: Path, module: str, code: str, contract: str) -> None:
    write(house, module, code + "\n")

    assert [name.startswith(contract) for name in broken(house)] == [True]
