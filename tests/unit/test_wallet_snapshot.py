"""The wire: what was sent comes back, what is hostile is a WireError, and facts are the same whoever builds them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import NOON, PARTY_ID, RESORT, TOKEN_ID, documents, entitlements, use_of, uses
from wallet.entitlement import Admission, Bypass, Parking, Photos, RoomKey, Spending
from wallet.journal import JournalBatch
from wallet.snapshot import (
    WIRE_VERSION,
    FeedBatch,
    Snapshot,
    TokenChange,
    WireError,
    decode,
    encode,
    facts_from,
)
from wallet.token import Step, TokenDocument, Use, scopes_of

TILL = RESORT.touchpoint("till")
BATCH = FeedBatch(WIRE_VERSION, 3, 5, NOON)


@given(documents())
def test_what_was_sent_comes_back(document: TokenDocument) -> None:
    changes = (TokenChange(4, document.token_id, document.version, document), TokenChange(5, "gone", 2))
    batch = FeedBatch(WIRE_VERSION, 3, 5, NOON, changes, RESORT)
    snapshot = Snapshot(WIRE_VERSION, 5, NOON, RESORT, (document,), "next")
    assert decode(encode(batch), FeedBatch) == batch
    assert decode(encode(snapshot), Snapshot) == snapshot


@given(st.binary(), st.sampled_from([FeedBatch, Snapshot, JournalBatch]))
def test_any_bytes_are_a_wire_error(data: bytes, kind: type) -> None:
    with pytest.raises(WireError):
        decode(data, kind)


@given(st.data())
def test_a_damaged_message_is_read_or_a_wire_error(data: st.DataObject) -> None:
    whole = bytearray(encode(FeedBatch(WIRE_VERSION, 3, 5, NOON, (), RESORT)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = decode(bytes(whole), FeedBatch)
    except WireError:
        return
    assert decode(encode(read), FeedBatch) == read


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"wire":1,"x":' + b"[" * 200_000,
        b'{"\xff":1}',
        b'{"wire":' + b"9" * 6000 + b"}",
        b'{"wire":1e999}',
        b'{"wire":true}',
        b"null",
        b"",
    ],
)
def test_hostile_json_is_a_wire_error(hostile: bytes) -> None:
    with pytest.raises(WireError):
        decode(hostile, FeedBatch)


def test_an_instant_without_an_offset_is_refused() -> None:
    """Compared with an aware one later, it would raise in the middle of a tap."""
    message = json.loads(encode(BATCH))
    message["as_of"] = "2027-03-02T12:00:00"
    with pytest.raises(WireError, match="as_of"):
        decode(json.dumps(message).encode(), FeedBatch)


@pytest.mark.parametrize("wire", [0, -1, WIRE_VERSION + 1])
def test_another_wire_version_is_refused_with_the_advice_to_update(wire: int) -> None:
    with pytest.raises(WireError, match="update"):
        decode(encode(replace(BATCH, wire=wire)), FeedBatch)


def test_what_a_later_version_adds_without_harm_is_passed_over() -> None:
    message = json.loads(encode(BATCH)) | {"news": [1, 2]}
    assert decode(json.dumps(message).encode(), FeedBatch) == BATCH


@given(uses(), uses(), st.randoms())
def test_facts_hold_each_tap_once_in_order_of_time_wherever_it_is_known(
    local: tuple[Use, ...], known: tuple[Use, ...], dice: object
) -> None:
    def build(local_uses: list[Use], document: TokenDocument) -> tuple[Use, ...]:
        return facts_from(TILL, RESORT, document, as_of=NOON, online=True, local_uses=local_uses).uses

    document = TokenDocument(TOKEN_ID, 1, PARTY_ID, uses=known)
    merged = build([*local, *known], document)
    assert [(use.at, use.tap_id) for use in merged] == sorted((use.at, use.tap_id) for use in merged)
    keys = [(use.tap_id, use.entitlement_id) for use in merged]
    assert len(keys) == len(set(keys))
    # A tap that the document tells, perhaps under another right, is the document's.
    told = {use.tap_id for use in known}
    counted = (*known, *(use for use in local if use.tap_id not in told))
    assert set(keys) == {(use.tap_id, use.entitlement_id) for use in counted}
    assert set(known) <= set(merged)
    shuffled = [*local, *known]
    dice.shuffle(shuffled)
    assert build(shuffled, replace(document, uses=tuple(reversed(known)))) == merged


def test_two_rights_used_by_one_tap_are_two_uses_in_a_fixed_order() -> None:
    a, b = (use_of(Step.CHARGE, NOON, "grill", right=right) for right in ("a", "b"))
    for local in ([a, b], [b, a]):
        facts = facts_from(TILL, RESORT, None, as_of=None, online=False, local_uses=local)
        assert facts.uses == (a, b)


def test_facts_carry_what_they_were_given() -> None:
    document = TokenDocument(TOKEN_ID, 1, PARTY_ID, pin_tries=2)
    facts = facts_from(
        TILL,
        RESORT,
        document,
        as_of=NOON,
        online=True,
        local_pin_tries=3,
        edge_offline_minor=7,
        token_offline_minor=8,
    )
    assert (facts.touchpoint, facts.resort, facts.token) == (TILL, RESORT, document)
    assert (facts.pin_tries, facts.as_of, facts.online) == (5, NOON, True)
    assert (facts.edge_offline_minor, facts.token_offline_minor) == (7, 8)
    assert facts_from(TILL, RESORT, None, as_of=None, online=False, local_pin_tries=3).pin_tries == 3


@pytest.mark.parametrize(
    ("right", "scopes"),
    [
        (RoomKey("a", ("101", "gone"), NOON, NOON), {"hotel"}),
        (Parking("a", ("lot-a", "lot-b"), NOON, NOON), {"hotel", "park"}),
        (Admission("a", ("lagoon", "gone"), NOON.date(), NOON.date()), {"park"}),
        (Bypass("a", "comet", NOON, NOON), {"park"}),
        (Bypass("a", "gone", NOON, NOON), set()),
        (Spending("a", "account", "EUR", 0, 0, NOON, NOON), {"shops"}),
        (Photos("a", NOON, NOON), {"park"}),
    ],
)
def test_a_document_goes_to_the_venues_of_its_rights(right: object, scopes: set[str]) -> None:
    assert scopes_of(TokenDocument(TOKEN_ID, 1, PARTY_ID, entitlements=(right,)), RESORT) == scopes


@given(st.lists(entitlements("right"), max_size=3))
def test_the_scopes_of_a_document_are_those_of_its_rights_together(rights: list[object]) -> None:
    def scopes(*some: object) -> frozenset[str]:
        return scopes_of(TokenDocument(TOKEN_ID, 1, PARTY_ID, entitlements=some), RESORT)

    assert scopes(*rights) == frozenset().union(*(scopes(right) for right in rights))
