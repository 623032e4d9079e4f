"""How an edge is, as it tells staff and programs."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from wallet.resort import Resort, TouchpointKind

JOURNAL_ROOM_MIN_BYTES = 1 << 20
"""Room on the disk below which a journal soon takes nothing more: some thousand taps, with the database's own files."""

_NO_LEASE = (TouchpointKind.DOOR, TouchpointKind.ENCODER)


class ReaderStatus(Struct, frozen=True):
    """One reader; `encodings` are the jobs that wait at it, if it is an encoder.

    Since the start it refused `not_genuine` chips that could not prove themselves, and `keys_unknown` bands of an epoch
    whose keys this edge was not told.
    """

    id: str
    touchpoint: str
    path: str
    state: str
    last_error: str
    encodings: tuple[str, ...] = ()
    not_genuine: int = 0
    keys_unknown: int = 0


class Status(Struct, frozen=True):
    """The edge now. `alarms` need a person, `last_errors` may pass by themselves.

    `lease_s` is for how long it decides alone by what it knows; None where only doors are, which do so
    for the stay.
    `troubles` says in sentences why a tap may not get the verdict it should: empty when all is well.
    """

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
    lease_s: int | None = None
    troubles: tuple[str, ...] = ()


def troubles_of(status: Status, journal_fault: str = "") -> tuple[str, ...]:
    """Return what keeps this edge from giving right verdicts: alarms, readers that are down, facts too old.

    Args:
        journal_fault: why the journal can't be written, as `journal_fault` found.
    """
    found = [*status.alarms]
    if journal_fault and journal_fault not in found:
        found.append(journal_fault)
    for reader in status.readers:
        if reader.state != "up":
            why = f": {reader.last_error}" if reader.last_error else ""
            found.append(f"reader {reader.id} at {reader.touchpoint} is {reader.state}{why}")
    if status.as_of is None:
        found.append("no facts have arrived from the gateway yet")
    elif (
        status.lease_s is not None and not status.online and _age(status) > timedelta(seconds=status.lease_s)
    ):
        found.append(
            f"the facts are of {status.as_of:%Y-%m-%d %H:%M} UTC, older than the lease of "
            f"{status.lease_s} s: taps are refused with facts_too_old"
        )
    return tuple(found)


def keys_alarm(readers: Iterable[ReaderStatus]) -> str:
    """Return that bands came whose keys this edge was not told, empty when none did."""
    count = sum(reader.keys_unknown for reader in readers)
    if not count:
        return ""
    return f"{count} taps of bands whose keys are not known here; is this edge connected, and enrolled for its venue?"


def _age(status: Status) -> timedelta:
    return status.clock - status.as_of if status.as_of else timedelta(0)


def lease_of(resort: Resort | None, touchpoints: Iterable[str]) -> int | None:
    """Return the shortest lease among these touchpoints, in seconds; None where no lease ends."""
    if resort is None:
        return None
    here = set(touchpoints)
    kinds = {each.kind for each in resort.touchpoints if each.id in here}
    tills = {TouchpointKind.TILL} & kinds
    gates = kinds - tills - set(_NO_LEASE)
    leases = [resort.policies.till_lease_s] * len(tills) + [resort.policies.gate_lease_s] * len(gates)
    return min(leases, default=None)


def journal_fault(database: Path) -> str:
    """Return why the journal could take no tap now, empty when it could."""
    try:
        disk = os.statvfs(database.parent)
    except OSError as error:
        return f"the journal's directory {database.parent} can't be reached ({error.strerror})"
    if not database.exists():
        return f"the journal {database} is gone"
    if not os.access(database, os.W_OK) or not os.access(database.parent, os.W_OK):
        return f"the journal {database} can't be written"
    free = disk.f_bavail * disk.f_frsize
    if free < JOURNAL_ROOM_MIN_BYTES:
        return f"the journal's disk has {free >> 10} KiB left"
    return ""
