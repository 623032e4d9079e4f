"""Verification tells a kept promise from a broken one, and both from one that it cannot see."""

from pathlib import Path

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.verify.report import NOT_CHECKABLE, Promise
from tests.support.databases import Databases
from tests.support.parity_world import folio_of, medium_id
from tests.support.verify_world import Day, only
from tests.support.worlds import an_id


def test_a_day_that_keeps_every_promise(day: Day) -> None:
    report = day.verify()
    assert {each.name: each.broken for each in report.findings.values() if each.broken} == {}
    assert all(each.result is True for each in report.findings.values())
    assert report.holds
    figures = {"taps": 16, "approved": 14, "lost_taps": 0, "duplicated_taps": 0, "conflicts": 0}
    assert report.figures.items() >= figures.items()
    assert report.figures["offline_taps"] == 1
    assert report.refused == {"not_entitled": 1, "medium_revoked": 1}


def test_where_nothing_is_seen_nothing_is_said_to_hold(databases: Databases, tmp_path: Path) -> None:
    empty = Day(tmp_path, Database(databases.sqlite(tmp_path)), {})
    report = empty.verify()
    empty.database.close()
    assert {each.result for each in report.findings.values()} == {NOT_CHECKABLE}
    assert report.holds


def test_a_guest_without_a_token(day: Day) -> None:
    guest = an_id(900)
    party = day.rows(r.PartyRow)[0].id
    day.sql("INSERT INTO guest VALUES (:id, :party, :token, 0, 0)", id=guest, party=party, token=an_id(901))
    only(day, Promise.ONE_TOKEN, guest)


def test_a_chip_that_carries_two_tokens(day: Day) -> None:
    for token in (0, 1):
        day.sql("UPDATE medium SET chip_uid = '04abcd' WHERE id = :id", id=medium_id(token, 0))
    only(day, Promise.ONE_TOKEN, "04abcd")


def test_the_database_itself_refuses_a_second_sale_of_a_tap(day: Day) -> None:
    sale = next(row for row in day.rows(r.TransferRow) if row.tap_id == day.tap("till").id)
    copied = "kind, at, day, currency, amount_minor, description, command_id, tap_id"
    copy = f"INSERT INTO transfer (id, {copied}) SELECT :again, {copied} FROM transfer WHERE id = :id"
    with pytest.raises(IntegrityError, match="tap_id"):
        day.sql(copy, again=an_id(902), id=sale.id)
    assert day.broken() == {}


def test_a_charge_that_was_not_due(day: Day) -> None:
    tap = day.tap("till")
    day.sql("UPDATE tap SET amount_minor = 0 WHERE id = :id", id=tap.id)
    only(day, Promise.COUNTED_ONCE, f"{tap.id} is told as approved of 0, its entry says approved of 1450")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE transfer SET tap_id = NULL WHERE tap_id = :id", "made 0 sales where 1"),
        ("UPDATE transfer SET amount_minor = 1 WHERE tap_id = :id", "of 1 in place of 1450"),
    ],
)
def test_a_charge_that_was_due_otherwise(day: Day, statement: str, says: str) -> None:
    tap = day.tap("till")
    day.sql(statement, id=tap.id)
    named = day.broken()[Promise.COUNTED_ONCE]
    assert any(tap.id in sentence and says in sentence for sentence in named), named


def test_an_entry_that_became_two_taps(day: Day) -> None:
    """The database refuses it as well: the copy gets a place of its own, and then that of the tap it was made of."""
    tap, other = day.tap("door-101"), an_id(905)
    values = "touchpoint, reader, at, received_at, decision, online, entry, amount_minor"
    day.sql("ALTER TABLE tap RENAME TO tap_before")
    day.sql("CREATE TABLE tap AS SELECT * FROM tap_before")
    day.sql(
        f"INSERT INTO tap (id, edge, epoch, number, {values}) "
        f"SELECT :other, edge, epoch, number, {values} FROM tap WHERE id = :id",
        other=other, id=tap.id,
    )  # fmt: skip
    only(day, Promise.COUNTED_ONCE, f"{tap.id} and {other} are both entry {tap.number} of hotel")
    assert day.verify().figures["duplicated_taps"] == 1


def test_a_sale_of_no_tap(day: Day) -> None:
    tap, other = day.tap("till"), an_id(903)
    day.sql("UPDATE transfer SET tap_id = :other WHERE tap_id = :id", other=other, id=tap.id)
    only(day, Promise.COUNTED_ONCE, other)


def test_a_transfer_that_does_not_sum_to_zero(day: Day) -> None:
    sale = next(row for row in day.rows(r.PostingRow) if row.amount_minor < 0)
    day.sql("UPDATE posting SET amount_minor = amount_minor + 1 WHERE transfer_id = :id AND number = :number",
            id=sale.transfer_id, number=sale.number)  # fmt: skip
    only(day, Promise.BOOKS_BALANCE, sale.transfer_id)


@pytest.mark.parametrize("column", ["balance_minor", "held_minor"])
def test_a_balance_that_is_not_the_sum_of_its_postings(day: Day, column: str) -> None:
    day.sql(f"UPDATE account SET {column} = {column} + 1 WHERE id = :id", id=folio_of(0))
    only(day, Promise.BOOKS_BALANCE, folio_of(0))


@pytest.mark.parametrize("broken", ["taken = 2", "capacity = 2", "attraction = 'whirl'"])
def test_a_window_that_is_oversold_or_loses_a_booking(day: Day, broken: str) -> None:
    day.sql(f"UPDATE return_window SET {broken}")
    only(day, Promise.NOT_OVERSOLD, "comet")


@pytest.mark.parametrize(
    ("lost", "takes"),
    [
        ("UPDATE entitlement SET revoked_at = made_at WHERE id = 't2-bypass'", 1),
        ("DELETE FROM entitlement WHERE id = 't2-bypass'", 1),
        ("UPDATE entitlement SET revoked_at = NULL", 0),
    ],
)
def test_a_confirmed_booking_that_is_lost_though_the_window_adds_up(day: Day, lost: str, takes: int) -> None:
    body = {"entitlement_id": "t2-bypass", "attraction": "comet", "starts_at": "2027-03-02T10:00:00+00:00"}
    copied = "party_id, token_id, scopes, scopes_after, command_id, command_name, actor, channel, at"
    day.sql(
        f"INSERT INTO feed_entry (kind, position, body, {copied}) SELECT 'reservation.booked', "
        f"(SELECT max(position) + 1 FROM feed_entry), :body, {copied} FROM feed_entry WHERE position = 3",
        body=msgspec.json.encode(body).decode(),
    )
    assert day.broken() == {}
    day.sql(lost)
    day.sql(f"UPDATE return_window SET taken = taken - {takes}")
    named = day.broken().get(Promise.NOT_OVERSOLD, [])
    assert [sentence.split(" for ")[0] for sentence in named] == ["reservation t2-bypass"] * takes


def test_an_account_past_its_limit(day: Day) -> None:
    day.sql("UPDATE account SET limit_minor = 100 WHERE id = :id", id=folio_of(0))
    only(day, Promise.WITHIN_LIMITS, folio_of(0))


def test_a_guest_past_the_daily_limit(day: Day) -> None:
    day.sql("UPDATE tap_use SET amount_minor = 99999 WHERE tap_id = :id", id=day.tap("till").id)
    only(day, Promise.WITHIN_LIMITS, "99999")


def test_a_refusal_without_a_reason(day: Day) -> None:
    tap = day.tap("door-101", "refused")
    day.sql("UPDATE tap SET reason = 'because' WHERE id = :id", id=tap.id)
    only(day, Promise.REFUSALS_EXPLAINED, tap.id)


def test_a_reservation_redeemed_twice_with_no_conflict(day: Day) -> None:
    copied = "entitlement_id, token_id, step, at, day, place, amount_minor"
    day.sql(f"INSERT INTO tap_use (tap_id, {copied}) SELECT :other, {copied} FROM tap_use WHERE tap_id = :id",
            other=an_id(904), id=day.tap("comet-merge").id)  # fmt: skip
    only(day, Promise.CONVERGED, "t0-bypass")


def test_a_feed_with_a_gap(day: Day) -> None:
    day.sql(
        "UPDATE feed_entry SET position = position + 5 WHERE position = (SELECT max(position) FROM feed_entry)"
    )
    only(day, Promise.CONVERGED, "positions")
