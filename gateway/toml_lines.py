"""Where in a TOML text each key stands, so that a mistake can be shown with its line."""

import re
import tomllib
from typing import Any

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*=")


class Lines:
    """The line of each table and key of a TOML text, by its path: ("rooms", 3, "venue") → 41."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._read(text)

    def of(self, path: Path) -> int:
        """Return the line (from 1) of the path, or of the nearest thing around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _read(self, text: str) -> None:
        table: Path = ()
        pending = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if pending:
                # Inside a value that began on an earlier line: nothing here is a key of the table.
                pending = pending + "\n" + line
                if _is_whole(pending):
                    pending = ""
                continue
            if header := _HEADER.match(line):
                table = self._table(header[2], many=header[1] == "[[")
                self._lines.setdefault(table, number)
            elif key := _KEY.match(line):
                self._lines.setdefault((*table, key[1].strip("\"'")), number)
                if not _is_whole(line):
                    pending = line

    def _table(self, dotted: str, *, many: bool) -> Path:
        names = [name.strip().strip("\"'") for name in dotted.split(".")]
        path: Path = ()
        for name in names[:-1]:
            path = (*path, name)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        path = (*path, names[-1])
        if many:
            self._counts[path] = self._counts.get(path, 0) + 1
            path = (*path, self._counts[path] - 1)
        return path


def _is_whole(text: str) -> bool:
    """Return whether `key = value` ends here; a value that runs over several lines does not parse before its end."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def parse(text: str) -> tuple[dict[str, Any], Lines]:
    """Return the content of a TOML text and where it stands.

    Raises:
        tomllib.TOMLDecodeError: not TOML; its message names line and column.
    """
    return tomllib.loads(text), Lines(text)
