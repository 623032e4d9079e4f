"""The feed: dense positions, nothing missed, in commit order, whoever writes; and each venue gets exactly its own."""

import asyncio
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.bounds import AS_OF_MARGIN
from gateway.clock import SystemClock
from gateway.db import feed as stored
from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import rows_where
from gateway.errors import Rejection
from gateway.feed import Feed, topic
from tests.support.gateway_world import (
    RESORT,
    Charge,
    House,
    Move,
    NewParty,
    Resettle,
    house,
)
from wallet.resort import Touchpoint, TouchpointKind, Venue
from wallet.snapshot import FeedBatch
from wallet.token import TokenDocument


@pytest.fixture
def gateway(database_url: str) -> Iterator[House]:
    with house(database_url) as made:
        yield made


def follow(feed: Feed, venue: str, after: int, known: dict[str, TokenDocument], limit: int = 500) -> int:
    """Apply everything behind `after` like an edge does, and check that the batches leave no gap."""
    while True:
        batch: FeedBatch = feed.batch_for(venue, after, limit)
        assert batch.from_position == after <= batch.to_position
        for change in batch.changes:
            assert after < change.position <= batch.to_position
            if change.document is None:
                known.pop(change.token_id, None)
            else:
                assert change.document.version == change.version
                known[change.token_id] = change.document
        if batch.to_position == after:
            return after
        after = batch.to_position


def latest(database: Database, venue: str) -> dict[str, TokenDocument]:
    with database.read() as connection:
        rows = rows_where(connection, r.TokenDocumentRow)
    return {row.token_id: row.body for row in rows if f"|{venue}|" in row.scopes}


def work(url: str, count: int) -> None:
    with house(url, load=False) as other:
        for _ in range(count):
            other.do("test.charge", Charge(other.party()["folio"], 5))


def test_two_processes_and_many_threads_leave_no_gap_and_no_entry_unseen(database_url: str) -> None:
    with house(database_url) as gateway:
        seen: list[int] = []
        done = threading.Event()

        def read() -> None:
            after = 0
            while not (done.is_set() and after >= gateway.feed.head):
                for entry in gateway.feed.entries(after):
                    seen.append(entry.position)
                    after = entry.position
                gateway.feed.wait(after, 0.05)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        other = multiprocessing.get_context("spawn").Process(target=work, args=(database_url, 30))
        other.start()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: gateway.party(), range(60)))
        other.join(100)
        assert other.exitcode == 0
        gateway.feed.sweep()
        done.set()
        reader.join(20)

        # 90 parties make an event and a document each, 30 charges an event, the resort one entry.
        assert seen == list(range(1, 2 * 90 + 30 + 1 + 1))
        with gateway.database.read() as connection:
            assert not stored.has_unnumbered(connection)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_entry_that_commits_late_is_numbered_late_and_not_skipped(gateway: House) -> None:
    """Trap: a lower id that commits after a higher one. A reader at the head must still get it."""
    gateway.party()
    insert = (
        "INSERT INTO feed_entry (kind, body, scopes, scopes_after, command_id, command_name, actor, channel, at) "
        "VALUES ('{}', '{{}}', '', '', 'c', 'n', 'a', 'web', now())"
    )
    with gateway.database.write() as early:
        early.exec_driver_sql(insert.format("early"))
        with gateway.database.write() as late:
            late.exec_driver_sql(insert.format("late"))
        gateway.feed.sweep()
        before = gateway.feed.head
        assert gateway.feed.entries(before - 1)[-1].kind == "late"
    gateway.feed.sweep()

    assert [entry.kind for entry in gateway.feed.entries(before)] == ["early"]
    assert gateway.feed.head == before + 1


def test_entries_of_one_token_come_in_the_order_of_their_versions(gateway: House) -> None:
    made = gateway.party()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: gateway.do("test.move", Move(made["token_id"], band=f"{n:04x}")), range(40)))

    versions = [
        msgspec.json.decode(entry.body, type=TokenDocument).version
        for entry in gateway.feed.entries(0)
        if entry.kind == "token"
    ]
    assert versions == list(range(1, 42))


def test_an_edge_gets_its_own_guests_and_a_tombstone_for_each_it_loses(gateway: House) -> None:
    staying, leaving, elsewhere = gateway.party("lagoon"), gateway.party("lagoon"), gateway.party("reef")
    park: dict[str, TokenDocument] = {}
    after = follow(gateway.feed, "park", 0, park)
    assert set(park) == {staying["token_id"], leaving["token_id"]}

    gateway.do("test.move", Move(leaving["token_id"], ("reef",)))
    gateway.do("test.move", Move(elsewhere["token_id"], ("lagoon", "reef")))
    batch = gateway.feed.batch_for("park", after)

    by_token = {change.token_id: change.document for change in batch.changes}
    assert by_token[leaving["token_id"]] is None
    assert by_token[elsewhere["token_id"]] is not None
    assert batch.to_position == gateway.feed.head
    follow(gateway.feed, "park", after, park)
    assert park == latest(gateway.database, "park")


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_however_small_the_batches_an_edge_ends_with_the_same(gateway: House, limit: int) -> None:
    tokens = [gateway.party("lagoon" if n % 2 else "reef")["token_id"] for n in range(8)]
    for n, token in enumerate(tokens):
        gateway.do("test.move", Move(token, ("reef",) if n % 3 else ("lagoon", "reef")))

    for venue in ("park", "cove", "shops"):
        known: dict[str, TokenDocument] = {}
        assert follow(gateway.feed, venue, 0, known, limit) == gateway.feed.head
        assert known == latest(gateway.database, venue)


def test_a_snapshot_and_the_feed_behind_it_are_the_whole(gateway: House) -> None:
    tokens = [gateway.party()["token_id"] for _ in range(7)]
    first = gateway.feed.snapshot_for("park", "", limit=3)
    assert [document.token_id for document in first.documents] == sorted(tokens)[:3]
    known = {document.token_id: document for document in first.documents}
    # While the edge asks for its pages, guests leave, change and come.
    gateway.do("test.move", Move(sorted(tokens)[0], ("reef",)))
    gateway.do("test.move", Move(sorted(tokens)[5], band="04cc"))
    gateway.party()
    after = first.next_after
    while after is not None:
        page = gateway.feed.snapshot_for("park", after, first.position, limit=3)
        assert page.position == first.position
        # What changed on an earlier page meanwhile is not known yet.
        assert page.as_of <= gateway.feed.entries(first.position - 1, 1)[0].at
        known |= {document.token_id: document for document in page.documents}
        after = page.next_after

    follow(gateway.feed, "park", first.position, known)
    assert known == latest(gateway.database, "park")


def test_as_of_is_never_later_than_what_the_batch_contains(gateway: House) -> None:
    for _ in range(6):
        gateway.party()
    gateway.feed.sweep()
    truncated, whole = gateway.feed.batch_for("park", 0, limit=2), gateway.feed.batch_for("park", 0)

    missing = gateway.feed.entries(truncated.to_position)
    assert missing
    assert truncated.as_of <= min(entry.at for entry in missing) - AS_OF_MARGIN
    assert whole.as_of > truncated.as_of
    assert whole.as_of <= SystemClock().now() - AS_OF_MARGIN + timedelta(milliseconds=1)


def test_a_change_in_another_process_wakes_who_waits(database_url: str) -> None:
    with house(database_url) as one, house(database_url, load=False) as other:
        one.feed.sweep()
        after = one.feed.head
        with ThreadPoolExecutor(1) as pool:
            woken = pool.submit(one.feed.wait, after, 10.0, "park")
            other.party("lagoon")
            assert woken.result(12)
        assert one.feed.batch_for("park", after).changes


def test_a_wait_for_one_venue_is_not_woken_by_another(gateway: House) -> None:
    after = gateway.feed.head
    gateway.party("reef")

    assert not gateway.feed.wait(after, 0.1, "park")
    assert gateway.feed.wait(after, 0.1, "cove")


def test_only_who_may_be_concerned_is_looked_at_when_something_happens(
    gateway: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five thousand edges wait: a change in one park is no reason to go through those of the others."""
    gateway.feed.sweep()
    after, asked = gateway.feed.head, []

    async def wait() -> tuple[bool, ...]:
        scopes = ("park", "cove", topic("encoding.issued"), topic("test.moved"), None)
        waiting = [asyncio.create_task(gateway.feed.until(after, 1.0, scope)) for scope in scopes]
        await asyncio.sleep(0)
        has = gateway.feed._has
        monkeypatch.setattr(gateway.feed, "_has", lambda at, scope: asked.append(scope) or has(at, scope))
        await asyncio.to_thread(gateway.party, "lagoon")
        return tuple(await asyncio.gather(*waiting))

    assert asyncio.run(wait()) == (True, False, False, False, True)
    assert set(asked) == {"park", None}


def test_a_leap_of_the_feed_wakes_everyone_it_may_concern(
    gateway: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed._RECENT_MAX", 3)
    after = gateway.feed.head
    with monkeypatch.context() as away:
        # Another process numbers, and this one looks again only when much has happened.
        away.setattr(gateway.feed, "sweep", lambda: None)
        for park in ("reef", "reef", "lagoon", "lagoon"):
            gateway.do("test.party", NewParty((park,)))
        with gateway.database.write() as connection:
            head = stored.number(connection)
        gateway.feed.advance(head)
    assert gateway.feed.wait(after, 0.1, "park")
    assert gateway.feed.wait(head - 2, 0.1, "park")
    assert not gateway.feed.wait(head, 0.1, "park")


def test_a_position_the_feed_never_gave_is_refused(gateway: House) -> None:
    with pytest.raises(Rejection) as refused:
        gateway.feed.batch_for("park", gateway.feed.head + 1)

    assert (refused.value.code, refused.value.status) == ("feed_ahead", 409)


def test_a_restored_feed_that_has_grown_past_an_edge_is_told_from_the_one_it_knew(gateway: House) -> None:
    kept = gateway.party()
    copied = gateway.feed.batch_for("park", 0)
    gateway.do("test.move", Move(kept["token_id"], band="04aa"))
    known = gateway.feed.batch_for("park", copied.to_position, mark=copied.mark)
    assert known.mark != copied.mark
    assert gateway.feed.snapshot_for("park", "").mark == known.mark

    with gateway.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM feed_entry WHERE position > {copied.to_position}")
    restored = Feed(gateway.database, SystemClock())
    with gateway.database.write() as connection:
        entry = "'{}', '{}', '', '', '{}', 'n', 'a', 'web', '2030-01-01T10:00:00.000000Z'"
        for n in range(3):
            connection.exec_driver_sql(
                "INSERT INTO feed_entry (kind, body, scopes, scopes_after, command_id, command_name, actor, channel, "
                f"at) VALUES ({entry.format('other', '{{}}', n)})"
            )
    restored.sweep()
    assert restored.head > known.to_position

    for ask in (
        lambda: restored.batch_for("park", known.to_position, mark=known.mark),
        lambda: restored.snapshot_for("park", "", known.to_position, mark=known.mark),
        lambda: restored.must_continue(known.to_position, known.mark),
    ):
        with pytest.raises(Rejection) as refused:
            ask()
        assert (refused.value.code, refused.value.status) == ("feed_forked", 409)
    # Who stands where the copy was made loses nothing; who knows no marks is served as before.
    assert restored.batch_for("park", copied.to_position, mark=copied.mark).to_position == restored.head
    assert restored.batch_for("park", known.to_position).to_position == restored.head


def test_a_new_resort_reaches_every_edge_and_moves_the_documents_it_must(gateway: House) -> None:
    token = gateway.party("lagoon")["token_id"]
    after = gateway.feed.head
    moved = msgspec.structs.replace(
        RESORT,
        version=2,
        parks=(msgspec.structs.replace(RESORT.parks[0], venue="cove"), RESORT.parks[1]),
    )
    gateway.do("test.resort", Resettle(moved))

    lost, won = gateway.feed.batch_for("park", after), gateway.feed.batch_for("cove", after)
    assert lost.resort == won.resort == moved
    assert [(change.token_id, change.document) for change in lost.changes] == [(token, None)]
    assert [change.document.version for change in won.changes if change.document] == [2]
    # A command that is decided afterwards sees the new resort.
    assert gateway.party("lagoon")["token_id"] in latest(gateway.database, "cove")


def test_what_a_new_resort_lacks_is_taken_from_the_edges_and_nothing_stands_still(gateway: House) -> None:
    token = gateway.party("lagoon", "reef")["token_id"]
    after = gateway.feed.head
    gateway.do("test.resort", Resettle(msgspec.structs.replace(RESORT, version=2, parks=RESORT.parks[1:])))

    lost = gateway.feed.batch_for("park", after).changes
    assert [(change.token_id, change.document) for change in lost] == [(token, None)]
    assert token in latest(gateway.database, "cove")
    assert gateway.do("test.move", Move(token, band="04dd"))["medium_id"]


def test_pin_verifiers_reach_tills_only(gateway: House) -> None:
    tills = msgspec.structs.replace(
        RESORT,
        version=2,
        venues=(*RESORT.venues, Venue("hotel", "Hotel")),
        touchpoints=(*RESORT.touchpoints, Touchpoint("till-1", "Till", TouchpointKind.TILL, "cove", "x")),
    )
    gateway.do("test.resort", Resettle(tills))
    token: Any = gateway.do("test.party", NewParty(("lagoon", "reef"), pin="scrypt1$x$y"))["token_id"]

    park, cove = gateway.feed.batch_for("park", 0), gateway.feed.batch_for("cove", 0)
    pins = [
        {change.token_id: change.document.pin_verifier for change in batch.changes if change.document}[token]
        for batch in (park, cove)
    ]
    assert pins == ["", "scrypt1$x$y"]
    assert gateway.feed.snapshot_for("park", "").documents[0].pin_verifier == ""
    assert gateway.feed.snapshot_for("cove", "").documents[0].pin_verifier == "scrypt1$x$y"
