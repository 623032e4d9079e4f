"""The feed comes to an edge from a real server: a snapshot first, then what changes, over cuts and restores."""

import logging
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from readers.store import journal
from readers.transport.base import Denied, FeedGone
from tests.support.edge_world import a_document, an_id
from tests.support.sync_parts import Parts


@pytest.fixture
def parts(tmp_path):
    parts = Parts(tmp_path)
    yield parts
    parts.close()


def head_at(store, epoch, number):
    with store._database.reading() as db:
        return journal.head_at(db, epoch, number)


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
