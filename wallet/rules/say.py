"""How a refusal's detail is written: on the resort's clock, in digits that every language reads."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from wallet.resort import Resort


class Named(Protocol):
    """A thing of the resort that people call by a name."""

    @property
    def name(self) -> str:
        """What people call it."""


def names(ids: Iterable[str], find: Callable[[str], Named]) -> str:
    """Return the names in order, separated by commas; what this copy of the resort does not know keeps its id."""
    return ", ".join(sorted(_name(each, find) for each in set(ids)))


def _name(thing_id: str, find: Callable[[str], Named]) -> str:
    try:
        return find(thing_id).name
    except KeyError:
        return thing_id


def clock(at: datetime, resort: Resort) -> str:
    """Return the time of day at the resort ("14:55")."""
    return resort.local(at).strftime("%H:%M")


def moment(at: datetime, resort: Resort) -> str:
    """Return date and time at the resort ("2027-03-02 14:55")."""
    return resort.local(at).strftime("%Y-%m-%d %H:%M")


def when(at: datetime, seen_at: datetime, resort: Resort) -> str:
    """Return the time of day for who reads it on the same resort day, else date and time."""
    return clock(at, resort) if resort.day_of(at) == resort.day_of(seen_at) else moment(at, resort)
