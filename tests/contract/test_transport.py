"""What every transport to the gateway promises; for now the real HTTP one against a small real server."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from readers.clock import SystemClock, SystemEntropy
from readers.transport.base import Denied, FeedGone, HoldRequest, JournalRefused, NotAccepted, Unreachable
from readers.transport.http import HttpEncodingDesk, HttpTransport, SignedClient, enrol
from tests.support.edge_world import NOON, UID, a_document, an_id
from tests.support.fake_gateway import FakeGateway
from wallet.journal import GENESIS, EntryKind, JournalBatch, JournalEntry, chain
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Hold, HoldAnswer, Presented, Refused, Sale, Tap

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


@pytest.fixture
def gateway():
    gateway = FakeGateway()
    gateway.edge_key = KEY.public_key()
    for n in range(1, 6):
        gateway.put(a_document(n))
    yield gateway
    gateway.cut()


@pytest.fixture
def transport(gateway):
    transport = HttpTransport(gateway.url, "edge-1", KEY, SystemClock(), SystemEntropy(), hold_deadline_s=0.5)
    yield transport
    transport.close()


def batch(first, count, previous=GENESIS):
    entries, head = [], previous
    for number in range(first, first + count):
        entry = JournalEntry("edge-1", an_id(7), number, EntryKind.STARTED, NOON, 1, 0, head)
        entries.append(entry)
        head = chain(head, entry)
    return JournalBatch(1, "edge-1", an_id(7), tuple(entries), head)


def hold_request():
    sale = Sale("s", "grill", "EUR", (), 5)
    return HoldRequest(Tap(an_id(1), "till-1", "till-1-nfc", NOON, Presented(Proof.QR), sale), an_id(2))


def test_pages_of_a_snapshot_give_every_document_once(transport):
    page = transport.snapshot(None, None)
    found = list(page.documents)
    while page.next_after:
        page = transport.snapshot(page.next_after, page.position)
        found += page.documents
    assert [each.token_id for each in found] == [an_id(n, 1) for n in range(1, 6)]


def test_the_feed_gives_what_follows_a_position_and_waits_for_news(transport, gateway):
    assert [change.version for change in transport.feed(4, 0).changes] == [1]
    empty = transport.feed(5, 0)
    assert (empty.from_position, empty.to_position, empty.changes) == (5, 5, ())


def test_a_position_beyond_the_feed_is_gone(transport):
    with pytest.raises(FeedGone):
        transport.feed(99, 0)


def test_a_batch_pushed_twice_is_taken_once(transport, gateway):
    first = transport.push(batch(1, 3))
    assert transport.push(batch(1, 3)) == first
    assert (first.acknowledged, first.head) == (3, batch(1, 3).head)
    assert len(gateway.entries) == 3
    journal_keys = {
        key for key, (method, _) in zip(gateway.keys, gateway.requests, strict=True) if method == "POST"
    }
    assert len(journal_keys) == 1, "the same batch has the same idempotency key"


def test_a_gap_is_refused_with_what_the_gateway_has(transport, gateway):
    receipt = transport.push(batch(1, 2))
    with pytest.raises(JournalRefused) as refused:
        transport.push(batch(5, 1))
    assert (refused.value.acknowledged, refused.value.head) == (2, receipt.head)
    assert refused.value.position == gateway.position > 0


def test_a_lost_answer_is_unreachable_and_the_push_still_counted(transport, gateway):
    gateway.lose_answers["/api/v1/edge/journal"] = 1
    with pytest.raises(Unreachable):
        transport.push(batch(1, 3))
    assert transport.push(batch(1, 3)).acknowledged == 3


def test_another_key_is_denied(gateway):
    other = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    stranger = HttpTransport(gateway.url, "edge-1", other, SystemClock(), SystemEntropy(), hold_deadline_s=1)
    with pytest.raises(Denied):
        stranger.anchors()
    stranger.close()


def test_a_gateway_that_is_away_is_unreachable_and_not_counted_as_an_answer(gateway):
    gateway.refuse["/api/v1/edge/anchors"] = 1
    transport = HttpTransport(gateway.url, "edge-1", KEY, SystemClock(), SystemEntropy(), hold_deadline_s=1)
    with pytest.raises(Unreachable):
        transport.anchors()
    assert transport.answered_at_s() is None
    assert transport.anchors().issuer_keys
    assert transport.answered_at_s() is not None
    transport.close()


class TestHold:
    def test_the_answer_comes_back(self, transport, gateway):
        gateway.hold = Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_FOLIO_LIMIT))
        assert transport.hold(hold_request()) == gateway.hold

    def test_a_late_answer_is_unreachable(self, transport, gateway):
        gateway.hold_delay.clear()
        assert transport.hold(hold_request()) == Hold(HoldAnswer.UNREACHABLE)
        gateway.hold_delay.set()

    def test_one_lost_answer_is_asked_again_within_the_deadline(self, transport, gateway):
        gateway.lose_answers["/api/v1/edge/holds"] = 1
        assert transport.hold(hold_request()) == Hold(HoldAnswer.HELD)
        keys = [
            key
            for key, (_, path) in zip(gateway.keys, gateway.requests, strict=True)
            if path.endswith("holds")
        ]
        assert len(keys) == 2
        assert len(set(keys)) == 1

    def test_a_cut_is_unreachable(self, transport, gateway):
        gateway.cut()
        assert transport.hold(hold_request()) == Hold(HoldAnswer.UNREACHABLE)
        gateway.start()


def test_enrolment_takes_its_code_once(gateway):
    gateway.edge_key = None
    public = KEY.public_key().public_bytes_raw().hex()
    assert enrol(gateway.url, "edge-1", "ABC123", public, an_id(1)).venue == "park"
    with pytest.raises(Denied):
        enrol(gateway.url, "edge-1", "ABC123", public, an_id(2))
    with pytest.raises(Denied):
        enrol(gateway.url, "edge-1", "WRONG", public, an_id(3))


def test_the_desk_issues_and_hears_of_success(gateway):
    gateway.jobs["j1"] = {
        "encoding_id": "j1",
        "token_id": an_id(1, 1),
        "encoder": "encoder-1",
        "kind": "band",
    }
    desk = HttpEncodingDesk(
        SignedClient(gateway.url, "edge-1", KEY, SystemClock(), SystemEntropy()), SystemEntropy()
    )
    (job,) = desk.jobs(0)
    first = desk.issue(job.encoding_id, UID.hex(), "ntag216", 868)
    assert desk.issue(job.encoding_id, UID.hex(), "ntag216", 868) == first
    assert len(set(gateway.keys[-2:])) == 2, "a stored answer may name a medium that was dropped since"
    gateway.issue_refusal = "This band belongs to another guest. Turn it off first."
    with pytest.raises(NotAccepted, match="another guest"):
        desk.issue(job.encoding_id, "00" * 7, "ntag216", 868)
    desk.confirm(job.encoding_id, ok=True, sentence="", medium_id=first.medium_id)
    desk.confirm(job.encoding_id, ok=True, sentence="", medium_id=first.medium_id)
    desk.confirm(job.encoding_id, ok=True, sentence="", medium_id="")
    told = {"ok": True, "medium_id": first.medium_id}
    assert gateway.confirmed == [("j1", told), ("j1", told), ("j1", {"ok": True})]
    once, again, unknown = gateway.keys[-3:]
    assert once == again != unknown


def test_a_chip_that_nobody_announced_is_asked_about_anew_at_each_touch(gateway):
    desk = HttpEncodingDesk(
        SignedClient(gateway.url, "edge-1", KEY, SystemClock(), SystemEntropy()), SystemEntropy()
    )
    with pytest.raises(NotAccepted, match="Nothing is to be done"):
        desk.touch("encoder-1", UID.hex())
    gateway.touched[UID.hex()] = {
        "encoding_id": "j2",
        "token_id": an_id(1, 1),
        "encoder": "encoder-1",
        "kind": "band",
    }
    assert desk.touch("encoder-1", UID.hex()).encoding_id == "j2"
    with pytest.raises(NotAccepted):
        desk.touch("encoder-2", UID.hex())
    assert len(set(gateway.keys)) == 3
