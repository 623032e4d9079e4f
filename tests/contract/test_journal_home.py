"""Taps come home: each counts once, money follows, and what the gateway sees otherwise is filed, never hidden."""

from collections.abc import Iterator

import msgspec
import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.conflicts import ResolveConflict
from gateway.services.encodings import ConfirmEncoding
from gateway.services.journal import TakeJournal
from gateway.services.set_aside import SettleSetAside
from tests.support.home_world import (
    ENCODING_ID,
    OLDER_BAND_ID,
    PIN_RIGHT,
    GiveAgain,
    Home,
    Journal,
    Turn,
    WriteOver,
    approved,
    basket,
    home,
    sold,
    tap_at,
)
from tests.support.worlds import BAND_ID, TOKEN_ID, an_id
from wallet.journal import EntryKind
from wallet.medium import MediumState
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Hold, HoldAnswer
from wallet.token import Step

HELD = Hold(HoldAnswer.HELD)


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        yield made


def shops_with_three_sales() -> Journal:
    journal = Journal("shops")
    for number in (101, 102, 103):
        tap = tap_at("till", number, at_s=number, sale=basket(1, number))
        journal.write(tap, sold(tap))
    return journal


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
        assert gateway.take(journal, first, last)["acknowledged"] == 3
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


def test_an_entry_that_cannot_be_applied_is_set_aside_and_blocks_nobody(gateway: Home) -> None:
    journal = Journal("shops")
    good = tap_at("till", 101, sale=basket(1))
    elsewhere = tap_at("gate-in", 102)
    unknown = tap_at("no-such-till", 103, sale=basket(1))
    wrong = tap_at("till", 104, sale=msgspec.structs.replace(basket(1), total_minor=999))
    last = tap_at("till", 105, at_s=5, sale=basket(1, 2))
    journal.write(good, sold(good))
    journal.write(elsewhere, approved(elsewhere, "admission", Step.PARK_IN, "lagoon"))
    journal.write(unknown, sold(unknown))
    journal.write(wrong, sold(wrong))
    journal.write(last, sold(last))
    receipt = gateway.take(journal)
    assert receipt["acknowledged"] == 5
    assert receipt["set_aside"] == [2, 3, 4]
    assert {row.id for row in gateway.rows(r.TapRow)} == {good.tap_id, last.tap_id}
    assert gateway.folio().balance_minor == 2 * 1450
    sentences = {row.number: row.sentence for row in gateway.rows(r.SetAsideRow)}
    assert "not a touchpoint of this edge's venue" in sentences[2]
    assert "no-such-till" in sentences[3]
    assert "do not add up" in sentences[4]


def test_an_edge_that_tells_two_amounts_of_one_sale_is_not_believed(gateway: Home) -> None:
    journal = Journal("shops")
    tap = tap_at("till", 101, sale=basket(1))
    journal.write(tap, approved(tap, "spending", Step.CHARGE, "grill", amount_minor=1))
    assert gateway.take(journal)["set_aside"] == [1]
    assert gateway.folio().balance_minor == 0


def test_a_set_aside_entry_can_be_dismissed_once_and_a_vain_replay_changes_nothing(gateway: Home) -> None:
    journal = Journal("shops")
    tap = tap_at("no-such-till", 103, sale=basket(1))
    journal.write(tap, sold(tap))
    gateway.take(journal)
    settle = SettleSetAside(
        "shops", journal.epoch, 1, replay=True, note="", tap_id=tap.tap_id, token_id=TOKEN_ID
    )
    with pytest.raises(Rejection, match="still cannot be applied"):
        gateway.do("set_aside.settle", settle)
    assert gateway.rows(r.TapRow) == []
    dismissed = msgspec.structs.replace(settle, replay=False, note="a till of the old resort")
    gateway.do("set_aside.settle", dismissed)
    (row,) = gateway.rows(r.SetAsideRow)
    assert (row.state, row.note) == (r.SetAsideState.DISMISSED, "a till of the old resort")
    with pytest.raises(Rejection, match="does not wait"):
        gateway.do("set_aside.settle", dismissed)


def test_one_tap_id_from_two_edges_is_filed_and_charged_once(gateway: Home) -> None:
    tap = tap_at("gate-in", 101)
    for edge in ("park", "park-2"):
        journal = Journal(edge)
        journal.write(tap, approved(tap, "admission", Step.PARK_IN, "lagoon"))
        gateway.take(journal)
    assert len(gateway.rows(r.TapRow)) == 1
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.edge, conflict.detail["other_edge"]) == (
        "duplicate_tap",
        "park-2",
        "park",
    )


def test_a_ride_redeemed_at_two_isolated_edges_is_a_double_use_with_both_sides(gateway: Home) -> None:
    first = tap_at("comet-merge", 101, at_s=10)
    second = tap_at("comet-merge", 102, at_s=20)
    entrance = tap_at("comet-entrance", 100)
    one, two = Journal("park"), Journal("park-2")
    one.write(entrance, approved(entrance, "bypass", Step.ENTRANCE, "comet"))
    one.write(first, approved(first, "bypass", Step.MERGE, "comet"))
    two.write(second, approved(second, "bypass", Step.MERGE, "comet"))
    gateway.take(one)
    assert gateway.rows(r.ConflictRow) == []
    gateway.take(two)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert conflict.kind == "double_use"
    assert (conflict.tap_id, conflict.edge, conflict.token_id) == (second.tap_id, "park-2", TOKEN_ID)
    assert conflict.detail["other_tap"] == first.tap_id
    assert conflict.detail["our_reason"] == Reason.RESERVATION_REDEEMED
    assert conflict.detail["edge"]["as_of"] is not None
    gateway.do("conflict.resolve", ResolveConflict(conflict.id, "two bands, one guest: let go"))
    (resolved,) = gateway.rows(r.ConflictRow)
    assert (resolved.state, resolved.note) == (r.ConflictState.RESOLVED, "two bands, one guest: let go")


def test_a_band_revoked_before_the_tap_is_a_conflict_and_after_it_is_none(gateway: Home) -> None:
    before, after = tap_at("gate-in", 101, at_s=0), tap_at("gate-in", 102, at_s=2000)
    gateway.do("test.turn_off", Turn(band=True), at_s=1000)
    journal = Journal("park")
    journal.write(before, approved(before, "admission", Step.PARK_IN, "lagoon"))
    journal.write(after, approved(after, "admission", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.tap_id) == ("revoked_medium", after.tap_id)
    assert len(gateway.rows(r.TapUseRow)) == 2, "the guest did go in, so both uses stand"


def test_a_late_tap_is_judged_by_the_rights_as_they_stood(gateway: Home) -> None:
    tap = tap_at("till", 101, at_s=0, sale=basket(1))
    gateway.do("test.turn_off", Turn(right="spending"), at_s=1000)
    journal = Journal("shops")
    journal.write(tap, sold(tap))
    gateway.take(journal)
    assert gateway.rows(r.ConflictRow) == []
    assert gateway.folio().balance_minor == 1450


def test_a_right_given_after_the_tap_does_not_excuse_it(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(right="spending"), at_s=-10)
    gateway.do("test.give_again", GiveAgain("spending", "spending-2"), at_s=10)
    tap = tap_at("till", 101, at_s=0, sale=basket(1))
    journal = Journal("shops")
    journal.write(tap, sold(tap))
    gateway.take(journal)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert conflict.detail["our_reason"] == Reason.NOT_ENTITLED


def test_days_later_a_daily_limit_is_still_judged_by_all_that_was_sold_that_day(gateway: Home) -> None:
    shops, hotel = Journal("shops"), Journal("shops", epoch="0190a000-0000-7000-8000-000000000002")
    for journal, number in ((shops, 101), (hotel, 102), (hotel, 103)):
        tap = tap_at("till", number, at_s=number, sale=basket(8, number), pin=PIN_RIGHT, hold=HELD)
        journal.write(tap, sold(tap))
    week_s = 8 * 24 * 3600
    gateway.do("journal.take", TakeJournal(shops.batch()), at_s=week_s)
    gateway.do("journal.take", TakeJournal(hotel.batch()), at_s=week_s)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.detail["our_reason"]) == ("past_limit", Reason.OVER_DAILY_LIMIT)


def test_a_sale_past_the_folio_and_past_the_guests_own_limit_is_filed_for_both(database_url: str) -> None:
    with home(database_url, limit_minor=20_000) as gateway:
        journal = Journal("shops")
        tap = tap_at("till", 101, sale=basket(21, 101), pin=PIN_RIGHT, hold=HELD)
        journal.write(tap, sold(tap))
        gateway.take(journal)
        filed = {row.detail["our_reason"]: row.amount_minor for row in gateway.rows(r.ConflictRow)}
    assert filed == {
        Reason.OVER_FOLIO_LIMIT: 21 * 1450 - 20_000,
        Reason.OVER_DAILY_LIMIT: 21 * 1450,
    }


def test_spending_past_the_daily_limit_is_posted_filed_and_valued(gateway: Home) -> None:
    journal = Journal("shops")
    for number in range(101, 104):
        tap = tap_at("till", number, at_s=number, sale=basket(8, number), pin=PIN_RIGHT, hold=HELD)
        journal.write(tap, sold(tap))
    gateway.take(journal)
    (conflict,) = gateway.rows(r.ConflictRow)
    assert (conflict.kind, conflict.amount_minor) == ("past_limit", 8 * 1450)
    assert conflict.detail["our_reason"] == Reason.OVER_DAILY_LIMIT
    assert gateway.folio().balance_minor == 3 * 8 * 1450


def test_small_sales_past_the_folio_are_valued_by_what_is_too_much(database_url: str) -> None:
    with home(database_url, limit_minor=2000) as gateway:
        gateway.take(shops_with_three_sales())
        amounts = [row.amount_minor for row in sorted(gateway.rows(r.ConflictRow), key=lambda row: row.at)]
        assert amounts == [900, 1450]
        assert gateway.folio().balance_minor == 4350


def test_a_use_by_grant_is_booked_on_the_right_the_gateway_knows(gateway: Home) -> None:
    tap = tap_at("gate-in", 101)
    journal = Journal("park")
    journal.write(tap, approved(tap, "grant:0", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert [row.entitlement_id for row in gateway.rows(r.TapUseRow)] == ["admission"]
    assert gateway.rows(r.ConflictRow) == []


def test_a_grant_for_what_was_never_sold_is_a_conflict(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(right="admission"), at_s=-60)
    tap = tap_at("gate-in", 101)
    journal = Journal("park")
    journal.write(tap, approved(tap, "grant:0", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert gateway.rows(r.TapUseRow) == []
    assert [row.kind for row in gateway.rows(r.ConflictRow)] == ["view_differs"]


def test_a_band_whose_encoder_could_not_confirm_it_is_active_from_its_first_tap_on(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(state=MediumState.PENDING), at_s=-60)
    tap = tap_at("gate-in", 101)
    journal = Journal("park")
    journal.write(tap, approved(tap, "admission", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert [row.state for row in gateway.rows(r.MediumRow)] == [MediumState.ACTIVE]
    assert gateway.rows(r.ConflictRow) == []


def test_the_first_tap_finishes_the_writing_whatever_the_encoder_says_later(gateway: Home) -> None:
    gateway.do("test.write_over", WriteOver(), at_s=-60)
    tap = tap_at("gate-in", 101)
    journal = Journal("park")
    journal.write(tap, approved(tap, "admission", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    finished = {BAND_ID: MediumState.ACTIVE, OLDER_BAND_ID: MediumState.REVOKED}
    for ok in (False, True):
        assert {row.id: row.state for row in gateway.rows(r.MediumRow)} == finished
        assert [row.state for row in gateway.rows(r.EncodingRow)] == [r.EncodingState.DONE]
        late = ConfirmEncoding(ENCODING_ID, "hotel", ok, "" if ok else "The chip is full.")
        assert gateway.do("encoding.confirm", late)["state"] == "done"
    assert gateway.rows(r.ConflictRow) == []


def test_who_left_on_a_band_that_was_turned_off_is_flagged_and_no_conflict(gateway: Home) -> None:
    gateway.do("test.turn_off", Turn(band=True), at_s=-60)
    way_out, way_in = tap_at("gate-out", 101), tap_at("gate-in", 102)
    journal = Journal("park")
    journal.write(way_out, approved(way_out, "admission", Step.PARK_OUT, "lagoon"))
    gateway.take(journal)
    assert [row.step for row in gateway.rows(r.TapUseRow)] == [Step.PARK_OUT]
    assert gateway.rows(r.ConflictRow) == []
    journal.write(way_in, approved(way_in, "admission", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert [row.kind for row in gateway.rows(r.ConflictRow)] == ["revoked_medium"]


def test_who_left_without_any_right_is_known_by_the_tap_alone(gateway: Home) -> None:
    tap = tap_at("gate-out", 101)
    journal = Journal("park")
    journal.write(tap, Approved("", (), (Flag.LET_OUT,)))
    assert "set_aside" not in gateway.take(journal)
    assert gateway.rows(r.TapUseRow) == gateway.rows(r.ConflictRow) == []
    assert [(row.decision, row.entitlement_id) for row in gateway.rows(r.TapRow)] == [("approved", "")]


def test_wrong_pins_count_and_the_right_one_clears_them(gateway: Home) -> None:
    journal = Journal("shops")
    tap = tap_at("till", 101, sale=basket(4))
    journal.write(tap, None, EntryKind.PIN_TRY)
    journal.write(tap, None, EntryKind.PIN_TRY)
    gateway.take(journal)
    assert [row.pin_tries for row in gateway.rows(r.TokenRow)] == [2]
    gateway.hold(msgspec.structs.replace(tap, pin=PIN_RIGHT))
    right = msgspec.structs.replace(tap, pin=PIN_RIGHT, hold=HELD)
    journal.write(right, sold(right))
    gateway.take(journal)
    assert [row.pin_tries for row in gateway.rows(r.TokenRow)] == [0]


def test_an_approval_without_a_token_known_here_is_set_aside(gateway: Home) -> None:
    tap = tap_at("gate-in", 101)
    assert tap.presented.credential is not None
    other = msgspec.structs.replace(tap.presented.credential, token_id=an_id(99))
    swapped = msgspec.structs.replace(tap, presented=msgspec.structs.replace(tap.presented, credential=other))
    journal = Journal("park")
    journal.write(swapped, Approved("admission"))
    assert gateway.take(journal)["set_aside"] == [1]
    assert gateway.rows(r.TapRow) == []
