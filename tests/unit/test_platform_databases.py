"""Each test gets a fresh copy of a database that was migrated once, and nothing stays behind."""

import fcntl
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from simulators.postgres import LocalPostgres, connect, postgres_url, running_postgres
from tests.support import postgres
from tests.support.databases import Databases

KINDS = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def trivial(session_folder: Path, worker_name: str) -> Databases:
    """Databases with one table; each migration is noted in the session's folder."""

    def migrate(url: str) -> None:
        with (session_folder / "migrations").open("a") as notes:
            notes.write(url.split(":")[0] + "\n")
        execute(url, "CREATE TABLE guest (name TEXT)")

    return Databases(session_folder, worker_name, migrate, template="trivial_template")


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run one statement on a database of either kind and return its rows."""
    if url.startswith("postgresql"):
        with connect(url) as server:
            cursor = server.execute(statement)
            return cursor.fetchall() if cursor.description else []
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
        return file.execute(statement).fetchall()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_database_is_migrated_and_one_s_own(trivial: Databases, kind: str, tmp_path: Path) -> None:
    with trivial.fresh(kind, tmp_path) as mine, trivial.fresh(kind, tmp_path) as other:
        execute(mine, "INSERT INTO guest VALUES ('Ada')")

        assert execute(mine, "SELECT name FROM guest") == [("Ada",)]
        assert execute(other, "SELECT name FROM guest") == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_template_is_migrated_once_for_all_workers(
    trivial: Databases, kind: str, tmp_path: Path, session_folder: Path
) -> None:
    for _ in range(2):
        with trivial.fresh(kind, tmp_path):
            pass

    assert (session_folder / "migrations").read_text().count(kind) == 1


def test_a_used_postgresql_database_is_dropped(trivial: Databases, tmp_path: Path) -> None:
    with trivial.fresh("postgresql", tmp_path) as url:
        still_open = connect(url)

    still_open.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(url)


def test_a_migration_that_holds_its_database_open_is_refused(session_folder: Path, tmp_path: Path) -> None:
    held = []

    def migrate(url: str) -> None:
        held.append(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None))
        held[0].execute("PRAGMA journal_mode = WAL")
        held[0].execute("CREATE TABLE guest (name TEXT)")

    databases = Databases(tmp_path, "main", migrate)
    with pytest.raises(AssertionError, match="holds the database open"):
        databases.sqlite(tmp_path)
    held[0].close()


def test_a_server_keeps_its_databases_over_a_restart(session_folder: Path) -> None:
    folder = session_folder / "restarted"
    with running_postgres(folder) as server:
        url = postgres_url(server)
        execute(url, "CREATE TABLE guest (name TEXT)")
        assert execute(url, "SHOW fsync") == [("on",)]

    with pytest.raises(psycopg.OperationalError):
        connect(url)
    with running_postgres(folder) as server:
        assert execute(postgres_url(server), "SELECT count(*) FROM guest") == [(0,)]


def test_stopping_twice_is_fine(session_folder: Path) -> None:
    server = LocalPostgres(session_folder / "stopped", durable=False)
    server.start()
    server.stop()
    server.stop()

    assert not (session_folder / "stopped" / "postmaster.pid").exists()


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder in which no other session lives, and no session is too young to be judged."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(postgres, "JUST_MADE_S", -1.0)
    return tmp_path


def test_what_a_killed_session_left_is_cleared(own_temp: Path) -> None:
    left = own_temp / f"{postgres.PREFIX}killed"
    left.mkdir()
    (left / "owner").touch()

    postgres.clear_left_behind()

    assert not left.exists()


def test_a_living_session_is_left_alone(own_temp: Path) -> None:
    living = postgres.SessionFolder()

    postgres.clear_left_behind()
    assert living.path.exists()

    living.close()
    assert not living.path.exists()


def test_a_session_just_made_is_left_alone(own_temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "JUST_MADE_S", 60.0)
    made = own_temp / f"{postgres.PREFIX}made"
    made.mkdir()
    (made / "owner").touch()

    postgres.clear_left_behind()

    assert made.exists()


def test_a_cleared_folder_does_not_come_back_at_exit(session_folder: Path) -> None:
    folder = session_folder / "gone" / "postgres"
    program = (
        "import pathlib, shutil, sys; from simulators.postgres import LocalPostgres\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "server = LocalPostgres(folder, durable=False); server.start(); server.stop()\n"
        "shutil.rmtree(folder.parent)\n"
    )
    root = Path(__file__).resolve().parents[2]

    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, cwd=root)

    assert not folder.parent.exists()


def test_only_one_holds_a_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with postgres.locked(lock), lock.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
