"""Push and pull against a real server: what is lost comes again, what comes again counts once."""

import logging
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from readers.backoff import Backoff
from readers.clock import SystemClock, SystemEntropy
from readers.store import Store, effects, journal
from readers.sync import Presence, Puller, Pusher
from readers.transport.base import Anchors, Denied, FeedGone, TransportFault, Unreachable
from readers.transport.http import HttpTransport
from tests.support.edge_world import NOON, StillClock, a_document, an_id
from tests.support.fake_gateway import FakeGateway
from wallet.journal import GENESIS, EntryKind

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
JOURNAL = "/api/v1/edge/journal"


class Parts:
    def __init__(self, directory):
        self.gateway = FakeGateway()
        self.gateway.edge_key = KEY.public_key()
        self.clock = SystemClock()
        self.transport = HttpTransport(
            self.gateway.url, "edge-1", KEY, self.clock, SystemEntropy(), hold_deadline_s=1
        )
        self.store = Store(directory / "edge.sqlite", "edge-1", an_id(1, 99), NOON)
        self.pusher = Pusher(self.store, self.transport, "edge-1", self.backoff())
        self.renewed: list[Anchors] = []
        self.spoilt_anchors = False
        self.puller = self.new_puller()
        self.stop = threading.Event()
        self.threads: list[threading.Thread] = []

    def backoff(self):
        return Backoff(SystemEntropy(), first_s=0.02, max_s=0.1)

    def new_puller(self, trusted=None):
        return Puller(
            self.store,
            self.transport,
            self.clock,
            self.backoff(),
            feed_wait_s=0.3,
            renew=self.renew,
            gone=self.store.doubt,
            trusted=trusted,
        )

    def renew(self, anchors):
        self.renewed.append(anchors)
        if self.spoilt_anchors:
            raise ValueError("a key is none")

    def journal(self, count=1):
        with self.store.writing() as writing:
            for _ in range(count):
                writing.append(EntryKind.STARTED, NOON)
        self.pusher.wake()

    def run(self, *parts):
        for part in parts:
            thread = threading.Thread(target=part.run, args=(self.stop,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def close(self):
        self.stop.set()
        self.pusher.wake()
        for thread in self.threads:
            thread.join(10)
        self.transport.close()
        self.gateway.cut()
        self.store.close()


@pytest.fixture
def parts(tmp_path):
    parts = Parts(tmp_path)
    yield parts
    parts.close()


class TestPush:
    def test_everything_arrives_in_batches_and_is_acknowledged(self, parts):
        parts.journal(1200)
        while parts.pusher.push_once():
            pass
        assert [entry.number for entry in parts.gateway.entries] == list(range(1, 1202))
        assert parts.store.mark().backlog == 0
        assert parts.gateway.head == parts.store.mark().head

    def test_after_a_lost_answer_the_same_batch_goes_again(self, parts):
        parts.gateway.lose_answers[JOURNAL] = 1
        with pytest.raises(Unreachable):
            parts.pusher.push_once()
        parts.journal()
        parts.pusher.push_once()
        assert parts.gateway.keys[0] == parts.gateway.keys[1]
        parts.pusher.push_once()
        assert len(parts.gateway.entries) == 2
        assert parts.store.mark().backlog == 0

    def test_a_gateway_that_has_more_than_this_edge_believes_is_believed_where_the_chain_agrees(self, parts):
        parts.journal(3)
        parts.pusher.push_once()
        mark = parts.store.mark()
        parts.store.acknowledge(mark.epoch, 0, GENESIS)
        parts.journal()
        while parts.pusher.push_once():
            pass
        assert parts.store.mark().backlog == 0
        assert len(parts.gateway.entries) == 5

    def test_a_restored_gateway_gets_again_what_it_lost(self, parts):
        parts.journal(3)
        parts.pusher.push_once()
        parts.gateway.entries = parts.gateway.entries[:2]
        parts.gateway.head = head_at(parts.store, parts.store.mark().epoch, 2)
        parts.journal()
        while parts.pusher.push_once():
            pass
        assert [entry.number for entry in parts.gateway.entries] == [1, 2, 3, 4, 5]

    def test_what_a_refusal_acknowledges_is_told_as_far_as_it_says(self, parts):
        """Without the position, a PIN try would be let go by the next newer document, made before it came home."""
        parts.journal(2)
        parts.pusher.push_once()
        gateway = parts.gateway
        del gateway.entries[2:]
        gateway.head = head_at(parts.store, parts.store.mark().epoch, 2)
        gateway.put(a_document(1))
        with parts.store._database.writing() as db:
            db.execute(
                "INSERT INTO local_pin VALUES (?, 2, ?, 1, 1, NULL)", (parts.store.mark().epoch, an_id(1, 1))
            )
        parts.journal()
        parts.pusher.push_once()
        assert parts.store.mark().acknowledged == 2
        with parts.store._database.reading() as db:
            assert db.execute("SELECT covered FROM local_pin").fetchall() == [(gateway.position,)]
        parts.puller.pull_once()
        assert effects_left(parts.store) == 0

    def test_a_gateway_with_another_history_raises_the_alarm(self, parts):
        parts.pusher.push_once()
        parts.gateway.head = "e" * 64
        parts.journal()
        with pytest.raises(TransportFault):
            parts.pusher.push_once()
        assert "another entry" in parts.pusher.alarm
        assert parts.store.mark().acknowledged == 1

    def test_the_thread_pushes_at_once_and_through_failures(self, parts):
        parts.gateway.refuse[JOURNAL] = 3
        parts.run(parts.pusher)
        assert parts.gateway.wait_for(lambda: len(parts.gateway.entries) == 1)
        parts.journal()
        assert parts.gateway.wait_for(lambda: len(parts.gateway.entries) == 2, 2.0)

    def test_a_gateway_without_time_for_a_large_batch_gets_smaller_ones(self, parts):
        parts.gateway.entries_max = 100
        parts.journal(400)
        parts.run(parts.pusher)
        assert parts.gateway.wait_for(lambda: len(parts.gateway.entries) == 401)
        parts.gateway.entries_max = None
        parts.journal()
        assert parts.gateway.wait_for(lambda: len(parts.gateway.entries) == 402)

    def test_after_a_cut_the_backlog_comes_home_within_a_second(self, parts):
        parts.run(parts.pusher)
        assert parts.gateway.wait_for(lambda: len(parts.gateway.entries) == 1)
        parts.gateway.cut()
        parts.journal(20)
        parts.gateway.start()
        assert parts.gateway.wait_for(lambda: len(parts.gateway.entries) == 21, 3.0)


def head_at(store, epoch, number):
    with store._database.reading() as db:
        return journal.head_at(db, epoch, number)


def effects_left(store):
    with store._database.reading() as db:
        return len(effects.tokens_with_effects(db))


class Crash(Exception):
    """The edge's power is gone at this call."""


def crash(*_):
    raise Crash


def versions(store):
    with store._database.reading() as db:
        return dict(db.execute("SELECT token_id, version FROM document"))


class TestPull:
    def test_a_snapshot_first_then_the_feed(self, parts):
        for n in range(1, 6):
            parts.gateway.put(a_document(n))
        parts.puller.pull_once()
        assert parts.store.known().position == 5
        parts.gateway.put(a_document(1, 2))
        parts.puller.pull_once()
        assert parts.store.known().position == 6
        paths = [path.split("?")[0].rsplit("/", 1)[1] for _, path in parts.gateway.requests]
        assert paths == ["anchors", "snapshot", "snapshot", "snapshot", "feed"]
        assert len(parts.renewed) == 1

    def test_a_snapshot_torn_between_pages_begins_anew(self, parts):
        for n in range(1, 6):
            parts.gateway.put(a_document(n))
        page = parts.transport.snapshot(None, None)
        parts.store.put_page(page, first=True)
        again = parts.new_puller()
        again.pull_once()
        assert parts.store.known().position == 5

    def test_a_later_snapshot_torn_by_a_restart_is_taken_anew(self, parts):
        """Going on with the old feed would leave the documents of the missing pages at version 0 for good."""
        for n in range(1, 6):
            parts.gateway.put(a_document(n))
        parts.puller.pull_once()
        page = parts.transport.snapshot(None, None)
        assert page.next_after is not None
        parts.store.put_page(page, first=True)
        assert 0 in versions(parts.store).values()
        parts.new_puller().pull_once()
        assert versions(parts.store) == {an_id(n, 1): 1 for n in range(1, 6)}

    def test_a_feed_that_is_gone_leads_to_a_snapshot(self, parts):
        parts.gateway.put(a_document(1))
        parts.puller.pull_once()
        parts.gateway.log.clear()
        parts.puller.pull_once()
        parts.gateway.documents.clear()
        parts.puller.pull_once()
        assert parts.store.known().position == 0

    def test_a_restored_gateway_is_believed_and_gets_again_what_it_lost(self, parts):
        for version in (1, 2, 3):
            parts.gateway.put(a_document(1, version))
        parts.gateway.put(a_document(2))
        parts.puller.pull_once()
        parts.journal(3)
        parts.pusher.push_once()
        # The copy knows version 1 of one guest, nothing of the other, and two entries of the journal.
        del parts.gateway.log[1:], parts.gateway.entries[2:]
        parts.gateway.head = head_at(parts.store, parts.store.mark().epoch, 2)
        parts.gateway.documents = {an_id(1, 1): a_document(1)}
        parts.puller.pull_once()
        parts.puller.pull_once()
        assert versions(parts.store) == {an_id(1, 1): 1}
        parts.gateway.put(a_document(1, 2))
        parts.puller.pull_once()
        assert versions(parts.store) == {an_id(1, 1): 2}, "a later change counts, whatever was known before"
        while parts.pusher.push_once():
            pass
        assert [entry.number for entry in parts.gateway.entries] == [1, 2, 3, 4]

    def test_a_restored_gateway_that_has_grown_past_this_edge_is_noticed_all_the_same(self, parts):
        for version in (1, 2, 3):
            parts.gateway.put(a_document(1, version))
        parts.puller.pull_once()
        parts.journal(3)
        parts.pusher.push_once()
        # Set back to version 1 and two entries of the journal; then other guests come.
        parts.gateway.restore(1)
        del parts.gateway.entries[2:]
        parts.gateway.head = head_at(parts.store, parts.store.mark().epoch, 2)
        for number in (2, 3, 4, 5):
            parts.gateway.put(a_document(number))
        assert parts.gateway.position > parts.store.known().position
        parts.puller.pull_once()
        parts.puller.pull_once()
        assert versions(parts.store) == {an_id(number, 1): 1 for number in (1, 2, 3, 4, 5)}
        parts.gateway.put(a_document(1, 2))
        parts.puller.pull_once()
        assert versions(parts.store)[an_id(1, 1)] == 2, "the versions of the lost days hold nothing off"
        while parts.pusher.push_once():
            pass
        assert [entry.number for entry in parts.gateway.entries] == [1, 2, 3, 4]

    def test_a_gateway_restored_to_where_this_edge_stands_costs_it_nothing(self, parts):
        parts.gateway.put(a_document(1))
        parts.puller.pull_once()
        parts.gateway.put(a_document(1, 2))
        parts.gateway.restore(1)
        parts.gateway.put(a_document(2))
        parts.puller.pull_once()
        assert versions(parts.store) == {an_id(1, 1): 1, an_id(2, 1): 1}
        assert sum("snapshot" in path for _, path in parts.gateway.requests) == 1

    def test_a_gateway_without_marks_is_followed_as_before(self, parts):
        parts.gateway.put(a_document(1))
        parts.puller.pull_once()
        parts.gateway.knows_marks = False
        for version in (2, 3):
            parts.gateway.put(a_document(1, version))
            parts.puller.pull_once()
        assert versions(parts.store) == {an_id(1, 1): 3}
        assert parts.store.known().mark == ""

    def test_a_snapshot_whose_pages_are_of_two_lives_begins_anew(self, parts):
        for number in range(1, 6):
            parts.gateway.put(a_document(number))
        page = parts.transport.snapshot(None, None)
        parts.gateway.restore(2)
        for number in range(6, 12):
            parts.gateway.put(a_document(number))
        with pytest.raises(FeedGone):
            parts.transport.snapshot(page.next_after, page.position, page.mark)

    def test_anchors_that_cannot_be_taken_do_not_keep_the_feed_away(self, parts):
        parts.spoilt_anchors = True
        parts.gateway.put(a_document(1))
        parts.run(parts.puller)
        assert parts.gateway.wait_for(lambda: any("after=1&" in path for _, path in parts.gateway.requests))
        assert len(parts.renewed) == 1

    def test_other_anchors_are_asked_for_as_soon_as_the_feed_tells_of_them(self, parts):
        parts.gateway.put(a_document(1))
        parts.gateway.anchors_version = "first"
        parts.puller.pull_once()
        parts.puller.pull_once()
        parts.puller.pull_once()
        assert [each.version for each in parts.renewed] == ["first"]
        parts.gateway.anchors_version = "second"
        for _ in range(3):
            parts.puller.pull_once()
        assert [each.version for each in parts.renewed] == ["first", "second"]
        assert self.snapshots(parts) == 1, "the chips' keys are the same"

    def test_a_new_epoch_of_chip_keys_brings_the_keys_of_every_chip(self, parts):
        parts.gateway.put(a_document(1))
        parts.gateway.reader_keys, parts.gateway.anchors_version = {1: "00" * 16}, "first"
        parts.puller.pull_once()
        parts.gateway.reader_keys[2], parts.gateway.anchors_version = "11" * 16, "second"
        for _ in range(3):
            parts.puller.pull_once()
        assert set(parts.renewed[-1].reader_keys) == {1, 2}
        assert self.snapshots(parts) == 2

    def test_an_edge_that_was_off_when_the_epoch_began_learns_of_it_when_it_starts(self, parts):
        parts.gateway.put(a_document(1))
        parts.gateway.reader_keys, parts.gateway.anchors_version = {1: "00" * 16}, "first"
        parts.puller.pull_once()
        # As they are kept on disk: the keys themselves are sealed elsewhere.
        kept = replace(parts.renewed[-1], reader_keys={})
        parts.new_puller(kept).pull_once()
        assert self.snapshots(parts) == 1
        parts.gateway.reader_keys[2], parts.gateway.anchors_version = "11" * 16, "second"
        parts.new_puller(kept).pull_once()
        assert self.snapshots(parts) == 2

    def test_a_kind_of_touchpoint_that_is_new_here_brings_its_keys_of_every_chip(self, parts):
        """A venue's first till: no epoch is new, and its keys of bands long known come with a snapshot alone."""
        parts.gateway.put(a_document(1))
        parts.gateway.reader_keys, parts.gateway.anchors_version = {1: "00" * 16}, "first"
        parts.puller.pull_once()
        parts.gateway.resort_version, parts.gateway.anchors_version = 2, "second"
        for _ in range(3):
            parts.puller.pull_once()
        assert self.snapshots(parts) == 2

    def test_a_resort_that_changes_no_keys_costs_no_snapshot(self, parts):
        parts.gateway.put(a_document(1))
        parts.gateway.anchors_version = "first"
        parts.puller.pull_once()
        parts.gateway.resort_version = 2
        parts.new_puller(parts.renewed[-1]).pull_once()
        assert parts.renewed[-1].resort_version == 2
        assert self.snapshots(parts) == 1

    def test_a_crash_right_after_the_anchors_were_kept_loses_no_wish_for_a_snapshot(self, parts, monkeypatch):
        parts.gateway.put(a_document(1))
        parts.gateway.reader_keys, parts.gateway.anchors_version = {1: "00" * 16}, "first"
        parts.puller.pull_once()
        parts.gateway.reader_keys[2], parts.gateway.anchors_version = "11" * 16, "second"
        parts.puller.pull_once()
        with monkeypatch.context() as cut:
            cut.setattr(parts.transport, "snapshot", crash)
            with pytest.raises(Crash):
                parts.puller.pull_once()
        assert parts.renewed[-1].version == "second"
        assert self.snapshots(parts) == 1
        parts.new_puller(parts.renewed[-1]).pull_once()
        assert self.snapshots(parts) == 2
        assert parts.store.known().whole

    def test_a_wish_for_a_snapshot_that_cannot_be_kept_keeps_the_anchors_from_being_taken(
        self, parts, monkeypatch
    ):
        parts.gateway.reader_keys, parts.gateway.anchors_version = {1: "00" * 16}, "first"
        parts.puller.pull_once()
        parts.gateway.reader_keys[2], parts.gateway.anchors_version = "11" * 16, "second"
        parts.gateway.put(a_document(1))
        parts.puller.pull_once()
        with monkeypatch.context() as full:
            full.setattr(parts.store, "open_snapshot", crash)
            with pytest.raises(Crash):
                parts.puller.pull_once()
        assert [each.version for each in parts.renewed] == ["first"]
        parts.puller.pull_once()
        assert [each.version for each in parts.renewed] == ["first", "second"]
        assert self.snapshots(parts) == 2

    def snapshots(self, parts):
        return sum("/snapshot" in path for _, path in parts.gateway.requests)

    def test_an_edge_that_is_no_longer_accepted_raises_the_alarm(self, parts):
        parts.run(parts.puller)
        assert parts.gateway.wait_for(lambda: any("feed" in path for _, path in parts.gateway.requests))
        parts.gateway.edge_key = Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key()
        refused = len(parts.gateway.requests) + 2
        assert parts.gateway.wait_for(lambda: len(parts.gateway.requests) > refused)
        assert "doesn't accept this edge" in parts.puller.alarm

    def test_a_single_refusal_of_a_signature_is_tried_again_without_alarm(self, parts, monkeypatch, caplog):
        stop, alarms = threading.Event(), []

        def refused_once():
            alarms.append(parts.puller.alarm)
            if len(alarms) == 1:
                raise Denied("The request was signed too long ago.")
            stop.set()

        monkeypatch.setattr(parts.puller, "pull_once", refused_once)
        parts.puller.run(stop)
        assert alarms == ["", ""]
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    def test_news_arrive_while_the_request_waits(self, parts):
        parts.run(parts.puller)
        assert parts.gateway.wait_for(lambda: any("feed" in path for _, path in parts.gateway.requests))
        parts.gateway.put(a_document(1))
        assert parts.gateway.wait_for(
            lambda: any("after=1&" in path for _, path in parts.gateway.requests), 3.0
        ), "the next request goes on from the news"

    def test_it_goes_on_after_a_cut(self, parts):
        parts.run(parts.puller)
        assert parts.gateway.wait_for(lambda: any("feed" in path for _, path in parts.gateway.requests))
        parts.gateway.cut()
        parts.gateway.put(a_document(1))
        parts.gateway.start()
        assert parts.gateway.wait_for(lambda: any("after=1&" in path for _, path in parts.gateway.requests))


def test_presence_lasts_for_a_while_after_an_answer():
    clock = StillClock()

    class Answered:
        at_s: float | None = None

        def answered_at_s(self):
            return self.at_s

    transport = Answered()
    presence = Presence(transport, clock, 10.0)
    assert not presence.online()
    transport.at_s = 0.0
    assert presence.online()
    clock.pass_s(10.5)
    assert not presence.online()


def test_pauses_grow_up_to_their_bound_and_are_jittered():
    class Highest:
        def bytes(self, count):
            return b"\xff" * count

    pauses = Backoff(Highest(), first_s=0.2, max_s=1.0)
    assert [round(pauses.pause_s(), 2) for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]
    assert pauses.pause_s(at_least_s=60) == 1.0
    pauses.succeed()
    assert round(pauses.pause_s(), 2) == 0.2
