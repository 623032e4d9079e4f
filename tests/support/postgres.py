"""One throw-away PostgreSQL for a whole test session, whoever of the workers needs it first starts it.

The session's controller names the folder and holds a lock on it while it lives. So a later session can tell
what a killed one left behind (a running server, its folder) and clear it away without touching a living one.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from simulators.postgres import LocalPostgres

PREFIX = "passband-tests-"
JUST_MADE_S = 60.0  # its maker may not hold the lock yet


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes for the length of a with block."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class SessionFolder:
    """The folder of one test session, in the system's temporary folder (see LocalPostgres for why)."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        # Held until this process ends, however it ends; not inherited by the server it may start.
        self._owner: IO[str] = (self.path / "owner").open("w")
        fcntl.flock(self._owner, fcntl.LOCK_EX)

    def close(self) -> None:
        """Stop the server, if one was started, and remove the folder."""
        clear(self.path)
        self._owner.close()


def clear(folder: Path) -> None:
    """Stop the server that may run in a session's folder and remove the folder."""
    data = folder / "postgres"
    if data.exists():
        LocalPostgres(data, durable=False).stop()
    shutil.rmtree(folder, ignore_errors=True)


def clear_left_behind() -> None:
    """Clear what sessions of this user left behind that were killed before they could do it themselves."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            found = folder.stat()
            if found.st_uid != os.getuid() or time.time() - found.st_ctime < JUST_MADE_S:
                continue
            with (folder / "owner").open("r+") as owner:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                clear(folder)
        except (FileNotFoundError, BlockingIOError):
            continue  # just being made, just being cleared, or alive


def server_url(folder: Path) -> str:
    """Return the URL of the session's server, starting it for the first who asks."""
    told = folder / "server.url"
    with locked(folder / "server.lock"):
        if not told.exists():
            clear_left_behind()
            server = LocalPostgres(folder / "postgres", durable=False)
            server.start()
            told.write_text(server.url())
    return told.read_text()
