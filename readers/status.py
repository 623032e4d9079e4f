"""How an edge is, as it tells staff and programs."""

from datetime import datetime

from msgspec import Struct


class ReaderStatus(Struct, frozen=True):
    """One reader; `encodings` are the jobs that wait at it, if it is an encoder."""

    id: str
    touchpoint: str
    path: str
    state: str
    last_error: str
    encodings: tuple[str, ...] = ()


class Status(Struct, frozen=True):
    """The edge now. `alarms` need a person, `last_errors` may pass by themselves."""

    edge: str
    venue: str
    online: bool
    as_of: datetime | None
    position: int
    backlog: int
    epoch: str
    number: int
    acknowledged: int
    readers: tuple[ReaderStatus, ...]
    clock: datetime
    alarms: tuple[str, ...]
    last_errors: tuple[str, ...]
