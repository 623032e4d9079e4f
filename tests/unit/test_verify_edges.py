"""What verification asks of the edges' side: journals, lamps, documents, and media after their end."""

import sqlite3
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from gateway.db import rows as r
from gateway.verify.report import NOT_CHECKABLE, Promise
from readers.audit import evidence
from tests.support.parity_world import TOKENS
from tests.support.verify_world import Day, had, not_checkable, only, read_evidence
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Refused


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
def test_lights_that_nobody_kept_are_not_taken_for_seen(day: Day, lost: str) -> None:
    log = day.folder / "hotel" / "lamp.jsonl"
    log.unlink()
    without = evidence("hotel", "hotel", day.folder / "hotel", log if lost == "removed" else None)
    day.evidence["hotel"] = without
    finding = day.verify()[Promise.NO_TAP_LOST]
    assert (finding.result, finding.unseen) == (NOT_CHECKABLE, ["hotel: there is no lamp log"])
    assert not_checkable(day) == {Promise.NO_TAP_LOST}


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


@pytest.mark.parametrize(
    ("online", "as_of_s", "broken"),
    [(True, 90, True), (False, 61, True), (False, 59, False), (False, -99 * 3600, False)],
)
def test_who_leaves_on_a_revoked_band_is_flagged_by_an_edge_that_had_to_know(
    day: Day, online: bool, as_of_s: int, broken: bool
) -> None:
    """The day itself has one who was let out with a flag, and no conflict says so."""
    tap = day.tap("gate-out")
    assert isinstance(tap.entry.decision, Approved)
    assert Flag.LET_OUT in tap.entry.decision.flags
    assert day.rows(r.ConflictRow) == []
    (revoked_at,) = [row.revoked_at for row in day.rows(r.MediumRow) if row.id == tap.medium_id]
    unflagged = replace(
        tap.entry,
        online=online,
        as_of=revoked_at + timedelta(seconds=as_of_s),
        decision=replace(tap.entry.decision, flags=()),
    )
    day.sql("UPDATE tap SET online = :online, entry = :entry WHERE id = :id",
            online=online, entry=msgspec.json.encode(unflagged).decode(), id=tap.id)  # fmt: skip
    named = day.broken()
    assert list(named) == ([Promise.REVOKED_STOPS] if broken else [])
    assert all("on its way out and is not flagged" in each for rows in named.values() for each in rows)


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


def test_a_light_that_was_green_for_a_refusal(day: Day) -> None:
    log = day.folder / "hotel" / "lamp.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    lines[-1] = lines[-1].replace('"light":"blue"', '"light":"green"')
    log.write_text("".join(lines))
    day.evidence = read_evidence(day.folder)
    only(day, Promise.NO_TAP_LOST, msgspec.json.decode(lines[-1])["tap_id"])


def test_an_entry_dropped_from_the_journal(day: Day) -> None:
    tap = day.tap("door-101")
    with sqlite3.connect(day.folder / "hotel" / "edge.sqlite") as store:
        store.execute("DELETE FROM journal WHERE tap_id = ?", (tap.id,))
    store.close()
    day.evidence = read_evidence(day.folder)
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
