"""The encoder confirms only what it read back from the chip."""

import threading

import pytest

from readers.backoff import Backoff
from readers.clock import SystemEntropy
from readers.drivers.base import ChipFull, ChipKind, ContactLost
from readers.encoder import Encoder
from readers.store import Store, StoreUnwritable
from readers.transport.base import Anchors, EncodingJob, IssuedCredential, NotAccepted, Unreachable
from readers.trust import Trust
from tests.support.chip_world import KnownKeys
from tests.support.edge_world import ISSUER, KEY_ID, NOON, FakeContact, a_credential, an_id

JOB = EncodingJob("job-1", an_id(1, 1), "encoder-1", "band")


class FakeDesk:
    def __init__(self):
        self.waiting = [JOB]
        self.credential = a_credential(1)
        self.refusal = None
        self.unreachable = False
        self.refused = None
        self.all_told = threading.Event()
        self.issued = []
        self.confirmed = []
        self.media = []
        self.medium_id = an_id(1, 2)

    def jobs(self, wait_s):
        return tuple(self.waiting)

    def touch(self, encoder, chip_uid):
        raise NotAccepted("No band waits to be written here.")

    def issue(self, encoding_id, chip_uid, chip_kind, capacity_bytes):
        if self.refusal:
            raise NotAccepted(self.refusal)
        self.issued.append((encoding_id, chip_uid, chip_kind, capacity_bytes))
        return IssuedCredential(self.credential.hex(), self.medium_id)

    def confirm(self, encoding_id, *, ok, sentence, medium_id):
        if self.unreachable:
            raise Unreachable("cut")
        if self.refused:
            self.all_told.set()
            raise NotAccepted(self.refused)
        self.confirmed.append((encoding_id, ok))
        self.media.append(medium_id)
        if ok:
            self.waiting = []
            self.all_told.set()


@pytest.fixture
def desk():
    return FakeDesk()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "edge.sqlite", "edge-1", an_id(1, 99), NOON)
    yield store
    store.close()


@pytest.fixture
def encoder(desk, store):
    return started(desk, store)


def started(desk, store):
    """Return the encoder of an edge that has just been started."""
    keys = {KEY_ID: ISSUER.public_key().public_bytes_raw().hex()}
    trust = Trust(Anchors("edge-1", "hotel", keys))
    return Encoder(
        desk, trust, store, KnownKeys(), SystemEntropy(), Backoff(SystemEntropy(), max_s=0.1), wait_s=0
    )


def test_a_chip_is_written_read_back_and_confirmed_once(encoder, desk):
    chip = FakeContact()
    assert encoder.take("encoder-1", chip).ok
    assert chip.data == desk.credential
    assert desk.confirmed == [("job-1", True)]
    assert desk.issued == [("job-1", chip.uid.hex(), "ntag216", 868)]
    assert not encoder.take("encoder-1", FakeContact()).ok
    assert len(desk.issued) == 1


def test_a_job_of_another_encoder_is_left_alone(encoder, desk):
    assert not encoder.take("encoder-2", FakeContact()).ok
    assert desk.issued == []


def test_pulled_away_half_way_nothing_is_confirmed_and_the_next_touch_goes_on(encoder, desk):
    class Torn(FakeContact):
        def write_credential(self, data):
            raise ContactLost("gone")

    torn = encoder.take("encoder-1", Torn())
    assert "again" in torn.sentence
    assert desk.confirmed == []
    assert encoder.take("encoder-1", FakeContact()).ok


def test_what_reads_back_differently_is_never_confirmed(encoder, desk):
    class Liar(FakeContact):
        def read_credential(self):
            return b"something else"

    assert not encoder.take("encoder-1", Liar()).ok
    assert desk.confirmed == [("job-1", False)]


def test_a_credential_that_no_reader_would_take_is_not_confirmed(encoder, desk):
    assert not encoder.take("encoder-1", FakeContact(uid=b"\x04" * 7)).ok
    assert desk.confirmed == [("job-1", False)]


def test_a_chip_in_use_stays_as_it_is_and_the_job_waits(encoder, desk):
    desk.refusal = "This band belongs to another guest."
    chip = FakeContact(b"the other guest's")
    assert encoder.take("encoder-1", chip).sentence == desk.refusal
    assert chip.data == b"the other guest's"
    assert desk.confirmed == []
    assert encoder.waiting("encoder-1") == ("job-1",)


@pytest.mark.parametrize(
    "contact",
    [
        FakeContact(chip_kind=ChipKind.QR, uid=b""),
        FakeContact(is_random_uid=True),
    ],
)
def test_what_has_no_number_of_its_own_is_not_issued(encoder, desk, contact):
    assert not encoder.take("encoder-1", contact).ok
    assert desk.issued == []


def test_a_chip_that_is_too_small_is_told_to_the_desk(encoder, desk):
    class Small(FakeContact):
        def write_credential(self, data):
            raise ChipFull("too small")

    assert not encoder.take("encoder-1", Small()).ok
    assert desk.confirmed == [("job-1", False)]


def test_a_confirmation_that_did_not_arrive_is_made_good_once_the_gateway_answers(encoder, desk):
    desk.unreachable = True
    told = encoder.take("encoder-1", FakeContact())
    assert told.ok
    assert "as soon as" in told.sentence
    assert encoder.waiting("encoder-1") == (), "the guest has the band: the next chip is another job's"
    desk.unreachable = False
    run_until(encoder, desk.all_told)
    assert desk.confirmed == [("job-1", True)]


def test_an_edge_started_anew_gives_no_other_chip_what_it_has_written_and_confirms_it(encoder, desk, store):
    desk.unreachable = True
    assert encoder.take("encoder-1", FakeContact()).ok
    restarted = started(desk, store)
    blank = FakeContact(uid=b"\x04" * 7)
    assert restarted.take("encoder-1", blank).sentence.startswith("No band waits")
    assert blank.data == FakeContact().data
    assert len(desk.issued) == 1
    desk.unreachable = False
    run_until(restarted, desk.all_told)
    assert desk.confirmed == [("job-1", True)]
    assert desk.media == [desk.medium_id], "whichever chip the gateway would have this job for by now"
    assert store.owed_confirmations() == {}


@pytest.mark.parametrize("refused", ["owe_confirmation", "settle_confirmation"])
def test_a_disk_that_takes_nothing_keeps_no_band_from_being_confirmed(
    encoder, desk, store, monkeypatch, refused
):
    def full(*_):
        raise StoreUnwritable("the disk is full")

    monkeypatch.setattr(store, refused, full)
    assert encoder.take("encoder-1", FakeContact()).ok
    assert desk.confirmed == [("job-1", True)]
    assert encoder.last_error == "the disk is full"


def test_a_confirmation_that_the_gateway_will_not_have_is_not_made_for_ever(encoder, desk):
    desk.unreachable = True
    encoder.take("encoder-1", FakeContact())
    desk.unreachable, desk.refused, desk.waiting = False, "The band was turned off.", []
    run_until(encoder, desk.all_told)
    assert desk.confirmed == []
    desk.waiting = [EncodingJob("job-2", an_id(1, 1), "encoder-1", "band")]
    desk.refused = None
    assert encoder.take("encoder-1", FakeContact()).ok
    assert desk.confirmed == [("job-2", True)]


def test_a_band_that_the_gateway_will_not_have_is_not_called_ready(encoder, desk, store):
    desk.refused = "The keys changed meanwhile. Hold the band to the encoder once more."
    chip = FakeContact()
    told = encoder.take("encoder-1", chip)
    assert not told.ok
    assert (told.sentence, told.encoding_id) == (desk.refused, "job-1")
    assert store.owed_confirmations() == {}
    desk.refused = None
    assert encoder.take("encoder-1", chip).sentence == "The band is ready."
    assert desk.confirmed == [("job-1", True)]


def test_a_no_to_a_band_of_earlier_is_not_told_to_who_holds_the_next_one(encoder, desk):
    desk.unreachable = True
    encoder.take("encoder-1", FakeContact())
    desk.unreachable, desk.refused = False, "The band was turned off."
    run_until(encoder, desk.all_told)
    desk.refused, desk.medium_id = None, an_id(1, 3)
    assert encoder.take("encoder-1", FakeContact()).sentence == "The band is ready."
    assert desk.media == [an_id(1, 3)]


def run_until(encoder, told):
    stop = threading.Event()
    thread = threading.Thread(target=encoder.run, args=(stop,))
    thread.start()
    try:
        assert told.wait(10)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
