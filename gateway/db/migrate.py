"""Bringing a database's tables to the version this code knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from gateway.db import locks
from gateway.db.engine import Database


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest version, in one transaction; nothing happens when it is there.

    Several processes may start at once: one migrates, the others wait.

    Raises:
        ValueError: neither a SQLite file nor PostgreSQL.
    """
    database = Database(url, pool_size=1)
    try:
        with database.write() as connection:
            locks.hold(connection, [locks.MIGRATION])
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def configuration() -> Config:
    """Return Alembic's configuration, made in code: there is no .ini file to find or to forget."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def is_current(database: Database) -> bool:
    """Return whether the database has exactly the version this code knows."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == ScriptDirectory.from_config(configuration()).get_current_head()
