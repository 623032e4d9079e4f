"""The store keeps what the gateway told and what taps did, whatever order things come in."""

import os
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readers.store import OutOfStep, Store, StoreDamaged
from readers.store import documents as docs
from readers.store.database import Database
from tests.support.edge_world import (
    NOON,
    RESORT,
    FakeContact,
    Rig,
    a_credential,
    a_document,
    a_snapshot,
    an_id,
    spoil,
)
from wallet.journal import GENESIS, EntryKind, follow
from wallet.snapshot import FeedBatch, Snapshot, TokenChange
from wallet.token import Step, Use


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "edge.sqlite", "edge-1", an_id(1, 99), NOON)
    yield store
    store.close()


def document_of(store, number):
    with store._database.reading() as db:
        return docs.document(db, an_id(number, 1))


def feed(start, end, *changes, as_of=NOON):
    return FeedBatch(1, start, end, as_of, changes)


def change(number, version, position, gone=False):
    return TokenChange(position, an_id(number, 1), version, None if gone else a_document(number, version))


def test_a_batch_that_does_not_continue_is_refused_as_a_whole(store):
    store.put_page(a_snapshot(a_document(1)), first=True)
    for batch in (
        feed(9, 12, change(1, 2, 12)),
        feed(11, 12, change(1, 2, 12)),
        feed(10, 9, change(1, 2, 9)),
    ):
        with pytest.raises(OutOfStep):
            store.put_batch(batch)
    assert document_of(store, 1).version == 1
    assert store.known().position == 10


def test_no_batch_before_a_whole_snapshot(store):
    with pytest.raises(OutOfStep):
        store.put_batch(feed(0, 1, change(1, 1, 1)))
    store.put_page(Snapshot(1, 10, NOON, RESORT, (a_document(1),), an_id(1, 1)), first=True)
    assert store.known().as_of is None, "one page of several is not a whole snapshot"


def test_a_snapshot_once_begun_is_taken_to_its_end_before_any_feed_goes_on(store):
    store.put_page(a_snapshot(a_document(1), a_document(2)), first=True)
    store.put_page(Snapshot(1, 20, NOON, RESORT, (a_document(1),), an_id(1, 1)), first=True)
    known = store.known()
    assert (known.as_of, known.position, known.whole) == (NOON, 10, False), "taps go on by what is known"
    with pytest.raises(OutOfStep):
        store.put_batch(feed(10, 11, change(1, 2, 11)))
    store.put_page(Snapshot(1, 20, NOON, RESORT, (a_document(2),)), first=False)
    assert store.known().whole
    store.put_batch(feed(20, 21, change(1, 2, 21)))


def test_a_tombstone_keeps_older_documents_out(store):
    store.put_page(a_snapshot(a_document(1)), first=True)
    store.put_batch(feed(10, 11, change(1, 5, 11, gone=True)))
    store.put_batch(feed(11, 12, change(1, 4, 12)))
    assert document_of(store, 1) is None
    store.put_batch(feed(12, 13, change(1, 6, 13)))
    assert document_of(store, 1).version == 6


def test_a_new_snapshot_drops_whom_it_does_not_name(store):
    store.put_page(a_snapshot(a_document(1), a_document(2)), first=True)
    store.put_page(Snapshot(1, 20, NOON, RESORT, (a_document(1, 1),), an_id(1, 1)), first=True)
    store.put_page(Snapshot(1, 20, NOON, RESORT, (a_document(3),)), first=False)
    assert [document_of(store, n) is not None for n in (1, 2, 3)] == [True, False, True]
    assert store.known().position == 20


def test_as_of_never_goes_back(store):
    store.put_page(a_snapshot(), first=True)
    store.put_batch(feed(10, 11, as_of=NOON - timedelta(hours=1)))
    assert store.known().as_of == NOON


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 8), st.booleans(), st.booleans()), min_size=1, max_size=25
    )
)
def test_the_newest_version_stands_whatever_comes(tmp_path_factory, changes):
    """Against a model: batches with changes of any version, some of them sent twice or out of step."""
    store = Store(tmp_path_factory.mktemp("s") / "edge.sqlite", "edge-1", an_id(1, 99), NOON)
    store.put_page(a_snapshot(position=0), first=True)
    newest: dict[int, tuple[int, bool]] = {}
    for position, (number, version, gone, twice) in enumerate(changes, start=1):
        batch = feed(position - 1, position, change(number, version, position, gone))
        store.put_batch(batch)
        if twice:
            with pytest.raises(OutOfStep):
                store.put_batch(batch)
        if version > newest.get(number, (0, False))[0]:
            newest[number] = (version, gone)
    for number, (version, gone) in newest.items():
        found = document_of(store, number)
        assert (found is None) if gone else (found == a_document(number, version))
    assert store.known().position == len(changes)
    store.close()


def test_a_reopened_store_goes_on_and_a_new_one_begins_another_epoch(tmp_path):
    for _ in range(3):
        store = Store(tmp_path / "edge.sqlite", "edge-1", an_id(1, 99), NOON)
        mark = store.mark()
        store.close()
    assert (mark.epoch, mark.number) == (an_id(1, 99), 3)
    (tmp_path / "edge.sqlite").unlink()
    reimaged = Store(tmp_path / "edge.sqlite", "edge-1", an_id(2, 99), NOON)
    assert (reimaged.mark().epoch, reimaged.mark().number) == (an_id(2, 99), 1)
    reimaged.close()


def test_the_file_and_its_log_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "edge.sqlite"
    before = os.umask(0o000)
    try:
        Store(path, "edge-1", an_id(1, 99), NOON).close()
        path.chmod(0o644)  # as an earlier version left it
        store = Store(path, "edge-1", an_id(1, 99), NOON)
        modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == {"edge.sqlite": 0o600, "edge.sqlite-wal": 0o600, "edge.sqlite-shm": 0o600}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal WHERE number = 2",
        "DELETE FROM journal WHERE number = 3",
        "UPDATE journal SET body = replace(body, '12:00:00', '12:00:01') WHERE number = 2",
        "UPDATE journal SET head = 'x' WHERE number = 1",
        "UPDATE epoch SET number = 9",
        "UPDATE journal SET body = '{' WHERE number = 3",
    ],
)
def test_a_journal_that_does_not_hold_stops_the_start(tmp_path, statement):
    path = tmp_path / "edge.sqlite"
    for _ in range(3):
        Store(path, "edge-1", an_id(1, 99), NOON).close()
    spoil(path, statement)
    with pytest.raises(StoreDamaged):
        Store(path, "edge-1", an_id(1, 99), NOON)


def test_what_is_no_database_is_damaged(tmp_path):
    (tmp_path / "edge.sqlite").write_bytes(b"not a database at all, however long it may be" * 100)
    with pytest.raises(StoreDamaged):
        Database(tmp_path / "edge.sqlite")


class TestLocalUses:
    """A use counts from its tap until the document tells it, whichever of document and receipt is first."""

    @pytest.fixture
    def rig(self, tmp_path):
        rig = Rig(tmp_path)
        rig.store.put_page(a_snapshot(a_document(1)), first=True)
        rig.tap("gate-1", FakeContact(a_credential(1)))
        yield rig
        rig.close()

    def use(self, rig):
        (entry,) = [entry for entry in rig.entries() if entry.kind is EntryKind.TAP]
        return entry.decision.uses[0]

    def count(self, rig):
        tap = rig.entries()[-1].tap
        with rig.store.writing() as writing:
            return len(writing.facts(tap, online=True).facts.uses)

    def kept(self, rig):
        with rig.store._database.reading() as db:
            return db.execute("SELECT count(*) FROM local_use").fetchone()[0]

    def acknowledge(self, rig):
        mark = rig.store.mark()
        assert rig.store.acknowledge(mark.epoch, mark.number, mark.head, 11)

    def tell(self, rig, *uses):
        told = TokenChange(11, an_id(1, 1), 2, a_document(1, 2, uses=uses))
        rig.store.put_batch(feed(10, 11, told))

    def test_acknowledged_but_not_told_still_counts(self, rig):
        self.acknowledge(rig)
        self.tell(rig)
        assert (self.count(rig), self.kept(rig)) == (1, 1)

    def test_told_but_not_acknowledged_counts_once(self, rig):
        self.tell(rig, self.use(rig))
        assert (self.count(rig), self.kept(rig)) == (1, 1)

    @pytest.mark.parametrize("receipt_first", [True, False])
    def test_told_and_acknowledged_is_let_go(self, rig, receipt_first):
        use = self.use(rig)
        steps = [lambda: self.acknowledge(rig), lambda: self.tell(rig, use)]
        for step in steps if receipt_first else reversed(steps):
            step()
        assert (self.count(rig), self.kept(rig)) == (1, 0)

    def test_another_use_told_does_not_let_go(self, rig):
        other = Use(an_id(5), an_id(1, 12), Step.ENTER, NOON, NOON.date(), "lagoon")
        self.acknowledge(rig)
        self.tell(rig, other)
        assert (self.count(rig), self.kept(rig)) == (2, 1)

    def test_a_restored_gateway_that_lost_it_has_it_counted_here_again(self, rig):
        use, mark = self.use(rig), rig.store.mark()
        self.acknowledge(rig)
        self.tell(rig, use)
        assert self.kept(rig) == 0
        rig.store.put_page(a_snapshot(a_document(1)), first=True)
        rig.store.doubt()
        assert rig.store.acknowledge(mark.epoch, 0, GENESIS)
        assert (self.count(rig), self.kept(rig)) == (1, 1)
        self.acknowledge(rig)
        self.tell(rig, use)
        assert (self.count(rig), self.kept(rig)) == (1, 0)


class TestLocalPins:
    """A wrong PIN counts from its try until the feed has told it, whatever document comes in between."""

    @pytest.fixture
    def rig(self, tmp_path):
        rig = Rig(tmp_path)
        rig.store.put_page(a_snapshot(a_document(1)), first=True)
        rig.tap("gate-1", FakeContact(a_credential(1)))
        self.tap = rig.entries()[-1].tap
        with rig.store.writing() as writing:
            rested = writing.facts(self.tap, online=True)
            writing.append(EntryKind.PIN_TRY, NOON, tap=self.tap, rested=rested)
        yield rig
        rig.close()

    def tries(self, rig):
        with rig.store.writing() as writing:
            return writing.facts(self.tap, online=True).facts.pin_tries

    def acknowledge(self, rig, position):
        mark = rig.store.mark()
        assert rig.store.acknowledge(mark.epoch, mark.number, mark.head, position)

    def tell(self, rig, position, version, tries):
        known = rig.store.known().position
        told = TokenChange(position, an_id(1, 1), version, a_document(1, version, pin_tries=tries))
        rig.store.put_batch(feed(known, position, told))

    def test_a_document_made_before_the_try_came_home_does_not_forget_it(self, rig):
        self.acknowledge(rig, position=12)
        self.tell(rig, 11, 2, tries=0)
        assert self.tries(rig) == 1
        self.tell(rig, 12, 3, tries=1)
        assert self.tries(rig) == 1

    def test_told_before_the_receipt_it_is_let_go_with_it(self, rig):
        self.tell(rig, 12, 2, tries=1)
        self.acknowledge(rig, position=12)
        assert self.tries(rig) == 1

    def test_a_restored_gateway_does_not_hold_it_for_ever(self, rig):
        self.acknowledge(rig, position=900)
        rig.store.put_page(a_snapshot(a_document(1, 2, pin_tries=1), position=20), first=True)
        assert self.tries(rig) == 1

    def test_a_gateway_that_tells_no_position_is_taken_at_its_documents(self, rig):
        self.acknowledge(rig, position=0)
        assert self.tries(rig) == 1
        self.tell(rig, 11, 2, tries=1)
        assert self.tries(rig) == 1


def test_bands_that_were_written_are_kept_in_their_order_until_they_are_confirmed(store):
    for name, medium in (("job-2", "a"), ("job-1", "b"), ("job-2", "c"), ("job-3", "d")):
        store.owe_confirmation(name, medium)
    store.settle_confirmation("job-1")
    store.settle_confirmation("job-9")
    assert list(store.owed_confirmations().items()) == [("job-2", "c"), ("job-3", "d")]


def test_a_mark_whose_chain_differs_is_not_taken(store):
    mark = store.mark()
    assert not store.acknowledge(mark.epoch, mark.number, "f" * 64)
    assert not store.acknowledge(mark.epoch, mark.number + 1, mark.head)
    assert store.mark().acknowledged == 0
    assert store.acknowledge(mark.epoch, mark.number, mark.head)
    assert store.mark().backlog == 0
    assert store.acknowledge(mark.epoch, 0, GENESIS), "a restored gateway asks for entries again"
    assert [line.entry.number for line in store.unacknowledged(10)] == [1]


def test_entries_within_one_transaction_chain(store):
    with store.writing() as writing:
        for _ in range(5):
            writing.append(EntryKind.STARTED, NOON)
    entries = tuple(line.entry for line in store.unacknowledged(100))
    assert follow(entries, 0, GENESIS) == store.mark().head
