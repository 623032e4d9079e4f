"""The SQLite file itself: durable commits, one writer at a time, and faults told apart."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readers.store.schema import CHIPS, SCHEMA, SCHEMA_VERSION, UPGRADES

_BUSY_S = 10.0
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class StoreUnwritable(Exception):
    """Nothing can be recorded now (disk full, read-only or failing); nothing of the transaction was kept."""


class StoreDamaged(Exception):
    """The file contradicts itself, so that nothing may rest on it; the sentence says where."""


class Database:
    """One connection to write, one to read, each used by one thread at a time.

    The reading connection stays open for as long as the writing one: SQLite then never recovers the log in
    between, so that a commit which failed can't come back later.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, made anew where there is none.

        Raises:
            StoreDamaged: not a database, or of a later schema.
            StoreUnwritable: the directory takes no file.
        """
        self.created = not path.exists()
        _for_its_owner_alone(path)
        try:
            self._write = _connect(path)
            _prepare(self._write)
            self._read = _connect(path)
            self._read.execute("PRAGMA query_only=1")
        except sqlite3.Error as error:
            raise named(error) from error
        if self.created:
            _sync_directory(path.parent)
        self._writing = threading.Lock()
        self._reading = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one transaction, durable once the block has ended without an exception."""
        with self._writing:
            try:
                self._write.execute("BEGIN IMMEDIATE")
                try:
                    yield self._write
                    self._write.execute("COMMIT")
                except BaseException:
                    if self._write.in_transaction:
                        self._write.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise named(error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run the block on the state of the last commit."""
        with self._reading:
            try:
                self._read.execute("BEGIN")
                try:
                    yield self._read
                finally:
                    self._read.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise named(error) from error

    def close(self) -> None:
        """Close both connections; the log is folded into the file."""
        with self._writing, self._reading:
            self._read.close()
            self._write.close()


def _for_its_owner_alone(path: Path) -> None:
    """Make the file, or close it to others: who was where is nobody's business. SQLite's log beside it follows suit."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StoreUnwritable(f"edge.sqlite can't be written: {error.strerror}") from error


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are opened by hand (isolation_level None); the locks above keep threads apart.
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    # FULL and nothing less: with NORMAL a commit in WAL mode isn't flushed and is lost with the power.
    db.execute("PRAGMA synchronous=FULL")
    return db


def _prepare(db: sqlite3.Connection) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        db.executescript(f"BEGIN IMMEDIATE;{SCHEMA}{CHIPS}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        return
    if version > SCHEMA_VERSION or version not in {*UPGRADES, SCHEMA_VERSION}:
        raise StoreDamaged(f"edge.sqlite has schema {version}; this program knows {SCHEMA_VERSION} only")
    for step in range(version, SCHEMA_VERSION):
        db.executescript(f"BEGIN IMMEDIATE;{UPGRADES[step]}PRAGMA user_version={step + 1};COMMIT;")


def _sync_directory(directory: Path) -> None:
    # A new file's name is durable only once its directory is.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def named(error: sqlite3.Error) -> Exception:
    """Return the store's own exception for one of SQLite's; a mistake of ours stays what it is."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return StoreDamaged(f"edge.sqlite is damaged: {error}")
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnwritable(f"edge.sqlite can't be written: {error}")
    return error
