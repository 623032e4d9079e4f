"""Fresh, migrated databases for tests: migrated once a session into a template, then copied for each test."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.postgres import create_database, drop_database
from tests.support.postgres import locked, server_url

Migrate = Callable[[str], None]


class Databases:
    """Hands out copies of migrated templates, shared by all workers of a session.

    Args:
        folder: the session's folder, the same for every worker.
        worker: this worker's name, part of its databases' names.
        migrate: brings the database at a SQLAlchemy URL up to date and lets go of it.
        template: the templates' name; another migration needs another name.
    """

    def __init__(
        self, folder: Path, worker: str, migrate: Migrate, template: str = "passband_template"
    ) -> None:
        self._folder = folder
        self._worker = worker
        self._migrate = migrate
        self._template = template
        self._numbers = itertools.count(1)

    @contextmanager
    def fresh(self, kind: str, folder: Path) -> Iterator[str]:
        """Yield the URL of a fresh database, "sqlite" in `folder` or "postgresql" on the session's server."""
        if kind == "sqlite":
            yield self.sqlite(folder)
            return
        server, name = self.postgresql()
        try:
            yield database_url(server, name)
        finally:
            drop_database(server, name)

    def sqlite(self, folder: Path) -> str:
        """Copy the SQLite template into `folder` and return the copy's URL."""
        template = self._folder / f"{self._template}.db"
        with locked(self._folder / f"{self._template}.sqlite.lock"):
            if not template.exists():
                self._make_sqlite(template)
        copy = folder / f"passband_{next(self._numbers)}.db"
        shutil.copyfile(template, copy)
        return f"sqlite:///{copy}"

    def _make_sqlite(self, template: Path) -> None:
        part = template.with_suffix(".part")
        part.unlink(missing_ok=True)
        self._migrate(f"sqlite:///{part}")
        write_ahead_log = part.with_name(part.name + "-wal")
        # SQLite folds the log into the file when the last connection closes; before that a copy lacks rows.
        assert not write_ahead_log.exists(), "the migration still holds the database open"
        part.replace(template)

    def postgresql(self) -> tuple[str, str]:
        """Clone the template on the session's server; return the server's URL and the clone's name."""
        server = server_url(self._folder)
        made = self._folder / f"{self._template}.made"
        with locked(self._folder / f"{self._template}.postgresql.lock"):
            if not made.exists():
                drop_database(server, self._template)
                create_database(server, self._template)
                self._migrate(database_url(server, self._template))
                made.touch()
        name = f"{self._template}_{self._worker}_{next(self._numbers)}"
        create_database(server, name, template=self._template)
        return server, name


def database_url(server: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return server.replace("@/postgres?", f"@/{name}?", 1)
