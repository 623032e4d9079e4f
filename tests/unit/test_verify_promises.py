"""Verification tells a kept promise from a broken one, and both from one that it cannot see."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.verify.report import NOT_CHECKABLE, Promise
from tests.support.databases import Databases
from tests.support.parity_world import TOKENS, folio_of, medium_id
from tests.support.verify_world import DATABASE, Day, live_a_day, read_evidence
from tests.support.worlds import an_id
from wallet.evidence import EdgeEvidence, SeenEntry
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
    made = Day(Database(f"sqlite:///{folder / DATABASE}"), read_evidence(folder))
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
    empty = Day(Database(databases.sqlite(tmp_path)), {})
    report = empty.verify()
    empty.database.close()
    assert {each.result for each in report.findings.values()} == {NOT_CHECKABLE}
    assert report.holds


def test_without_the_edges_their_promises_cannot_be_checked(day: Day) -> None:
    day.evidence = {}
    unseen = {each.promise for each in day.verify().findings.values() if each.result == NOT_CHECKABLE}
    assert unseen == {Promise.NO_TAP_LOST, Promise.SAME_VERDICT, Promise.CONVERGED}


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
    only(day, Promise.COUNTED_ONCE, f"{tap.id} made 1 sales where 0")


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


def edited(evidence: EdgeEvidence, tap_id: str, **changes: object) -> EdgeEvidence:
    entries = tuple(
        SeenEntry(replace(seen.entry, **changes), seen.chained)
        if seen.entry.tap and seen.entry.tap.tap_id == tap_id
        else seen
        for seen in evidence.entries
    )
    return replace(evidence, entries=entries)


def test_an_entry_that_stands_twice(day: Day) -> None:
    park = day.evidence["park"]
    day.evidence["park"] = replace(park, entries=(*park.entries, park.entries[-1]))
    last = park.entries[-1].entry.tap
    assert last is not None
    only(day, Promise.COUNTED_ONCE, last.tap_id)


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
    day.evidence["park"] = edited(day.evidence["park"], tap.id, **changes)
    only(day, Promise.SAME_VERDICT, says)


def test_a_sale_alone_past_what_the_edge_may_owe(day: Day) -> None:
    tap = next(row for row in day.rows(r.TapRow) if row.touchpoint == "till" and not row.online)
    day.evidence["shops"] = edited(day.evidence["shops"], tap.id, edge_offline_minor=500_000)
    broken = day.broken()
    assert set(broken) == {Promise.WITHIN_LIMITS, Promise.SAME_VERDICT}, (
        "the rulebook would not have sold either"
    )
    assert "owing 501450 (edge)" in broken[Promise.WITHIN_LIMITS][0]


def test_an_edge_that_holds_another_document(day: Day) -> None:
    park = day.evidence["park"]
    day.evidence["park"] = replace(park, documents=park.documents | {TOKENS[2]: 77})
    only(day, Promise.CONVERGED, TOKENS[2])
