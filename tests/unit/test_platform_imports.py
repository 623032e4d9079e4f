"""What a process may not load before it needs it: the demo starts seven, and a killed reader is to be back at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The packages that take longest to load.
HEAVY = {
    "alembic",
    "fastapi",
    "httpx",
    "pydantic",
    "sqlalchemy",
    "rich",
    "pygments",
    "PIL",
    "jinja2",
    "psycopg",
}


def loaded_by(statements: str) -> set[str]:
    """Return the names of the packages that are loaded after these statements, in a process of their own."""
    # What is kept from being imported stands there too, with None for a module.
    told_last = "print(json.dumps(sorted({n.partition('.')[0] for n, m in sys.modules.items() if m})))"
    program = f"import json, sys\n{statements}\n{told_last}"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(told.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("statements", "needed", "kept_out"),
    [
        pytest.param(
            "import passband; passband.main(['edge', '--help'])",
            {"readers"},
            HEAVY | {"nfc", "serial", "uvicorn", "starlette", "cryptography", "sqlite3"},
            id="edge --help",
        ),
        pytest.param(
            "import readers.cli, readers.edge, readers.web.server",
            {"readers", "nfc", "sqlite3"},
            HEAVY | {"uvicorn", "starlette", "gateway"},
            id="edge run, up to its first tap",
        ),
        pytest.param(
            "import passband; passband.main(['gateway', '--help'])",
            {"gateway"},
            HEAVY | {"uvicorn", "starlette", "argon2", "wallet"},
            id="gateway --help",
        ),
        pytest.param(
            "import gateway.console.serving",
            {"gateway", "fastapi", "sqlalchemy", "uvicorn"},
            {"alembic", "mako", "httpx", "psycopg", "readers", "rich", "pygments"},
            id="gateway run",
        ),
        pytest.param(
            "import gateway.console.people, gateway.console.house, gateway.console.resort",
            {"gateway", "sqlalchemy"},
            {"alembic", "fastapi", "uvicorn", "httpx", "jinja2", "readers"},
            id="gateway's other words",
        ),
        pytest.param(
            "import simulators.cli, simulators.demo.program",
            {"simulators"},
            HEAVY - {"httpx", "rich", "pygments"} | {"nfc", "uvicorn"},
            id="demo, until its processes start",
        ),
        pytest.param(
            "import simulators.field.service",
            {"simulators", "nfc"},
            HEAVY | {"gateway"},
            id="simulate field",
        ),
    ],
)
def test_a_process_loads_what_it_needs_and_no_more(
    statements: str, needed: set[str], kept_out: set[str]
) -> None:
    loaded = loaded_by(statements)

    assert needed <= loaded
    assert loaded & kept_out == set()


def test_an_edge_that_runs_loads_httpx_without_its_command_line() -> None:
    loaded = loaded_by(
        "import passband, readers.transport.http\npassband.main(['edge', '--help'])\nimport httpx"
    )

    assert "httpx" in loaded
    assert loaded & {"rich", "pygments"} == set()


def test_a_database_that_is_current_needs_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.sqlite"
    migrate = f"from gateway.db import migrate; migrate({url!r})"

    assert "alembic" in loaded_by(migrate)
    assert "alembic" not in loaded_by(migrate)
