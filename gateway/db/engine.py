"""One database, SQLite or PostgreSQL: how to read from it and how to write to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.bounds import (
    LOCK_GLANCE_S,
    LOCK_WAIT_S,
    POOL_WAIT_S,
    READER_IDLE_MAX_S,
    STATEMENT_MAX_S,
    WRITER_IDLE_MAX_S,
    WRITER_WAIT_S,
)

__all__ = [
    "DATABASE_FAULTS",
    "UNSTORABLE",
    "Connection",
    "Database",
    "glance",
    "is_conflict",
    "is_locked",
    "is_retryable",
    "is_unavailable",
    "normal_url",
    "said_by",
    "take_your_time",
]

UNSTORABLE: tuple[type[Exception], ...] = (DataError, OverflowError)
"""What is raised when a value itself cannot be kept: a NUL in a text, a number out of range."""

DATABASE_FAULTS: tuple[type[Exception], ...] = (DBAPIError, PoolTimeout)
"""What is raised when the database says no, or cannot be reached."""

_PATIENT_S = 60.0
# PostgreSQL's codes (its manual, appendix A): serialization failure, deadlock, ended by an operator, crash, starting.
_RETRYABLE_STATES = frozenset({"40001", "40P01", "57P01", "57P02", "57P03"})
_LOCKED_STATE = "55P03"
# Lock not available, statement cancelled by its time-out, idle too long; the classes 08 (no connection) and 53 (out of
# connections, memory or disk) belong to them.
_UNAVAILABLE_STATES = frozenset({_LOCKED_STATE, "57014", "25P03"})
_UNAVAILABLE_CLASSES = ("08", "53")


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

    def __init__(self, url: str, *, pool_size: int = 10, patient: bool = False) -> None:
        """Connect when asked first.

        Args:
            pool_size: connections kept open to read; as many again while there is need.
            patient: wait for locks and let statements take as long as they like: for migrations, not for serving.
        """
        self.url = normal_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(str(self.url.database))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It holds people's names: for its owner alone. SQLite gives its log the same mode.
            path.touch(mode=0o600)
            wait_s = _PATIENT_S if patient else WRITER_WAIT_S
            self._readers = _sqlite(self.url, "BEGIN", pool_size, wait_s)
            self._writers = _sqlite(self.url, "BEGIN IMMEDIATE", 2, wait_s)
        else:
            # Apart, so that however many read, who writes finds a connection.
            self._readers = _postgresql(self.url, pool_size, {} if patient else _READER_BOUNDS)
            self._writers = _postgresql(self.url, max(2, pool_size // 2), {} if patient else _WRITER_BOUNDS)

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


_READER_BOUNDS = {
    "lock_timeout": LOCK_WAIT_S,
    "idle_in_transaction_session_timeout": READER_IDLE_MAX_S,
}
_WRITER_BOUNDS = {
    "lock_timeout": LOCK_WAIT_S,
    "statement_timeout": STATEMENT_MAX_S,
    "idle_in_transaction_session_timeout": WRITER_IDLE_MAX_S,
}


def take_your_time(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they need; they still wait for no lock for ever."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def glance(connection: Connection) -> None:
    """Let this transaction hardly wait for a lock; on SQLite there is none but the writer's, which it has already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(LOCK_GLANCE_S * 1000)}")


def _postgresql(url: URL, pool_size: int, bounds_s: dict[str, float]) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_timeout=POOL_WAIT_S, pool_pre_ping=True
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # Once per connection and not per transaction; and not as a start-up option, which poolers refuse.
        connection.autocommit = True
        for name, bound_s in bounds_s.items():
            connection.execute(f"SET {name} = {round(bound_s * 1000)}")
        connection.autocommit = False

    return engine


def _sqlite(url: URL, begin: str, pool_size: int, wait_s: float) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_WAIT_S,
        connect_args={"timeout": wait_s},
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
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES or _is_sqlite_busy(error)


def _is_sqlite_busy(error: DBAPIError) -> bool:
    text = str(error.orig)
    return "database is locked" in text or "database is busy" in text


def is_locked(error: BaseException) -> bool:
    """Return whether one of the locks asked for is held by another; the others may be free."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _LOCKED_STATE


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database has no time, no room or no connection at this moment; later it may.

    Who met a held lock has waited for it as long as one may: trying again at once would hold up all who wait behind.
    """
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", "")
    if state is None:
        # What fails before the server said anything, or says it while connecting, comes without a code.
        return isinstance(error, OperationalError)
    if state in _UNAVAILABLE_STATES | _RETRYABLE_STATES or state.startswith(_UNAVAILABLE_CLASSES):
        return True
    return error.connection_invalidated or _is_sqlite_busy(error)


def said_by(error: Exception) -> str:
    """Return what the database itself said, in one line, without the statement."""
    words = str(getattr(error, "orig", None) or error).strip()
    return words.partition("\n")[0] or type(error).__name__
