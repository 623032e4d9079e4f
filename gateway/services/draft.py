"""A command's own changes seen over the working set, for one that decides many things in a row. Pure."""

from typing import Any, TypeVar

from gateway.db.rows import Row
from gateway.working_set import WorkingSet, primary_key
from wallet.resort import Resort

R = TypeVar("R")
_Put = dict[type[Any], dict[tuple[Any, ...], Row]]


class Draft:
    """What has been put so far, over what the batch has loaded; `rows` is what the outcome writes in the end."""

    def __init__(self, state: WorkingSet) -> None:
        self._state = state
        self._put: _Put = {}

    @property
    def resort(self) -> Resort:
        """The resort as last loaded."""
        return self._state.resort

    @property
    def rows(self) -> tuple[Row, ...]:
        """Each row that was put, in its last state."""
        return tuple(row for rows in self._put.values() for row in rows.values())

    def put(self, *rows: Row) -> None:
        """Put rows; later looks see them."""
        for row in rows:
            self._put.setdefault(type(row), {})[primary_key(row)] = row

    def get(self, kind: type[R], *primary: Any) -> R | None:
        """Return the row, or None when there is none."""
        found: Any = self._put.get(kind, {}).get(primary)
        return found if found is not None else self._state.get(kind, *primary)

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        """Return the rows with these values."""
        found: dict[tuple[Any, ...], Any] = {primary_key(row): row for row in self._state.find(kind, **equal)}
        for primary, row in self._put.get(kind, {}).items():
            found.pop(primary, None)
            if all(getattr(row, name) == wanted for name, wanted in equal.items()):
                found[primary] = row
        return list(found.values())

    def take_back(self, mark: _Put) -> None:
        """Forget everything put since `mark` was taken."""
        self._put = mark

    def mark(self) -> _Put:
        """Return a point to take back to."""
        return {kind: dict(rows) for kind, rows in self._put.items()}
