"""Ids in a row for one command, the same each time it is decided. Pure."""

from typing import Any

from gateway.command import Command


class Ids:
    """Gives the command's ids one after the other."""

    def __init__(self, command: Command[Any]) -> None:
        self._command = command
        self._given = 0

    def next(self) -> str:
        """Return the next id."""
        self._given += 1
        return self._command.new_id(self._given - 1)
