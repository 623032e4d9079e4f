import json
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from readers.drivers.base import BadRecord, ContactLost
from readers.drivers.endurance import hand_over
from readers.drivers.health import HealthLog
from readers.outputs import Light
from readers.settings import ReaderSettings
from readers.store import StoreUnwritable
from readers.tills import Wanted
from tests.support.edge_world import (
    NOON,
    RESORT,
    FakeContact,
    Rig,
    a_credential,
    a_document,
    a_snapshot,
    an_id,
)
from wallet.journal import GENESIS, EntryKind, follow
from wallet.reasons import Reason
from wallet.tap import Approved, Hold, HoldAnswer, PinCheck, Refused

HELD = Hold(HoldAnswer.HELD)


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    rig.store.put_page(a_snapshot(*(a_document(n) for n in range(1, 6))), first=True)
    yield rig
    rig.close()


def lamps(rig):
    return [json.loads(line) for line in rig.lamp_log.read_text().splitlines()]


def taps(rig):
    return [entry for entry in rig.entries() if entry.kind is EntryKind.TAP]


def test_an_approved_tap_is_journalled_shown_green_and_pushed(rig):
    sight = rig.tap("door-101", FakeContact(a_credential(1)))
    (entry,) = taps(rig)
    assert isinstance(entry.decision, Approved)
    assert entry.token_id == an_id(1, 1)
    assert (entry.position, entry.as_of, entry.document_version) == (10, NOON, 1)
    (lamp,) = lamps(rig)
    assert (lamp["light"], lamp["tap_id"], lamp["decision"]) == ("green", entry.tap.tap_id, "approved")
    assert lamp["reader"] == "door-101-nfc"
    assert sight.lamp.light is Light.GREEN
    assert rig.pushes == 1


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (FakeContact(None), Reason.CREDENTIAL_MISSING),
        (FakeContact(b"not cbor"), Reason.CREDENTIAL_MALFORMED),
        (FakeContact(fault=BadRecord("torn")), Reason.CREDENTIAL_MALFORMED),
        (FakeContact(fault=ContactLost("gone")), Reason.MEDIUM_UNREADABLE),
        (FakeContact(a_credential(1), uid=b"\x04" * 7), Reason.CREDENTIAL_OTHER_CHIP),
        (FakeContact(a_credential(1)[:-1] + b"\x00"), Reason.CREDENTIAL_FORGED),
    ],
)
def test_what_is_no_credential_is_refused_journalled_and_shown_blue(rig, contact, reason):
    rig.tap("gate-1", contact)
    (entry,) = taps(rig)
    assert entry.decision == Refused(reason)
    assert entry.token_id == ""
    assert [(lamp["light"], lamp["reason"]) for lamp in lamps(rig)] == [("blue", reason.value)]


class BrokenContact(FakeContact):
    """A chip on which the reader's library fails in a way that nobody foresaw."""

    def read_credential(self):
        raise AttributeError("'NoneType' object has no attribute 'sense_res'")


def test_a_handler_that_raises_shows_please_wait_and_is_counted_at_the_reader(rig):
    health = HealthLog(lambda: 0.0)
    reader = ReaderSettings("gate-1-nfc", "gate-1", "simulated:")
    hand_over(lambda contact: rig.tapping.take(reader, contact), BrokenContact(), health, "gate-1-nfc")
    assert [(lamp["light"], lamp["decision"], lamp["reason"]) for lamp in lamps(rig)] == [
        ("blue", "refused", Reason.MEDIUM_UNREADABLE.value)
    ]
    assert health.snapshot().faults == 1
    assert "sense_res" in health.snapshot().last_error
    rig.tap("gate-1", FakeContact(a_credential(1)))
    assert lamps(rig)[-1]["light"] == "green", "the next guest gets through"


def test_a_writer_that_raises_shows_please_wait_too(rig, monkeypatch):
    def fail(tap):
        raise RuntimeError("an error of the program")

    monkeypatch.setattr(rig.writer, "decide", fail)
    with pytest.raises(RuntimeError):
        rig.tap("gate-1", FakeContact(a_credential(1)))
    assert [(lamp["light"], lamp["reason"]) for lamp in lamps(rig)] == [("blue", "journal_full")]


def test_an_edge_that_never_heard_of_the_resort_refuses_and_journals(tmp_path):
    rig = Rig(tmp_path)
    rig.tap("gate-1", FakeContact(a_credential(1)))
    assert taps(rig)[0].decision == Refused(Reason.FACTS_TOO_OLD)
    rig.close()


def test_the_chain_of_many_lanes_holds_without_gaps(rig):
    with ThreadPoolExecutor(8) as lanes:
        list(lanes.map(lambda n: rig.tap("door-101", FakeContact(a_credential(n % 5 + 1))), range(60)))
    entries = rig.entries()
    assert [entry.number for entry in entries] == list(range(1, 62))
    assert follow(entries, 0, GENESIS) == rig.store.mark().head
    greens = [lamp["tap_id"] for lamp in lamps(rig) if lamp["light"] == "green"]
    assert sorted(greens) == sorted(entry.tap.tap_id for entry in taps(rig))


def test_two_lanes_in_one_batch_cannot_both_spend_one_use(rig):
    """The second decides on what the first did, though neither is committed yet."""
    entered, release = threading.Event(), threading.Event()
    online = rig.writer._online

    def slow():
        entered.set()
        release.wait(10)
        return online()

    rig.writer._online = slow
    with ThreadPoolExecutor(3) as lanes:
        first = lanes.submit(rig.tap, "door-101", FakeContact(a_credential(2)))
        assert entered.wait(10)
        both = [lanes.submit(rig.tap, gate, FakeContact(a_credential(1))) for gate in ("gate-1", "gate-2")]
        while rig.writer._queue.qsize() < 2:
            release.wait(0.01)
        release.set()
        lights = sorted(each.result().lamp.light.value for each in both)
        first.result()
    assert lights == ["blue", "green"]
    refused = [entry.decision for entry in taps(rig) if isinstance(entry.decision, Refused)]
    assert Reason.ALREADY_INSIDE in [each.reason for each in refused]


def test_the_same_tap_again_gets_the_verdict_it_got(rig):
    rig.tap("gate-1", FakeContact(a_credential(1)))
    (entry,) = taps(rig)
    again = rig.writer.decide(entry.tap)
    assert again.decision == entry.decision
    assert len(taps(rig)) == 1


class TestSales:
    def pay(self, rig, item="soup", quantity=1, number=1, sale="sale-1"):
        rig.tills.open("till-1", sale, (Wanted(item, quantity),))
        return rig.tap("till-1", FakeContact(a_credential(number)))

    def test_a_small_sale_needs_no_gateway(self, rig):
        assert self.pay(rig).lamp.light is Light.GREEN
        assert rig.held == []
        assert taps(rig)[0].decision.uses[0].amount_minor == 900
        assert rig.tills.view("till-1", "sale-1").state == "approved"

    def test_no_sale_open_is_nothing_to_pay(self, rig):
        rig.tap("till-1", FakeContact(a_credential(1)))
        assert taps(rig)[0].decision.reason is Reason.NOTHING_TO_PAY

    @pytest.mark.parametrize(
        ("answer", "light", "reason"),
        [
            (HELD, "green", None),
            (Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_FOLIO_LIMIT)), "blue", Reason.OVER_FOLIO_LIMIT),
            (Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_DAILY_LIMIT)), "blue", Reason.OVER_DAILY_LIMIT),
            (Hold(HoldAnswer.UNREACHABLE), "blue", Reason.OFFLINE_ABOVE_FLOOR),
        ],
    )
    def test_a_large_sale_asks_for_a_hold_once(self, rig, answer, light, reason):
        rig.answer = answer
        sight = self.pay(rig, quantity=4)
        assert sight.lamp.light.value == light
        (entry,) = taps(rig)
        assert entry.tap.hold == answer
        assert [request.tap.tap_id for request in rig.held] == [entry.tap.tap_id]
        if reason:
            assert entry.decision.reason is reason

    def test_offline_sales_count_until_acknowledged_and_held_ones_never(self, rig):
        for n in range(3):
            assert self.pay(rig, quantity=2, sale=f"sale-{n}").lamp.light is Light.GREEN
        assert self.pay(rig, quantity=2, sale="sale-9").lamp.light is Light.GREEN
        rig.online = False
        self.pay(rig, quantity=2, sale="sale-a")
        assert taps(rig)[-1].decision.reason is Reason.OFFLINE_CAP_REACHED
        mark = rig.store.mark()
        assert rig.store.acknowledge(mark.epoch, mark.number, mark.head)
        assert self.pay(rig, quantity=2, sale="sale-b").lamp.light is Light.GREEN

    def _with_pins(self, rig, *pins):
        rig.answer = HELD
        rig.tills.open("till-1", "sale-1", (Wanted("watch", 1),))
        with ThreadPoolExecutor(1) as lane:
            tap = lane.submit(rig.tap, "till-1", FakeContact(a_credential(1)))
            for pin in pins:
                if rig.tills.view("till-1", "sale-1", unlike="open", wait_s=10).state != "asks_pin":
                    break
                rig.tills.give_pin("till-1", "sale-1", pin)
            return tap.result(20)

    def test_the_right_pin_pays(self, rig):
        assert self._with_pins(rig, "1234").lamp.light is Light.GREEN
        (entry,) = taps(rig)
        assert entry.tap.pin is PinCheck.RIGHT
        assert [lamp["decision"] for lamp in lamps(rig)] == ["asks", "approved"]

    def test_wrong_pins_are_journalled_and_asked_again_under_the_same_tap(self, rig):
        assert self._with_pins(rig, "0000", "1111", "1234").lamp.light is Light.GREEN
        entries = rig.entries()
        assert [entry.kind.value for entry in entries[1:]] == ["pin_try", "pin_try", "tap"]
        assert len({entry.tap.tap_id for entry in entries[1:]}) == 1
        # The right one takes the wrong ones back: four more wrong ones don't lock.
        with rig.store.writing() as writing:
            assert writing.facts(entries[-1].tap, online=True).facts.pin_tries == 0

    def test_the_pin_locks_after_the_policys_tries(self, rig):
        sight = self._with_pins(rig, *["0000"] * RESORT.policies.pin_tries_max)
        assert sight.lamp.reason == Reason.PIN_LOCKED.value
        assert len([e for e in rig.entries() if e.kind is EntryKind.PIN_TRY]) == RESORT.policies.pin_tries_max

    def test_a_cancelled_pin_is_not_given(self, rig):
        rig.tills.open("till-1", "sale-1", (Wanted("watch", 1),))
        with ThreadPoolExecutor(1) as lane:
            tap = lane.submit(rig.tap, "till-1", FakeContact(a_credential(1)))
            assert rig.tills.view("till-1", "sale-1", unlike="open", wait_s=10).state == "asks_pin"
            rig.tills.cancel("till-1", "sale-1")
            assert tap.result(10).lamp.reason == Reason.PIN_NOT_GIVEN.value


class TestUnwritable:
    def test_a_full_disk_refuses_in_blue_and_recovers(self, rig):
        rig.store._database._write.execute("PRAGMA max_page_count=1")
        sights = [rig.tap("door-101", FakeContact(a_credential(1))) for _ in range(60)]
        full = [sight for sight in sights if sight.lamp.reason == Reason.JOURNAL_FULL.value]
        assert full, "sixty entries don't fit"
        assert "full" in rig.writer.alarm
        rig.store._database._write.execute("PRAGMA max_page_count=1000000")
        assert rig.tap("door-101", FakeContact(a_credential(1))).lamp.light is Light.GREEN
        assert rig.writer.alarm == ""
        greens = [lamp["tap_id"] for lamp in lamps(rig) if lamp["light"] == "green"]
        assert greens == [entry.tap.tap_id for entry in taps(rig)]
        assert follow(rig.entries(), 0, GENESIS) == rig.store.mark().head

    def test_nothing_of_an_unwritable_batch_is_kept(self, rig):
        def half_a_batch():
            with rig.store.writing() as writing:
                writing.append(EntryKind.STARTED, NOON)
                writing._db.execute("PRAGMA query_only=1")
                writing.append(EntryKind.STARTED, NOON)

        with pytest.raises(StoreUnwritable):
            half_a_batch()
        rig.store._database._write.execute("PRAGMA query_only=0")
        assert len(rig.entries()) == 1

    def test_a_file_that_may_not_grow_refuses_in_blue_and_recovers(self, rig):
        """The operating system's own limit: SQLite gets a real I/O error from a real write."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        log = rig.store._database._write.execute("PRAGMA database_list").fetchone()[2] + "-wal"
        resource.setrlimit(resource.RLIMIT_FSIZE, (Path(log).stat().st_size + 2000, hard))
        try:
            refused = rig.tap("door-101", FakeContact(a_credential(1)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert refused.lamp.reason == Reason.JOURNAL_FULL.value
        assert rig.writer.alarm
        assert rig.tap("door-101", FakeContact(a_credential(1))).lamp.light is Light.GREEN
        assert len(taps(rig)) == 1
        assert follow(rig.entries(), 0, GENESIS) == rig.store.mark().head
