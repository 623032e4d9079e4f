"""Bringing a database's tables to the version this code knows.

Alembic brings every dialect of SQLAlchemy along, which takes as long to load as half of the gateway. So the version
is asked first, and Alembic is loaded only where a migration is due.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from gateway.db import locks
from gateway.db.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0009"
"""The newest revision among migrations/versions."""


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest version, in one transaction; nothing happens when it is there.

    Several processes may start at once: one migrates, the others wait.

    Raises:
        ValueError: neither a SQLite file nor PostgreSQL.
    """
    database = Database(url, pool_size=1, patient=True)
    try:
        if is_current(database):
            return
        with database.write() as connection:
            locks.hold(connection, [locks.MIGRATION])
            # Another process may have migrated while this one waited for the lock.
            if _versions(connection) != [NEWEST]:
                _upgrade(connection)
    finally:
        database.close()


def configuration() -> "Config":
    """Return Alembic's configuration, made in code: there is no .ini file to find or to forget."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def is_current(database: Database) -> bool:
    """Return whether the database has exactly the version this code knows."""
    with database.read() as connection:
        return _versions(connection) == [NEWEST]


def is_made(database: Database) -> bool:
    """Return whether the database has tables of any version."""
    with database.read() as connection:
        return bool(_versions(connection))


def _versions(connection: Connection) -> list[str]:
    if not inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def _upgrade(connection: Connection) -> None:
    from alembic import command

    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
