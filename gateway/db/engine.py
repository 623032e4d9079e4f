"""One database, SQLite or PostgreSQL: how to read from it and how to write to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

__all__ = [
    "DATABASE_FAULTS",
    "UNSTORABLE",
    "Connection",
    "Database",
    "is_conflict",
    "is_retryable",
    "normal_url",
    "said_by",
]

UNSTORABLE: tuple[type[Exception], ...] = (DataError, OverflowError)
DATABASE_FAULTS: tuple[type[Exception], ...] = (DBAPIError,)
"""What is raised when a value itself cannot be kept: a NUL in a text, a number out of range."""

_BUSY_TIMEOUT_S = 15.0
# PostgreSQL: serialization failure, deadlock, lock not available, admin shutdown, crash shutdown, cannot connect now.
_RETRYABLE_STATES = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03"})


def normal_url(url: str) -> URL:
    """Return the URL with the driver this project uses.

    Raises:
        ValueError: neither a SQLite file nor PostgreSQL.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite+pysqlite")
    raise ValueError(
        f"{backend} is no database of this gateway; give a sqlite:///file or a postgresql:// URL"
    )


class Database:
    """Connections to one database. On SQLite a writer begins IMMEDIATE, so that it never has to upgrade a lock."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = normal_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(str(self.url.database))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It holds people's names: for its owner alone. SQLite gives its log the same mode.
            path.touch(mode=0o600)
            self._readers = _sqlite(self.url, "BEGIN", pool_size)
            self._writers = _sqlite(self.url, "BEGIN IMMEDIATE", 2)
        else:
            self._readers = self._writers = create_engine(
                self.url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True
            )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is rolled back at the end."""
        with self._readers.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, or rolled back by an exception."""
        with self._writers.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._readers.dispose()
        self._writers.dispose()


def _sqlite(url: URL, begin: str, pool_size: int) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, connect_args={"timeout": _BUSY_TIMEOUT_S}
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: the event below says which kind.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            "cache_size = -65536",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def is_conflict(error: BaseException) -> bool:
    """Return whether a constraint of the database was broken: a uniqueness, a reference or a CHECK."""
    return isinstance(error, IntegrityError)


def is_retryable(error: BaseException) -> bool:
    """Return whether the same transaction may succeed when run again from its start.

    A lost connection counts: a stored answer tells whether the commit happened. So does a broken uniqueness: two
    processes may have carried out the same command, and the second finds the answer of the first.
    """
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or is_conflict(error):
        return True
    if getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES:
        return True
    text = str(error.orig)
    return "database is locked" in text or "database is busy" in text


def said_by(error: Exception) -> str:
    """Return what the database itself said, in one line, without the statement."""
    words = str(getattr(error, "orig", None) or error).strip()
    return words.partition("\n")[0] or type(error).__name__
