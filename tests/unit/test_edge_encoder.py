"""The encoder confirms only what it read back from the chip."""

import threading

import pytest

from readers.backoff import Backoff
from readers.clock import SystemEntropy
from readers.drivers.base import ChipFull, ChipKind, ContactLost
from readers.encoder import Encoder
from readers.transport.base import Anchors, EncodingJob, IssuedCredential, NotAccepted, Unreachable
from readers.trust import Trust
from tests.support.chip_world import KnownKeys
from tests.support.edge_world import ISSUER, KEY_ID, FakeContact, a_credential, an_id

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

    def jobs(self, wait_s):
        return tuple(self.waiting)

    def touch(self, encoder, chip_uid):
        raise NotAccepted("No band waits to be written here.")

    def issue(self, encoding_id, chip_uid, chip_kind, capacity_bytes):
        if self.refusal:
            raise NotAccepted(self.refusal)
        self.issued.append((encoding_id, chip_uid, chip_kind, capacity_bytes))
        return IssuedCredential(self.credential.hex(), an_id(1, 2))

    def confirm(self, encoding_id, *, ok, sentence):
        if self.unreachable:
            raise Unreachable("cut")
        if self.refused:
            self.all_told.set()
            raise NotAccepted(self.refused)
        self.confirmed.append((encoding_id, ok))
        if ok:
            self.waiting = []
            self.all_told.set()


@pytest.fixture
def desk():
    return FakeDesk()


@pytest.fixture
def encoder(desk):
    keys = {KEY_ID: ISSUER.public_key().public_bytes_raw().hex()}
    trust = Trust(Anchors("edge-1", "hotel", keys))
    return Encoder(desk, trust, KnownKeys(), SystemEntropy(), Backoff(SystemEntropy(), max_s=0.1), wait_s=0)


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


def test_a_confirmation_that_the_gateway_will_not_have_is_not_made_for_ever(encoder, desk):
    desk.unreachable = True
    encoder.take("encoder-1", FakeContact())
    desk.unreachable, desk.refused = False, "The band was turned off."
    run_until(encoder, desk.all_told)
    assert desk.confirmed == []
    desk.waiting = [EncodingJob("job-2", an_id(1, 1), "encoder-1", "band")]
    desk.refused = None
    assert encoder.take("encoder-1", FakeContact()).ok
    assert desk.confirmed == [("job-2", True)]


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
