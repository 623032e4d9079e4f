"""The tables on both databases: migrated to what the code knows, and rows that come back as they went in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import StatementError

from gateway.db import migrate
from gateway.db import rows as r
from gateway.db.engine import Database, normal_url
from gateway.db.load import rows_where
from gateway.db.migrate import NEWEST, configuration, is_current
from gateway.db.tables import metadata
from gateway.db.write import write_rows
from tests.support.gateway_world import RESORT
from wallet.tap import Sale, SaleLine

AT = datetime(2030, 6, 30, 23, 59, 59, 999_999, UTC)


def test_the_migrations_make_exactly_the_tables_the_code_knows(database_url: str) -> None:
    database = Database(database_url)
    migrate(database_url)
    assert is_current(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_the_newest_version_is_the_last_of_the_migrations() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [NEWEST]


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/gateway.sqlite"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [url] * 4))
    database = Database(url)
    assert is_current(database)
    database.close()
    assert (tmp_path / "new/gateway.sqlite").stat().st_mode & 0o077 == 0


def test_a_database_of_another_version_is_noticed(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'future'")
    assert not is_current(database)
    database.close()


def test_rows_come_back_as_they_went_in(database_url: str) -> None:
    sale = Sale("s", "grill", "EUR", (SaleLine("i", 1, 250, "vat"),), 250)
    rows = [
        r.ResortVersionRow(1, RESORT, AT, "staff:é ☃ '; DROP TABLE token"),
        r.StaffRow("s", "Núria", "hash", ("desk", "operations"), AT),
        r.ConflictRow("c", "double_use", AT, detail={"a": [1, None, "ñ"]}),
        r.ReturnWindowRow("comet", AT, AT + timedelta(hours=1), 10, 10),
    ]
    database = Database(database_url)
    with database.write() as connection:
        write_rows(connection, rows, [])
    with database.read() as connection:
        for row in rows:
            assert rows_where(connection, type(row)) == [row]
    database.close()
    assert sale.total_minor == 250


@pytest.mark.parametrize("hours", [-11, 0, 5.5])
def test_an_instant_is_kept_to_the_microsecond_whatever_zone_it_came_in(
    database_url: str, hours: float
) -> None:
    local = AT.astimezone(timezone(timedelta(hours=hours)))
    database = Database(database_url)
    with database.write() as connection:
        write_rows(connection, [r.EdgeRow("e", "v", r.EdgeState.WAITING, enrolled_at=local)], [])
    with database.read() as connection:
        (row,) = rows_where(connection, r.EdgeRow)
    assert row.enrolled_at == AT
    assert row.enrolled_at is not None
    assert row.enrolled_at.utcoffset() == timedelta(0)
    database.close()


def test_a_naive_instant_is_refused(database_url: str) -> None:
    database = Database(database_url)
    naive = AT.replace(tzinfo=None)
    with pytest.raises(StatementError, match="time zone"), database.write() as connection:
        write_rows(connection, [r.EdgeRow("e", "v", r.EdgeState.WAITING, enrolled_at=naive)], [])
    database.close()


def test_a_row_that_should_be_new_and_is_not_fails_aloud(database_url: str) -> None:
    database = Database(database_url)
    row = r.EdgeRow("e", "v", r.EdgeState.WAITING)
    with database.write() as connection:
        write_rows(connection, [row], [])
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"), database.write() as connection:
        write_rows(connection, [row], [])
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y"])
def test_a_database_that_cannot_keep_a_promise_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database"):
        normal_url(url)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_keeps_what_it_has_committed(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    # synchronous 2 is FULL: a commit is on the disk before it is answered.
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()
