"""From a command's `at` to its commit no more time passes than `as_of` allows for, whatever holds it up."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway.bounds import (
    AS_OF_MARGIN,
    LOCK_WAIT_S,
    QUEUED_MAX_S,
    STATEMENT_MAX_S,
    WRITER_WAIT_S,
    WRITTEN_WITHIN_S,
)
from gateway.clock import SystemClock
from gateway.db import rows as r
from gateway.db.engine import Database, is_unavailable
from gateway.db.load import rows_where
from gateway.errors import Busy, Unavailable
from tests.support.gateway_world import (
    RESORT,
    SERVICES,
    Charge,
    ChargeFolio,
    HandClock,
    House,
    NewParty,
    Resettle,
    command,
    held,
    house,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def gateway(database_url: str, clock: HandClock) -> Iterator[House]:
    with house(database_url, clock=clock) as made:
        yield made


def transfers(gateway: House) -> int:
    with gateway.database.read() as connection:
        return len(rows_where(connection, r.TransferRow))


def test_what_a_command_may_wait_for_leaves_it_time_to_be_written() -> None:
    assert QUEUED_MAX_S + LOCK_WAIT_S < WRITTEN_WITHIN_S
    # A batch and then its command alone may wait for a held lock, and the next one is still in time.
    assert 2 * LOCK_WAIT_S < QUEUED_MAX_S


def test_behind_a_held_lock_a_command_is_answered_in_time_and_may_come_again(gateway: House) -> None:
    folio = gateway.party()["folio"]
    began_s = SystemClock().monotonic()
    with held(gateway, f"ACCOUNT:{folio}"), pytest.raises(Busy) as busy:
        gateway.do("test.charge", Charge(folio, 10), "held-up")
    assert SystemClock().monotonic() - began_s < QUEUED_MAX_S + max(WRITER_WAIT_S, LOCK_WAIT_S) + 1
    assert busy.value.status in (429, 503)
    assert "Retry-After" in busy.value.headers
    assert transfers(gateway) == 0
    assert gateway.do("test.charge", Charge(folio, 10), "held-up") == {"balance_minor": 10}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_one_held_lock_holds_up_its_own_command_and_not_those_of_its_batch(gateway: House) -> None:
    stuck, free = gateway.party()["folio"], gateway.party()["folio"]
    with held(gateway, f"ACCOUNT:{stuck}"):
        with gateway.conveyor._arrived:
            wishes = (Charge(stuck, 1), Charge(free, 2))
            first, second = [gateway.conveyor.submit("test.charge", command(wish)) for wish in wishes]
        assert second.result(20) == {"balance_minor": 2}
        with pytest.raises(Unavailable):
            first.result(20)


def test_a_command_that_waited_too_long_is_not_carried_out(gateway: House, clock: HandClock) -> None:
    folio = gateway.party()["folio"]
    with gateway.conveyor._arrived:
        late = gateway.conveyor.submit("test.charge", command(Charge(folio, 1)))
        clock.ahead_s += QUEUED_MAX_S + 0.1
        fresh = gateway.conveyor.submit("test.charge", command(Charge(folio, 2)))
    with pytest.raises(Busy):
        late.result(20)
    assert fresh.result(20) == {"balance_minor": 2}


def test_what_was_written_too_late_is_rolled_back(
    gateway: House, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    folio = gateway.party()["folio"]
    decide, slow = ChargeFolio.decide, threading.Event()

    def slowly(self: ChargeFolio, state: Any, wish: Any) -> Any:
        clock.ahead_s += 0.0 if slow.is_set() else WRITTEN_WITHIN_S + 0.1
        slow.set()
        return decide(self, state, wish)

    monkeypatch.setattr(ChargeFolio, "decide", slowly)
    with pytest.raises(Busy):
        gateway.do("test.charge", Charge(folio, 1), "too-slow")
    assert transfers(gateway) == 0
    assert gateway.do("test.charge", Charge(folio, 1), "too-slow") == {"balance_minor": 1}


def test_a_day_that_leaps_makes_no_command_late_and_as_of_waits_for_it(
    gateway: House, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its instant is of before the leap: no sweep may claim to have seen all up to the new day before it is written."""
    folio = gateway.party()["folio"]
    decide = ChargeFolio.decide
    told: list[datetime] = []

    def leaping(self: ChargeFolio, state: Any, wish: Any) -> Any:
        clock.day_ahead_s += 8 * 3600
        gateway.feed.sweep()
        told.append(gateway.feed.batch_for("park", 0).as_of)
        return decide(self, state, wish)

    monkeypatch.setattr(ChargeFolio, "decide", leaping)
    with gateway.conveyor._arrived:
        waiting = gateway.conveyor.submit("test.charge", command(Charge(folio, 1)))
        asked_at = clock.now()
        clock.day_ahead_s += 8 * 3600
        gateway.feed.sweep()
    assert waiting.result(20) == {"balance_minor": 1}
    assert len(told) == 1
    assert told[0] <= asked_at - AS_OF_MARGIN
    assert gateway.feed.batch_for("park", 0).as_of > asked_at + timedelta(hours=15)


def test_a_resorts_load_may_take_its_time_and_as_of_waits_for_it(
    gateway: House, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commit comes long after its instant: no sweep meanwhile may claim to have seen all up to there."""
    gateway.party("lagoon")
    service = SERVICES["test.resort"]
    decide = type(service).decide
    told: list[datetime] = []

    def slowly(self: Any, state: Any, wish: Any) -> Any:
        clock.ahead_s += 600
        gateway.feed.sweep()
        told.append(gateway.feed.batch_for("park", 0).as_of)
        return decide(self, state, wish)

    monkeypatch.setattr(type(service), "decide", slowly)
    began = clock.now()
    gateway.do("test.resort", Resettle(msgspec.structs.replace(RESORT, version=2)))
    assert told
    assert told[0] <= began + timedelta(seconds=1) - AS_OF_MARGIN
    gateway.feed.sweep()
    assert gateway.feed.batch_for("park", 0).as_of > began + timedelta(seconds=500)


def test_a_journals_batch_counts_in_the_queue_as_often_as_it_has_entries(
    gateway: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    folio = gateway.party()["folio"]
    monkeypatch.setattr(ChargeFolio, "weight", lambda self, body: body.amount_minor)
    with gateway.conveyor._arrived:
        taken = [gateway.conveyor.submit("test.charge", command(Charge(folio, n))) for n in (1500, 400)]
        with pytest.raises(Busy):
            gateway.conveyor.submit("test.charge", command(Charge(folio, 500)))
        taken.append(gateway.conveyor.submit("test.party", command(NewParty())))
    for future in taken:
        future.result(20)
    # However heavy, alone it may come.
    assert gateway.conveyor.submit("test.charge", command(Charge(folio, 5000))).result(20)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_every_writer_of_postgresql_has_its_bounds(database_url: str) -> None:
    database, patient = Database(database_url), Database(database_url, patient=True)
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")

    def told(connection: Any) -> list[str]:
        return [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]

    with database.write() as writer, database.read() as reader, patient.write() as migrating:
        assert told(writer) == ["1500ms", "3s", "10s"]
        assert told(reader) == ["1500ms", "0", "10min"]
        assert told(migrating) == ["0", "0", "0"]
    with pytest.raises(DBAPIError) as cancelled, database.write() as writer:
        writer.exec_driver_sql(f"SELECT pg_sleep({STATEMENT_MAX_S + 5})")
    assert is_unavailable(cancelled.value)
    database.close()
    patient.close()


@pytest.mark.parametrize("state", ["53200", "53300", "57014", "55P03", "40P01", "08006", None])
def test_a_database_without_time_or_room_is_unavailable_and_no_error_of_ours(state: str | None) -> None:
    class Said(Exception):
        sqlstate = state

    assert is_unavailable(OperationalError("SELECT", {}, Said("no")))


def test_a_mistake_of_ours_is_no_unavailable_database() -> None:
    class Said(Exception):
        sqlstate = "42P01"

    assert not is_unavailable(OperationalError("SELECT", {}, Said("no such table")))
    assert not is_unavailable(OperationalError("SELECT", {}, Exception("no such table: x")))
