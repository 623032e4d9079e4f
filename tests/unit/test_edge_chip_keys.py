"""Keys of single chips come and go with the documents that name them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from readers.sealing import Seal
from readers.store import OutOfStep, Store, chips
from tests.support.chip_world import key_of
from tests.support.edge_world import EDGE_KEY, NOON, UID, a_document, a_snapshot, an_id
from wallet.chips.keys import ChipKey, KeySlot
from wallet.medium import Medium, MediumKind, MediumState
from wallet.snapshot import FeedBatch, TokenChange
from wallet.token import TokenDocument

KEY = ChipKey(UID.hex(), KeySlot.TILL, 1, key_of(KeySlot.TILL).hex())
NEXT_KEY = ChipKey(UID.hex(), KeySlot.TILL, 2, key_of(KeySlot.TILL, 2).hex())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "edge.sqlite", "edge-1", an_id(1, 99), NOON, Seal(EDGE_KEY))
    store.put_page(msgspec.structs.replace(a_snapshot(a_document(1)), chip_keys=(KEY,)), first=True)
    yield store
    store.close()


def epochs(store: Store) -> list[int]:
    return [epoch for epoch, _ in store.chip_keys(UID.hex(), KeySlot.TILL)]


def change(number: int, version: int, position: int, document: TokenDocument | None) -> TokenChange:
    return TokenChange(position, an_id(number, 1), version, document)


def batch(*changes: TokenChange, keys: tuple[ChipKey, ...] = (), after: int = 10) -> FeedBatch:
    return FeedBatch(1, after, after + 1, NOON, changes, chip_keys=keys)


def on_chip(number: int, version: int, state: MediumState = MediumState.ACTIVE) -> TokenDocument:
    revoked_at = NOON if state is MediumState.REVOKED else None
    medium = Medium(an_id(number, 2), MediumKind.BAND, state, UID.hex(), revoked_at)
    return a_document(number, version, media=(medium,))


def token_on_chip(store: Store) -> str:
    with store._database.reading() as db:
        return chips.token_of(db, UID.hex())


def test_keys_come_with_the_document_of_their_chip(store: Store) -> None:
    assert store.chip_keys(UID.hex(), KeySlot.TILL) == ((1, key_of(KeySlot.TILL)),)
    store.put_batch(batch(change(1, 2, 11, on_chip(1, 2)), keys=(NEXT_KEY,)))
    assert epochs(store) == [2, 1]


def test_a_batch_that_is_refused_brings_no_keys(store: Store) -> None:
    with pytest.raises(OutOfStep):
        store.put_batch(batch(keys=(NEXT_KEY,), after=9))
    assert epochs(store) == [1]


def test_a_guest_that_this_edge_need_not_know_takes_the_keys_along(store: Store) -> None:
    store.put_batch(batch(change(1, 2, 11, None)))
    assert epochs(store) == []
    assert token_on_chip(store) == ""


def test_a_band_that_was_turned_off_stays_known_so_that_its_refusal_says_why(store: Store) -> None:
    store.put_batch(batch(change(1, 2, 11, on_chip(1, 2, MediumState.REVOKED))))
    assert epochs(store) == [1]
    assert token_on_chip(store) == an_id(1, 1)


def test_a_chip_that_is_another_guests_now_keeps_its_keys_and_names_the_new_one(store: Store) -> None:
    store.put_batch(
        batch(change(1, 2, 11, on_chip(1, 2, MediumState.REVOKED)), change(2, 1, 11, on_chip(2, 1)))
    )
    assert token_on_chip(store) == an_id(2, 1)
    store.put_batch(batch(change(1, 3, 12, None), after=11))
    assert epochs(store) == [1]


def test_an_older_document_changes_nothing_of_it(store: Store) -> None:
    store.put_batch(batch(change(1, 3, 11, on_chip(1, 3))))
    store.put_batch(batch(change(1, 2, 12, a_document(1, 2, media=())), after=11))
    assert token_on_chip(store) == an_id(1, 1)
    assert epochs(store) == [1]


def test_a_snapshot_drops_what_none_of_its_pages_brought(store: Store) -> None:
    store.put_page(msgspec.structs.replace(a_snapshot(a_document(1)), chip_keys=(NEXT_KEY,)), first=True)
    assert epochs(store) == [2]
    store.put_page(a_snapshot(a_document(2, media=()), position=11), first=True)
    assert epochs(store) == []
    assert token_on_chip(store) == ""


def test_without_a_seal_no_key_is_kept(tmp_path: Path) -> None:
    plain = Store(tmp_path / "plain.sqlite", "edge-1", an_id(1, 99), NOON)
    plain.put_page(msgspec.structs.replace(a_snapshot(a_document(1)), chip_keys=(KEY,)), first=True)
    assert plain.chip_keys(UID.hex(), KeySlot.TILL) == ()
    plain.close()
