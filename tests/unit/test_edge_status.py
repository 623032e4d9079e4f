"""What `passband edge status` calls trouble: each cause by itself, named, and silence when all is well."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from readers import status
from readers.status import ReaderStatus, Status, journal_fault, keys_alarm, lease_of, troubles_of
from tests.support.edge_world import NOON
from tests.support.worlds import RESORT
from wallet.resort import Resort, TouchpointKind

READER = ReaderStatus("gate-1-nfc", "gate-1", "udp:x", "up", "")
WELL = Status(
    edge="park",
    venue="park",
    online=True,
    as_of=NOON,
    position=9,
    backlog=0,
    epoch="e",
    number=3,
    acknowledged=3,
    readers=(READER,),
    clock=NOON,
    alarms=(),
    last_errors=(),
    lease_s=3600,
)


def changed(**fields: object) -> Status:
    return msgspec.structs.replace(WELL, **fields)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (changed(alarms=("the disk is full",)), "the disk is full"),
        (
            changed(
                readers=(
                    READER,
                    msgspec.structs.replace(READER, id="gate-2", state="down", last_error="No USB."),
                )
            ),
            "gate-2 at gate-1 is down: No USB.",
        ),
        (changed(readers=(msgspec.structs.replace(READER, state="starting"),)), "is starting"),
        (changed(as_of=None), "no facts have arrived"),
        (changed(online=False, clock=NOON + timedelta(seconds=3601)), "facts_too_old"),
    ],
)
def test_each_trouble_is_named(told: Status, named: str) -> None:
    (trouble,) = troubles_of(told)
    assert named in trouble


def test_no_trouble_is_found_where_there_is_none() -> None:
    assert troubles_of(WELL) == ()
    assert troubles_of(changed(online=False, backlog=7, last_errors=("unreachable",))) == ()
    assert troubles_of(changed(clock=NOON + timedelta(days=9))) == (), "online, the edge is told what is new"
    assert troubles_of(changed(online=False, lease_s=None, clock=NOON + timedelta(days=9))) == ()


def test_a_lease_is_the_shortest_of_what_stands_there() -> None:
    tight = with_leases(till_lease_s=100, gate_lease_s=200)
    of_kind = {each.kind: each.id for each in RESORT.touchpoints}
    till, gate, door = (of_kind[TouchpointKind(kind)] for kind in ("till", "park_gate", "door"))
    assert lease_of(tight, (till, gate, door)) == 100
    assert lease_of(tight, (gate, door)) == 200
    assert lease_of(tight, (door,)) is None
    assert lease_of(None, (till,)) is None


def with_leases(**policies: int) -> Resort:
    return msgspec.structs.replace(RESORT, policies=msgspec.structs.replace(RESORT.policies, **policies))


def test_a_journal_that_can_take_no_tap_is_told_before_a_guest_meets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "edge.sqlite"
    assert "gone" in journal_fault(database)
    database.touch()
    assert journal_fault(database) == ""
    assert "can't be reached" in journal_fault(tmp_path / "nowhere" / "edge.sqlite")
    monkeypatch.setattr(status, "JOURNAL_ROOM_MIN_BYTES", 1 << 62)
    assert "left" in journal_fault(database)
    assert troubles_of(WELL, "the disk has 3 KiB left") == ("the disk has 3 KiB left",)


def test_bands_whose_keys_were_not_told_here_are_an_alarm_and_forgeries_are_counted_only() -> None:
    told = msgspec.structs.replace(READER, keys_unknown=3, not_genuine=2)
    assert keys_alarm((READER, told)).startswith("3 taps of bands whose keys are not known here")
    assert keys_alarm((READER, msgspec.structs.replace(READER, not_genuine=2))) == ""
