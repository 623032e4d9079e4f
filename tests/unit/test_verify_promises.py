"""Verification tells a kept promise from a broken one, and both from one that it cannot see."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.verify.report import NOT_CHECKABLE, Promise
from readers.audit import evidence
from tests.support.databases import Databases
from tests.support.parity_world import TOKENS, folio_of, medium_id
from tests.support.verify_world import DATABASE, Day, had, live_a_day, read_evidence
from tests.support.worlds import an_id
from wallet.reasons import Reason
from wallet.tap import Refused


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Path:
    folder = tmp_path_factory.mktemp("day")
    made = databases.sqlite(folder).removeprefix("sqlite:///")
    Path(made).rename(folder / DATABASE)
    live_a_day(folder, f"sqlite:///{folder / DATABASE}")
    return folder


@pytest.fixture
def folder(lived: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived, tmp_path / "day"))


@pytest.fixture
def day(folder: Path) -> Iterator[Day]:
    made = Day(folder, Database(f"sqlite:///{folder / DATABASE}"), read_evidence(folder))
    yield made
    made.database.close()


def test_a_day_that_keeps_every_promise(day: Day) -> None:
    report = day.verify()
    assert {each.name: each.broken for each in report.findings.values() if each.broken} == {}
    assert all(each.result is True for each in report.findings.values())
    assert report.holds
    figures = {"taps": 15, "approved": 13, "lost_taps": 0, "duplicated_taps": 0, "conflicts": 0}
    assert report.figures.items() >= figures.items()
    assert report.figures["offline_taps"] == 1
    assert report.refused == {"not_entitled": 1, "medium_revoked": 1}


def test_where_nothing_is_seen_nothing_is_said_to_hold(databases: Databases, tmp_path: Path) -> None:
    empty = Day(tmp_path, Database(databases.sqlite(tmp_path)), {})
    report = empty.verify()
    empty.database.close()
    assert {each.result for each in report.findings.values()} == {NOT_CHECKABLE}
    assert report.holds


def test_without_the_edges_their_promises_cannot_be_checked(day: Day) -> None:
    day.evidence = {}
    assert not_checkable(day) == {
        Promise.NO_TAP_LOST,
        Promise.WITHIN_LIMITS,
        Promise.SAME_VERDICT,
        Promise.CONVERGED,
    }


def test_one_edge_whose_files_are_not_given_is_named(day: Day) -> None:
    del day.evidence["shops"]
    finding = day.verify()[Promise.CONVERGED]
    assert (finding.result, finding.unseen) == (
        NOT_CHECKABLE,
        ["shops: the files of this edge are not given"],
    )
    assert day.verify().as_dict()["unseen"]["converged"] == finding.unseen  # type: ignore[index]  # JSON is untyped


@pytest.mark.parametrize("lost", ["removed", "never kept"])
def test_lights_that_nobody_kept_are_not_taken_for_seen(day: Day, folder: Path, lost: str) -> None:
    log = folder / "hotel" / "lamp.jsonl"
    log.unlink()
    without = evidence("hotel", "hotel", folder / "hotel", log if lost == "removed" else None)
    day.evidence["hotel"] = without
    finding = day.verify()[Promise.NO_TAP_LOST]
    assert (finding.result, finding.unseen) == (NOT_CHECKABLE, ["hotel: there is no lamp log"])
    assert not_checkable(day) == {Promise.NO_TAP_LOST}


def not_checkable(day: Day) -> set[Promise]:
    return {each.promise for each in day.verify().findings.values() if each.result == NOT_CHECKABLE}


def only(day: Day, promise: Promise, names: str) -> None:
    """Only this promise is broken, and one of its rows is named."""
    broken = day.broken()
    assert list(broken) == [promise], broken
    assert any(names in sentence for sentence in broken[promise]), broken[promise]


# --- the database alone ----------------------------------------------------------------------------------------------


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


def test_a_medium_approved_after_it_was_revoked(day: Day) -> None:
    tap = day.tap("gate-in")
    day.sql("UPDATE medium SET revoked_at = '2027-03-02T11:00:00.000000Z', state = 'revoked' WHERE id = :id",
            id=tap.medium_id)  # fmt: skip
    only(day, Promise.REVOKED_STOPS, tap.id)


@pytest.mark.parametrize(
    ("touchpoint", "as_of_s", "resort", "says"),
    [
        ("gate-in", 61, 0, "at a connected edge"),  # it says that it was alone, and yet it knew
        ("gate-in", 59, 0, ""),
        ("gate-in", -25 * 3600, 1, "by an edge alone since"),
        ("gate-in", -23 * 3600, 1, ""),
        ("door-101", -99 * 3600, 1, ""),  # a door's facts hold for the stay
    ],
)
def test_a_revoked_medium_at_an_edge_that_was_alone(
    day: Day, touchpoint: str, as_of_s: int, resort: int, says: str
) -> None:
    tap = day.tap(touchpoint)
    revoked_at = tap.at - timedelta(seconds=30)
    known = replace(
        tap.entry,
        online=False,
        as_of=(revoked_at if as_of_s > 0 else tap.at) + timedelta(seconds=as_of_s),
        resort_version=resort,
    )
    day.sql("UPDATE tap SET online = 0, entry = :entry WHERE id = :id",
            entry=msgspec.json.encode(known).decode(), id=tap.id)  # fmt: skip
    day.sql("UPDATE medium SET revoked_at = :at, state = 'revoked' WHERE id = :id",
            at=revoked_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), id=tap.medium_id)  # fmt: skip
    day.sql("INSERT INTO conflict (id, kind, at, tap_id, detail, amount_minor, state, note, resolved_by) "
            "SELECT id, 'revoked_medium', at, id, '{}', 0, 'open', '', '' FROM tap WHERE medium_id = :id",
            id=tap.medium_id)  # fmt: skip
    named = [sentence for sentence in day.broken().get(Promise.REVOKED_STOPS, []) if tap.id in sentence]
    assert bool(named) == bool(says), named
    assert all(says in sentence for sentence in named)


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


# --- the edges' side -------------------------------------------------------------------------------------------------


def test_a_tap_that_the_ledger_lost(day: Day) -> None:
    tap = day.tap("door-101")
    day.sql("DELETE FROM tap WHERE id = :id", id=tap.id)
    only(day, Promise.NO_TAP_LOST, tap.id)
    assert day.verify().figures["lost_taps"] == 1


def test_a_tap_that_was_acknowledged_and_then_forgotten(day: Day) -> None:
    """A gateway restored from an older copy has said that it has what it no longer knows."""
    tap = day.tap("door-101")
    day.sql("DELETE FROM tap WHERE id = :id", id=tap.id)
    day.sql("DELETE FROM journal_head WHERE edge = :edge", edge=tap.edge)
    only(day, Promise.NO_TAP_LOST, f"{tap.id} is acknowledged")
    hotel = day.evidence[tap.edge]
    day.evidence[tap.edge] = replace(hotel, acknowledged=dict.fromkeys(hotel.acknowledged, 0))
    assert day.broken() == {}, "what was not acknowledged is still on its way"


def test_a_light_that_was_green_for_a_refusal(day: Day, folder: Path) -> None:
    log = folder / "hotel" / "lamp.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    lines[-1] = lines[-1].replace('"light":"blue"', '"light":"green"')
    log.write_text("".join(lines))
    day.evidence = read_evidence(folder)
    only(day, Promise.NO_TAP_LOST, msgspec.json.decode(lines[-1])["tap_id"])


def test_an_entry_dropped_from_the_journal(day: Day, folder: Path) -> None:
    tap = day.tap("door-101")
    with sqlite3.connect(folder / "hotel" / "edge.sqlite") as store:
        store.execute("DELETE FROM journal WHERE tap_id = ?", (tap.id,))
    store.close()
    day.evidence = read_evidence(folder)
    only(day, Promise.NO_TAP_LOST, tap.id)
    assert any("chain" in sentence for sentence in day.broken()[Promise.NO_TAP_LOST])


def test_an_entry_that_stands_twice(day: Day) -> None:
    tap = day.tap("gate-in")
    copied = "kind, tap_id, sale_id, body, head"
    day.store("park", f"INSERT INTO journal (epoch, number, {copied}) SELECT epoch, 99, {copied} "
                      "FROM journal WHERE tap_id = ?", tap.id)  # fmt: skip
    assert any(tap.id in sentence for sentence in day.broken()[Promise.COUNTED_ONCE])
    assert day.verify().figures["duplicated_taps"] == 1


def test_a_tap_that_stands_in_the_journals_of_two_edges(day: Day) -> None:
    day.evidence["park-2"] = replace(day.evidence["park"], edge="park-2")
    taps = sum(each.edge == "park" for each in day.rows(r.TapRow))
    assert day.verify().figures["duplicated_taps"] == taps


def test_a_history_written_anew_as_it_was_is_no_other_one(day: Day) -> None:
    day.had_written("park", lambda entry: entry)
    assert day.broken() == {}
    assert not_checkable(day) == set()


@pytest.mark.parametrize(
    ("verdict", "touchpoint", "changes", "says"),
    [
        ("refused", "gate-in", {"decision": Refused(Reason.TOKEN_UNKNOWN)}, "token_unknown"),
        ("approved", "plaza", {"document_version": 99}, "never published"),
        ("approved", "plaza", {"document_version": 0}, "not_entitled"),
        ("approved", "plaza", {"resort_version": 0}, "facts_too_old"),
        ("approved", "plaza", {"resort_version": 99}, "of the resort, which was never published"),
    ],
)
def test_a_verdict_that_does_not_come_out_again(
    day: Day, verdict: str, touchpoint: str, changes: dict[str, object], says: str
) -> None:
    tap = day.tap(touchpoint, verdict)
    day.had_written("park", had(tap.id, **changes))
    only(day, Promise.SAME_VERDICT, says)


def test_a_journal_that_was_written_anew_after_it_came_home(day: Day) -> None:
    heads = {row.edge: row.head for row in day.rows(r.JournalHeadRow)}
    day.had_written("park", had(day.tap("plaza").id, at=day.tap("plaza").at + timedelta(seconds=1)))
    assert day.broken() == {}
    day.sql("UPDATE journal_head SET head = :head WHERE edge = 'park'", head=heads["park"])
    only(day, Promise.CONVERGED, "is not the one that the gateway took")


def test_an_edge_that_holds_another_document(day: Day) -> None:
    with sqlite3.connect(day.folder / "park" / "edge.sqlite") as store:
        store.execute("UPDATE document SET version = 77 WHERE token_id = ?", (TOKENS[2],))
    store.close()
    day.look_again()
    only(day, Promise.CONVERGED, TOKENS[2])


def test_an_edge_that_is_behind_is_named_and_not_taken_for_converged(day: Day) -> None:
    with sqlite3.connect(day.folder / "park" / "edge.sqlite") as store:
        store.execute("UPDATE cursor SET position = 2")
    store.close()
    day.look_again()
    last = max(row.number for row in day.rows(r.TapRow) if row.edge == "hotel")
    day.sql("UPDATE journal_head SET number = number - 1 WHERE edge = 'hotel'")
    finding = day.verify()[Promise.CONVERGED]
    highest = day.evidence["hotel"].position
    assert finding.unseen == [
        "hotel is behind: 1 journal entries are not home",
        f"park is behind: it knows position 2 of {highest}",
    ]
    assert finding.broken == [f"hotel: entry {last - 1} is not the one that the gateway took"]
    day.sql("DELETE FROM journal_head WHERE edge = 'hotel'")
    assert day.verify()[Promise.CONVERGED].result == NOT_CHECKABLE
