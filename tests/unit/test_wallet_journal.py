"""The journal's chain finds every gap, swap, edit, fork and duplicate; equal entries are equal bytes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import NOON, an_id, taps
from wallet.journal import (
    GENESIS,
    EntryKind,
    JournalBatch,
    JournalEntry,
    JournalFault,
    chain,
    encode_entry,
    follow,
)
from wallet.reasons import Reason
from wallet.snapshot import decode, encode
from wallet.tap import Refused


def a_chain(count: int, edge: str = "park") -> tuple[tuple[JournalEntry, ...], str]:
    entries, head = [], GENESIS
    for number in range(1, count + 1):
        at = NOON + timedelta(seconds=number)
        entry = JournalEntry(edge, "epoch-1", number, EntryKind.STARTED, at, 1, 0, head)
        entries.append(entry)
        head = chain(head, entry)
    return tuple(entries), head


ENTRIES, HEAD = a_chain(6)


def test_an_unbroken_chain_ends_at_its_head_from_the_start_or_from_anywhere() -> None:
    assert follow(ENTRIES, 0, GENESIS) == HEAD
    assert follow((), 6, HEAD) == HEAD
    for cut in range(6):
        middle = follow(ENTRIES[:cut], 0, GENESIS)
        assert follow(ENTRIES[cut:], cut, middle) == HEAD
    assert len(HEAD) == 64


@given(st.permutations(range(6)))
def test_no_other_order_is_a_continuation(order: list[int]) -> None:
    if order != sorted(order):
        with pytest.raises(JournalFault):
            follow(tuple(ENTRIES[index] for index in order), 0, GENESIS)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_gaps_and_duplicates_are_found(indices: list[int]) -> None:
    if indices != list(range(len(indices))):
        with pytest.raises(JournalFault):
            follow(tuple(ENTRIES[index] for index in indices), 0, GENESIS)


@given(st.integers(0, 5), taps())
def test_an_edit_shows_at_the_next_entry_or_in_the_head(index: int, tap: object) -> None:
    edited = list(ENTRIES)
    edited[index] = replace(edited[index], tap=tap)
    if index < 5:
        with pytest.raises(JournalFault, match=f"entry {index + 2} does not continue"):
            follow(tuple(edited), 0, GENESIS)
    else:
        assert follow(tuple(edited), 0, GENESIS) != HEAD


def test_a_fork_is_found_where_it_leaves_the_known_chain() -> None:
    forked = replace(ENTRIES[3], position=9)
    fork = (forked, replace(ENTRIES[4], previous=chain(forked.previous, forked)))
    known = follow(ENTRIES[:4], 0, GENESIS)
    with pytest.raises(JournalFault, match="entry 5 does not continue"):
        follow(fork[1:], 4, known)


def test_entries_of_two_edges_or_epochs_are_no_chain() -> None:
    for other in (replace(ENTRIES[1], edge="shops"), replace(ENTRIES[1], epoch="epoch-2")):
        with pytest.raises(JournalFault, match="another edge or epoch"):
            follow((ENTRIES[0], other), 0, GENESIS)


def test_a_chain_value_depends_on_the_one_before_and_on_the_entry() -> None:
    entry = ENTRIES[0]
    values = {chain(GENESIS, entry), chain("1" * 64, entry), chain(GENESIS, replace(entry, position=1))}
    assert len(values) == 3


def test_equal_entries_are_equal_bytes_whatever_the_order_of_a_detail() -> None:
    one = replace(ENTRIES[0], decision=Refused(Reason.OTHER_DAY, {"from_day": "1", "until_day": "2"}))
    two = replace(ENTRIES[0], decision=Refused(Reason.OTHER_DAY, {"until_day": "2", "from_day": "1"}))
    assert one == two
    assert encode_entry(one) == encode_entry(two)


@given(taps())
def test_an_entry_comes_over_the_wire_with_the_same_bytes_and_chain(tap: object) -> None:
    entry = replace(ENTRIES[0], tap=tap, kind=EntryKind.TAP, token_id=an_id(1), online=True, as_of=NOON)
    batch = JournalBatch(1, "park", "epoch-1", (entry,), chain(GENESIS, entry))
    read = decode(encode(batch), JournalBatch)
    assert read == batch
    assert follow(read.entries, 0, GENESIS) == batch.head
