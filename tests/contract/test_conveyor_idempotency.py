"""One command, one effect: however often, however concurrently, and in however many bodies its id comes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import text

from gateway.db import locks
from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.errors import Rejection
from tests.support.gateway_world import Charge, House, NewParty, command, house


@pytest.fixture
def gateway(database_url: str) -> Iterator[House]:
    with house(database_url) as made:
        yield made


def balance(gateway: House, account_id: str) -> int:
    with gateway.database.read() as connection:
        (account,) = [row for row in rows_where(connection, r.AccountRow) if row.id == account_id]
        posted = [row for row in rows_where(connection, r.PostingRow) if row.account_id == account_id]
    assert account.balance_minor == sum(row.amount_minor for row in posted)
    return account.balance_minor


def test_the_same_command_again_gives_the_stored_answer_and_no_second_effect(gateway: House) -> None:
    folio = gateway.party()["folio"]
    first = gateway.do("test.charge", Charge(folio, 500), "charge-1")
    again = gateway.do("test.charge", Charge(folio, 500), "charge-1")
    assert first == again == {"balance_minor": 500}
    assert balance(gateway, folio) == 500


@pytest.mark.parametrize(("amount", "actor"), [(501, "staff:test"), (500, "staff:other")])
def test_another_wish_under_a_known_id_is_refused(gateway: House, amount: int, actor: str) -> None:
    folio = gateway.party()["folio"]
    gateway.do("test.charge", Charge(folio, 500), "charge-1")
    with pytest.raises(Rejection) as refused:
        gateway.do("test.charge", Charge(folio, amount), "charge-1", actor)
    assert (refused.value.code, refused.value.status) == ("idempotency_key_reused", 422)
    assert balance(gateway, folio) == 500


def test_thirty_threads_with_one_id_make_one_effect(gateway: House) -> None:
    folio = gateway.party()["folio"]
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: gateway.do("test.charge", Charge(folio, 7), "one"), range(30)))
    assert answers == [{"balance_minor": 7}] * 30
    assert balance(gateway, folio) == 7


def test_one_id_twice_in_one_batch_is_carried_out_once(database_url: str) -> None:
    with house(database_url) as gateway:
        folio = gateway.party()["folio"]
        # Whatever is submitted while the conveyor holds a batch waits for the next one, together.
        wishes = [command(Charge(folio, 5), "twice") for _ in range(20)] + [
            command(Charge(folio, 6), "twice")
        ]
        futures = [gateway.conveyor.submit("test.charge", wish) for wish in wishes]
        assert [future.result(10) for future in futures[:20]] == [{"balance_minor": 5}] * 20
        with pytest.raises(Rejection):
            futures[20].result(10)
        assert balance(gateway, folio) == 5


def test_a_refusal_is_not_stored_so_the_same_id_may_succeed_later(gateway: House) -> None:
    folio = gateway.party()["folio"]
    gateway.do("test.charge", Charge(folio, 99_999))
    with pytest.raises(Rejection):
        gateway.do("test.charge", Charge(folio, 10), "later")
    gateway.do("test.charge", Charge(folio, -50_000))
    assert gateway.do("test.charge", Charge(folio, 10), "later") == {"balance_minor": 50_009}


def test_two_gateways_with_one_id_make_one_effect(database_url: str) -> None:
    with house(database_url) as one, house(database_url, load=False) as other, ThreadPoolExecutor(16) as pool:
        folio = one.party()["folio"]
        for n in range(20):
            futures = [
                pool.submit(each.do, "test.charge", Charge(folio, 1), f"race-{n}")
                for each in (one, other) * 4
            ]
            assert {future.result()["balance_minor"] for future in futures} == {n + 1}
        assert balance(one, folio) == 20


def test_the_second_gateway_finds_the_answer_and_does_not_decide_again(database_url: str) -> None:
    with house(database_url) as one, house(database_url, load=False) as other:
        folio = one.party()["folio"]
        with one.database.write() as connection:
            # Both have taken the command up before either can decide it. Decided twice, it would be over the limit.
            locks.hold(connection, [f"ACCOUNT:{folio}"])
            wishes = [
                each.conveyor.submit("test.charge", command(Charge(folio, 60_000), "once"))
                for each in (one, other)
            ]
            while not one.database.is_sqlite and _waiting_for_locks(other) < 2:
                Event().wait(0.005)
        assert [wish.result(10) for wish in wishes] == [{"balance_minor": 60_000}] * 2
        assert balance(one, folio) == 60_000


def _waiting_for_locks(gateway: House) -> int:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with gateway.database.read() as connection:
        return int(connection.execute(waiting).scalar_one())


def test_an_answer_survives_the_process(database_url: str) -> None:
    with house(database_url) as gateway:
        made = gateway.do("test.party", NewParty(), "party-1")
    with house(database_url, load=False) as gateway:
        assert gateway.do("test.party", NewParty(), "party-1") == made
