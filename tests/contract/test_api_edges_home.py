"""Journals, holds and what is left for a person, over HTTP on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.db.write import write_rows
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import ARRIVAL, NAMES
from tests.support.resort_world import RESORT
from tests.support.till import charged, new_tap
from wallet.journal import GENESIS, EntryKind, JournalBatch, JournalEntry, chain
from wallet.reasons import Reason
from wallet.snapshot import encode
from wallet.tap import Decision, Refused, Tap

EPOCH = "0190a000-0000-7000-8000-000000000001"


class Shops:
    """The shops' edge with a family checked in, its journal kept by hand."""

    def __init__(self, anyone: Api) -> None:
        self.anyone, self.world = anyone, anyone.world
        self.edge, self.number, self.head = EdgeApi(anyone, "shops", "shops"), 0, GENESIS
        self.booking = anyone.book()
        self.desk, self.operations = anyone.staff("desk"), anyone.staff("operations")
        self.world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts) + timedelta(hours=9)
        self.desk.post(f"/parties/{self.booking['party_id']}/check-in", {})
        self.token = self.booking["guests"][0]["token_id"]
        answer = self.desk.post(f"/tokens/{self.token}/media", {"kind": "phone"})
        self.medium = answer.json()["medium_id"]
        self.desk.put(f"/tokens/{self.token}/pin", {"pin": "4711"})
        (self.right,) = self.world.rows(r.EntitlementRow, token_id=self.token, kind="spending")
        self.world.clock.at += timedelta(minutes=5)

    def tap(self, amount_minor: int, **more: Any) -> Tap:
        return new_tap(self.world, self.token, amount_minor, medium_id=self.medium, **more)

    def batch(self, *verdicts: tuple[Tap, Decision], token: str = "") -> JournalBatch:
        entries = []
        for tap, decision in verdicts:
            entry = JournalEntry(
                edge="shops",
                epoch=EPOCH,
                number=self.number + 1,
                kind=EntryKind.TAP,
                at=tap.at,
                rulebook=1,
                position=0,
                previous=self.head,
                tap=tap,
                token_id=token or self.token,
                decision=decision,
            )
            entries.append(entry)
            self.number, self.head = entry.number, chain(self.head, entry)
        return JournalBatch(1, "shops", EPOCH, tuple(entries), self.head)

    def hold(self, tap: Tap) -> Any:
        return self.edge.post("/edge/holds", {"tap": tap, "token_id": self.token})

    def account(self) -> r.AccountRow:
        (account,) = self.world.rows(r.AccountRow, party_id=self.booking["party_id"])
        return account


@pytest.fixture
def shops(database_url: str, tmp_path: Path) -> Iterator[Shops]:
    with api(database_url, tmp_path) as made:
        yield Shops(made)


def test_a_journal_brought_twice_charges_once(shops: Shops) -> None:
    tap = shops.tap(1_450)
    batch = encode(shops.batch((tap, charged(shops.world, tap, shops.right.id))))
    first, again = shops.edge.post("/edge/journal", batch), shops.edge.post("/edge/journal", batch)
    assert first.status_code == 200, first.text
    assert {**first.json(), "position": 0} == {**again.json(), "position": 0}
    changes = shops.world.gateway.feed.batch_for("shops", 0).changes
    assert 0 < max(change.position for change in changes) <= first.json()["position"]
    (told,) = [change.document for change in changes if change.token_id == shops.token]
    assert tap.tap_id in {use.tap_id for use in told.uses}
    assert (first.json()["acknowledged"], first.json()["head"]) == (1, shops.head)
    assert shops.account().balance_minor == 149_001 + 1_450
    lines = shops.desk.get(f"/parties/{shops.booking['party_id']}/folio").json()["lines"]
    assert (lines[-1]["tap_id"], lines[-1]["outlet"], lines[-1]["given_name"]) == (
        tap.tap_id,
        "harbour-grill",
        NAMES[0],
    )
    told = shops.desk.get(f"/parties/{shops.booking['party_id']}/timeline").json()["entries"]
    said = [entry["sentence"] for entry in told]
    assert f"{NAMES[0]} paid 14.50 EUR at Grill till, while the reader was offline." in said
    seen = shops.desk.get(f"/taps/{tap.tap_id}").json()
    assert (seen["decision"], [use["step"] for use in seen["uses"]], seen["amount_minor"]) == (
        "approved",
        ["charge"],
        1_450,
    )


def test_a_gap_is_refused_with_what_the_gateway_has(shops: Shops) -> None:
    tap = shops.tap(1_000)
    shops.batch((tap, charged(shops.world, tap, shops.right.id)))
    later = shops.batch((tap, charged(shops.world, tap, shops.right.id)))
    answer = shops.edge.post("/edge/journal", encode(later))
    assert (answer.status_code, answer.json()["code"]) == (409, "journal_gap")
    assert (answer.json()["acknowledged"], answer.json()["head"]) == (0, GENESIS)
    assert answer.json()["position"] == shops.world.gateway.feed.head > 0
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_edge_brings_its_own_journal_and_well_formed_bodies(shops: Shops) -> None:
    tap = shops.tap(1_000)
    batch = shops.batch((tap, charged(shops.world, tap, shops.right.id)))
    other = EdgeApi(shops.anyone, "park", "park")
    assert other.post("/edge/journal", encode(batch)).json()["code"] == "other_edge"
    for body in (b"{", b'{"wire": "x"}', b""):
        answer = shops.edge.post("/edge/journal", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert shops.edge.post("/edge/holds", {"tap": 1}).status_code == 400
    assert shops.desk.post("/edge/journal", {}).status_code == 403
    assert shops.world.rows(r.TapRow) == []


def test_a_hold_is_placed_once_and_posted_by_the_journal(shops: Shops) -> None:
    tap = shops.tap(8_900)
    answers = [shops.hold(tap).json() for _ in range(2)]
    assert answers == [{"answer": "held"}] * 2
    assert shops.account().held_minor == 8_900
    shops.edge.post("/edge/journal", encode(shops.batch((tap, charged(shops.world, tap, shops.right.id)))))
    assert (shops.account().held_minor, shops.account().balance_minor) == (0, 149_001 + 8_900)
    (hold,) = shops.world.rows(r.HoldRow)
    assert hold.state is r.HoldState.POSTED


def test_a_hold_past_the_limit_says_why(shops: Shops) -> None:
    answer = shops.hold(shops.tap(30_001)).json()
    assert (answer["answer"], answer["refusal"]["reason"]) == ("refused", "over_daily_limit")
    assert shops.hold(shops.tap(30_000)).json() == {"answer": "held"}
    assert shops.hold(shops.tap(100)).json()["refusal"]["reason"] == "over_daily_limit"
    assert shops.account().held_minor == 30_000


def test_an_edge_holds_for_its_own_venue_and_the_tapped_token(shops: Shops) -> None:
    other = EdgeApi(shops.anyone, "park", "park")
    tap = shops.tap(8_900)
    assert other.post("/edge/holds", {"tap": tap, "token_id": shops.token}).json()["code"] == "other_venue"
    wrong = {"tap": tap, "token_id": shops.booking["guests"][1]["token_id"]}
    assert shops.edge.post("/edge/holds", wrong).json()["code"] == "other_token"
    nowhere = msgspec.structs.replace(tap, touchpoint="till-nowhere")
    assert shops.hold(nowhere).json()["code"] == "unknown_touchpoint"
    assert shops.account().held_minor == 0


def test_a_hold_that_the_journal_has_passed_is_let_go(shops: Shops) -> None:
    lost = shops.tap(8_900)
    assert shops.hold(lost).json() == {"answer": "held"}
    shops.world.clock.at += timedelta(minutes=4)
    soon = shops.tap(1_000)
    shops.edge.post("/edge/journal", encode(shops.batch((soon, charged(shops.world, soon, shops.right.id)))))
    assert shops.account().held_minor == 8_900
    shops.world.clock.at += timedelta(minutes=2)
    later = shops.tap(1_000)
    shops.edge.post(
        "/edge/journal", encode(shops.batch((later, charged(shops.world, later, shops.right.id))))
    )
    # The conveyor works in order, so what is asked now comes after what the journal has set off.
    shops.desk.post(f"/tokens/{shops.token}/media", {"kind": "phone"})
    (hold,) = shops.world.rows(r.HoldRow)
    assert hold.state is r.HoldState.EXPIRED
    assert shops.account().held_minor == 0


def test_a_refusal_is_explained_in_both_languages(shops: Shops) -> None:
    tap = shops.tap(60_000)
    refused = Refused(Reason.OVER_DAILY_LIMIT, {"left": "300.00 EUR"})
    shops.edge.post("/edge/journal", encode(shops.batch((tap, refused))))
    english = shops.desk.get(f"/taps/{tap.tap_id}").json()
    spanish = shops.operations.get(f"/taps/{tap.tap_id}", lang="es").json()
    assert english["reason"] == spanish["reason"] == "over_daily_limit"
    assert english["sentence"] != spanish["sentence"]
    told = shops.desk.get(f"/parties/{shops.booking['party_id']}/timeline").json()["entries"][-1]
    assert (told["reason"], told["channel"]) == ("over_daily_limit", "touchpoint")
    assert told["sentence"] == f"{NAMES[0]} at Grill till: {english['sentence']}"


def test_a_conflict_is_listed_and_resolved_with_a_note(shops: Shops) -> None:
    shops.desk.post(f"/media/{shops.medium}/revoke", {"note": "lost"})
    shops.world.clock.at += timedelta(minutes=1)
    tap = shops.tap(1_000)
    shops.edge.post("/edge/journal", encode(shops.batch((tap, charged(shops.world, tap, shops.right.id)))))
    (conflict,) = shops.operations.get("/conflicts", state="open").json()["conflicts"]
    assert (conflict["kind"], conflict["tap_id"], conflict["amount_minor"]) == (
        "revoked_medium",
        tap.tap_id,
        1_000,
    )
    assert shops.desk.get("/conflicts").status_code == 403
    where = f"/conflicts/{conflict['conflict_id']}/resolve"
    assert shops.operations.post(where, {"note": "Waived."}).status_code == 200
    assert shops.operations.post(where, {"note": "Again."}).json()["code"] == "already_resolved"
    page = shops.operations.get("/conflicts", state="resolved").json()
    assert page["conflicts"][0]["note"] == "Waived."
    assert shops.operations.get("/conflicts", after=page["next"]).json()["conflicts"] == []


def test_what_was_set_aside_is_shown_and_dismissed(shops: Shops) -> None:
    tap = shops.tap(1_000, touchpoint="till-nowhere")
    good = shops.tap(700)
    batch = shops.batch(
        (tap, charged(shops.world, tap, shops.right.id)), (good, charged(shops.world, good, shops.right.id))
    )
    receipt = shops.edge.post("/edge/journal", encode(batch)).json()
    assert (receipt["acknowledged"], receipt["set_aside"]) == (2, [1])
    (aside,) = shops.operations.get("/set-aside").json()["set_aside"]
    assert (aside["number"], aside["entry"]["tap"]["tap_id"]) == (1, tap.tap_id)
    failed = shops.operations.post(f"/set-aside/shops/{EPOCH}/1/replay", {"note": "Try."})
    assert (failed.status_code, failed.json()["code"]) == (409, "cannot_apply")
    assert shops.operations.post(f"/set-aside/shops/{EPOCH}/9/replay", {"note": "x"}).status_code == 404
    assert (
        shops.operations.post(f"/set-aside/shops/{EPOCH}/1/dismiss", {"note": "A test till."}).status_code
        == 200
    )
    assert shops.operations.get("/set-aside").json()["set_aside"] == []
    (kept,) = shops.operations.get("/set-aside", state="dismissed").json()["set_aside"]
    assert kept["note"] == "A test till."
    assert shops.account().balance_minor == 149_001 + 700


def test_what_was_set_aside_comes_in_pages(shops: Shops) -> None:
    EdgeApi(shops.anyone, "hotel", "hotel")
    taps = [shops.tap(1_000, touchpoint="till-nowhere") for _ in range(3)]
    batch = shops.batch(*((tap, charged(shops.world, tap, shops.right.id)) for tap in taps))
    shops.edge.post("/edge/journal", encode(batch))
    with shops.world.gateway.database.write() as connection:
        (row, *_) = rows_where(connection, r.SetAsideRow)
        write_rows(connection, [replace(row, edge="hotel", epoch="e9", number=12)], [])
    seen, after = [], ""
    for _ in range(4):
        page = shops.operations.get("/set-aside", after=after, limit=1).json()
        seen += [(each["edge"], each["number"]) for each in page["set_aside"]]
        after = page["next"]
    assert seen == [("hotel", 12), ("shops", 1), ("shops", 2), ("shops", 3)]
    end = shops.operations.get("/set-aside", after=after).json()
    assert end == {"set_aside": [], "next": after}
    assert shops.operations.get("/set-aside", limit=501).status_code == 422
    for cursor in ("shops", "a/b/c", "a/b/1/2", "a/b/-1"):
        assert shops.operations.get("/set-aside", after=cursor).status_code == 422
