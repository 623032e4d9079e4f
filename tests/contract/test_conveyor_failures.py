"""What goes wrong on the conveyor goes wrong for one command only, and never halfway."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway.books import BooksBroken
from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.errors import Busy, NotHeld, Rejection
from tests.support.gateway_world import Burst, Charge, ChargeFolio, House, Move, NewParty, command, house


@pytest.fixture
def gateway(database_url: str) -> Iterator[House]:
    with house(database_url) as made:
        yield made


def together(gateway: House, *wishes: tuple[str, Any]) -> list[Future[dict[str, Any]]]:
    """Submit commands so that they share one batch: the conveyor is held by the lock that gathering needs."""
    with gateway.conveyor._arrived:
        return [gateway.conveyor.submit(name, command(body)) for name, body in wishes]


def count(gateway: House, kind: type[Any]) -> int:
    with gateway.database.read() as connection:
        return len(rows_where(connection, kind))


@pytest.mark.parametrize("where", ["decide", "keys", "write", "unheld", "late"])
def test_a_poisoned_command_fails_alone_in_its_batch(gateway: House, where: str) -> None:
    folio = gateway.party()["folio"]
    futures = together(
        gateway,
        ("test.charge", Charge(folio, 1)),
        ("test.fail", Burst(where)),
        ("test.charge", Charge(folio, 2)),
    )

    assert futures[0].result(20) == {"balance_minor": 1}
    assert futures[2].result(20) == {"balance_minor": 3}
    with pytest.raises((RuntimeError, DBAPIError, NotHeld)) as failed:
        futures[1].result(20)
    assert not isinstance(failed.value, Rejection)
    assert count(gateway, r.TransferRow) == 2


def test_a_refused_command_leaves_no_trace_for_the_next_of_its_batch(gateway: House) -> None:
    folio = gateway.party()["folio"]
    futures = together(
        gateway,
        ("test.charge", Charge(folio, 99_000)),
        ("test.charge", Charge(folio, 2_000)),
        ("test.charge", Charge(folio, 1_000)),
    )

    assert futures[0].result(20) == {"balance_minor": 99_000}
    assert futures[2].result(20) == {"balance_minor": 100_000}
    with pytest.raises(Rejection, match="over the limit"):
        futures[1].result(20)


def test_postings_that_do_not_sum_to_zero_are_not_written(gateway: House) -> None:
    folio = gateway.party()["folio"]

    with pytest.raises(BooksBroken, match="sum to 1"):
        gateway.do("test.charge", Charge(folio, 10, wrong=True))

    assert count(gateway, r.TransferRow) == 0
    assert gateway.do("test.charge", Charge(folio, 10)) == {"balance_minor": 10}


def test_an_answer_lost_on_its_way_is_given_again(gateway: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks after the commit and before the answer: the effect is there once, the answer comes."""
    folio = gateway.party()["folio"]
    engine = gateway.database._writers
    broken = threading.Event()
    do_commit = engine.dialect.do_commit

    def commit_and_break(connection: Any) -> None:
        do_commit(connection)
        if not broken.is_set():
            broken.set()
            raise OperationalError(
                "COMMIT", {}, Exception("the server went away"), connection_invalidated=True
            )

    monkeypatch.setattr(engine.dialect, "do_commit", commit_and_break)

    assert gateway.do("test.charge", Charge(folio, 10), "lost-answer") == {"balance_minor": 10}
    assert broken.is_set()
    assert count(gateway, r.TransferRow) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_cuts_connections_costs_no_command(gateway: House) -> None:
    folio = gateway.party()["folio"]
    cut = threading.Event()

    @event.listens_for(gateway.database._writers, "before_cursor_execute")
    def cut_once(connection: Any, *rest: Any) -> None:
        if not cut.is_set() and "INSERT INTO transfer" in rest[1]:
            cut.set()
            with gateway.database.read() as other:
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")

    assert gateway.do("test.charge", Charge(folio, 10)) == {"balance_minor": 10}
    assert cut.is_set()
    assert count(gateway, r.TransferRow) == 1


def test_a_full_queue_refuses_at_once_and_loses_nothing_it_took(database_url: str) -> None:
    with house(database_url, queue_max=5, batch_max=2) as gateway:
        folio = gateway.party()["folio"]
        with gateway.conveyor._arrived:
            taken = [gateway.conveyor.submit("test.charge", command(Charge(folio, 1))) for _ in range(5)]
            with pytest.raises(Busy) as busy:
                gateway.conveyor.submit("test.charge", command(Charge(folio, 1)))
        assert (busy.value.status, busy.value.headers) == (429, {"Retry-After": "1"})
        assert [future.result(20)["balance_minor"] for future in taken] == [1, 2, 3, 4, 5]


def test_a_batch_holds_as_much_work_as_it_may_and_not_as_many_commands(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChargeFolio, "weight", lambda self, body: body.amount_minor)
    sizes: list[int] = []
    with house(database_url, batch_max=10, on_batch=lambda outcomes: sizes.append(len(outcomes))) as gateway:
        folio = gateway.party()["folio"]
        futures = together(gateway, *(("test.charge", Charge(folio, amount)) for amount in (4, 4, 4, 50, 1)))
        assert [future.result(20)["balance_minor"] for future in futures] == [4, 8, 12, 62, 63]
    assert sizes[-4:] == [2, 1, 1, 1]


def test_stopping_carries_out_what_waits(database_url: str) -> None:
    with house(database_url) as gateway:
        folio = gateway.party()["folio"]
        futures = together(gateway, *[("test.charge", Charge(folio, 1))] * 50)
        gateway.conveyor.stop()
        assert futures[-1].result(0) == {"balance_minor": 50}
        with pytest.raises(Busy):
            gateway.conveyor.submit("test.charge", command(Charge(folio, 1)))


def test_a_command_may_use_what_an_earlier_one_of_its_batch_made(gateway: House) -> None:
    made = gateway.party()
    futures = together(
        gateway, ("test.move", Move(made["token_id"], band="04aa")), ("test.party", NewParty())
    )
    futures += together(gateway, ("test.move", Move(made["token_id"], band="04bb")))
    for future in futures:
        future.result(20)

    with gateway.database.read() as connection:
        (document,) = [
            row for row in rows_where(connection, r.TokenDocumentRow) if row.token_id == made["token_id"]
        ]
    assert document.version == document.body.version == 3
    assert sorted(medium.chip_uid for medium in document.body.media) == ["04aa", "04bb"]


@pytest.mark.parametrize("table", ["transfer", "posting"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET amount_minor = amount_minor", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_the_books_refuse_every_change_by_hand(gateway: House, table: str, change: str) -> None:
    if gateway.database.is_sqlite and change.startswith("TRUNCATE"):
        return  # SQLite knows no TRUNCATE; DELETE is how it empties a table, and that is refused above
    gateway.do("test.charge", Charge(gateway.party()["folio"], 10))

    with pytest.raises(DBAPIError, match="append-only"), gateway.database.write() as connection:
        connection.exec_driver_sql(change.format(table))

    assert (count(gateway, r.TransferRow), count(gateway, r.PostingRow)) == (1, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO return_window VALUES ('comet', {at}, {later}, 10, 11)",
        "INSERT INTO return_window VALUES ('comet', {at}, {later}, 10, -1)",
        "UPDATE account SET held_minor = -1",
        "UPDATE token SET pin_tries = -1",
    ],
)
def test_the_database_itself_refuses_what_must_never_be(gateway: House, statement: str) -> None:
    gateway.party()
    at, later = ("'2030-01-01T10:00:00.000000Z'", "'2030-01-01T11:00:00.000000Z'")

    with pytest.raises(DBAPIError, match=r"(?i)check|constraint"), gateway.database.write() as connection:
        connection.exec_driver_sql(statement.format(at=at, later=later))
