"""A journal comes home without gaps: what was taken is skipped, and another story is refused aloud."""

from collections.abc import Iterator

import msgspec
import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.journal import TakeJournal
from tests.support.home_world import (
    Home,
    Journal,
    basket,
    home,
    shops_with_three_sales,
    sold,
    tap_at,
)
from wallet.journal import EntryKind


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        yield made


def test_a_batch_sent_again_in_any_cut_counts_once(gateway: Home) -> None:
    journal = shops_with_three_sales()
    for first, last in ((1, 2), (1, 2), (2, 3), (1, 3), (3, 3)):
        receipt = gateway.take(journal, first, last)
        assert receipt["acknowledged"] == last
    assert receipt["head"] == journal.head
    assert len(gateway.rows(r.TapRow)) == 3
    assert gateway.folio().balance_minor == 3 * 1450
    assert len([row for row in gateway.rows(r.TransferRow) if row.tap_id]) == 3
    assert gateway.rows(r.ConflictRow) == []


def test_another_last_entry_than_the_known_one_is_a_fork_refused_aloud(gateway: Home) -> None:
    gateway.take(shops_with_three_sales())
    other = Journal("shops")
    for number in (101, 102, 104):
        tap = tap_at("till", number, at_s=number, sale=basket(1, number))
        other.write(tap, sold(tap))
    with pytest.raises(Rejection) as refused:
        gateway.take(other)
    assert refused.value.code == "journal_fork"
    assert refused.value.detail["acknowledged"] == 3
    assert len(gateway.rows(r.TapRow)) == 3


def test_a_gap_is_refused_aloud_and_nothing_is_taken(gateway: Home) -> None:
    journal = shops_with_three_sales()
    with pytest.raises(Rejection) as refused:
        gateway.take(journal, 2, 3)
    assert refused.value.code == "journal_gap"
    assert refused.value.detail["acknowledged"] == 0
    assert gateway.rows(r.TapRow) == []


def test_another_entry_under_a_known_number_is_a_fork(gateway: Home) -> None:
    gateway.take(shops_with_three_sales(), 1, 2)
    forked = Journal("shops")
    for number in (101, 109, 110):
        tap = tap_at("till", number, at_s=number, sale=basket(1, number))
        forked.write(tap, sold(tap))
    with pytest.raises(Rejection) as refused:
        gateway.take(forked)
    assert refused.value.code == "journal_fork"
    assert len(gateway.rows(r.TapRow)) == 2


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 2), (2, 2), (2, 3), (1, 3), (3, 3)])
def test_another_story_of_what_is_known_is_a_fork_wherever_it_ends(
    gateway: Home, first: int, last: int
) -> None:
    gateway.take(shops_with_three_sales())
    forked = Journal("shops")
    for number in (109, 102, 103):
        tap = tap_at("till", number, at_s=number, sale=basket(1, number))
        forked.write(tap, sold(tap))
    with pytest.raises(Rejection) as refused:
        gateway.take(forked, first, last)
    assert (refused.value.status, refused.value.code) == (409, "journal_fork")
    assert refused.value.detail["acknowledged"] == 3
    assert len(gateway.rows(r.TapRow)) == 3


def test_a_part_of_what_is_known_is_taken_again_and_changes_nothing(gateway: Home) -> None:
    journal = shops_with_three_sales()
    gateway.take(journal)
    for first, last in ((1, 1), (1, 2), (2, 2), (2, 3)):
        receipt = gateway.take(journal, first, last)
        assert (receipt["acknowledged"], receipt["head"]) == (last, journal.batch(first, last).head)
    assert len(gateway.rows(r.TapRow)) == 3


def test_a_batch_with_a_hole_in_it_is_refused(gateway: Home) -> None:
    journal = shops_with_three_sales()
    gateway.take(journal, 1, 2)
    batch = journal.batch()
    holed = msgspec.structs.replace(batch, entries=(batch.entries[0], batch.entries[2]))
    with pytest.raises(Rejection) as refused:
        gateway.do("journal.take", TakeJournal(holed))
    assert refused.value.status == 409


@pytest.mark.parametrize("number", [0, -1])
def test_entries_are_numbered_from_one_on(gateway: Home, number: int) -> None:
    batch = shops_with_three_sales().batch()
    numbered = msgspec.structs.replace(batch.entries[0], number=number)
    with pytest.raises(Rejection) as refused:
        gateway.do("journal.take", TakeJournal(msgspec.structs.replace(batch, entries=(numbered,))))
    assert (refused.value.status, refused.value.code) == (422, "journal_number")


@pytest.mark.parametrize("epoch", ["", "e1", "0190A000-0000-7000-8000-000000000001", "a|b", "x" * 64])
def test_an_epoch_is_an_id_as_edges_make_them(gateway: Home, epoch: str) -> None:
    journal = Journal("shops", epoch=epoch)
    journal.write(None, None, EntryKind.STARTED)
    with pytest.raises(Rejection) as refused:
        gateway.take(journal)
    assert (refused.value.status, refused.value.code) == (422, "journal_epoch")


def test_an_edit_of_the_last_entry_is_seen_by_the_head(gateway: Home) -> None:
    batch = shops_with_three_sales().batch()
    cheaper = basket(1, 104)
    assert batch.entries[2].tap is not None
    edited = msgspec.structs.replace(
        batch.entries[2], tap=msgspec.structs.replace(batch.entries[2].tap, sale=cheaper)
    )
    forged = msgspec.structs.replace(batch, entries=(*batch.entries[:2], edited))
    with pytest.raises(Rejection) as refused:
        gateway.do("journal.take", TakeJournal(forged))
    assert refused.value.code == "journal_fork"
    assert gateway.rows(r.TapRow) == []


def test_an_edge_that_is_not_enrolled_or_lends_its_name_is_refused(gateway: Home) -> None:
    stranger = Journal("stranger")
    stranger.write(None, None, EntryKind.STARTED)
    with pytest.raises(Rejection, match="not enrolled"):
        gateway.take(stranger)
    batch = shops_with_three_sales().batch()
    with pytest.raises(Rejection, match="own edge"):
        gateway.do("journal.take", TakeJournal(msgspec.structs.replace(batch, edge="park")))
