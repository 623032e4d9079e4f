"""The journal goes home to a real server: what is lost comes again, what comes again counts once."""

import pytest

from readers.backoff import Backoff
from readers.store import effects, journal
from readers.sync import Presence
from readers.transport.base import TransportFault, Unreachable
from tests.support.edge_world import StillClock, a_document, an_id
from tests.support.sync_parts import Parts
from wallet.journal import GENESIS

JOURNAL = "/api/v1/edge/journal"


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
