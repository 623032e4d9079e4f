"""Commands and the working set: ids that are decided again the same, rows that only their holder may put."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from msgspec import Struct

from gateway.books import BooksBroken, check
from gateway.command import Channel, Command, Envelope, Key, KeyKind, Outcome, window_key
from gateway.db import rows as r
from gateway.db.tables import PRIMARY_KEY, TABLE_OF, metadata
from gateway.errors import NotHeld, Rejection
from gateway.working_set import WorkingSet, keys_of
from tests.support.gateway_world import RESORT
from wallet.ids import is_id
from wallet.ledger import AccountKind, TransferKind

AT = datetime(2030, 1, 1, tzinfo=UTC)
ACCOUNT = r.AccountRow("folio", AccountKind.FOLIO, "EUR", "p")


class Wish(Struct, frozen=True):
    amount: int = 1


def wish(amount: int = 1, actor: str = "guest:1", entropy: bytes = bytes(32)) -> Command[Wish]:
    return Command(Envelope("id-1", actor, Channel.APP, None, AT), Wish(amount), entropy)


def held(*rows: r.Row) -> WorkingSet:
    state = WorkingSet(RESORT)
    for row in rows:
        state.hold(keys_of(row))
    state.take(rows)
    return state


def test_an_account_takes_postings_in_its_own_currency_alone() -> None:
    transfer = r.TransferRow("t", TransferKind.SALE, AT, AT.date(), "USD", 5, "x", "id-1")
    postings = (
        r.PostingRow("t", 1, ACCOUNT.id, "USD", 5),
        r.PostingRow("t", 2, "revenue:x:USD", "USD", -5),
    )
    moved = replace(ACCOUNT, balance_minor=5)
    with pytest.raises(BooksBroken, match="another currency"):
        check(held(ACCOUNT), Outcome({}, (transfer, *postings, moved)))


def test_ids_are_the_same_each_time_a_command_is_decided_and_differ_otherwise() -> None:
    assert wish().new_id(0) == wish().new_id(0)
    assert len({wish().new_id(n) for n in range(100)} | {wish(entropy=b"\x01" * 32).new_id(0)}) == 101
    assert is_id(wish().new_id(0))


def test_the_body_hash_knows_the_wish_the_wisher_and_the_word() -> None:
    hashes = {
        wish().body_hash("a"),
        wish().body_hash("b"),
        wish(2).body_hash("a"),
        wish(actor="guest:2").body_hash("a"),
    }
    assert len(hashes) == 4
    assert wish(entropy=b"\x01" * 32).body_hash("a") == wish().body_hash("a")


def test_every_row_has_its_table_field_by_field_and_every_table_its_row() -> None:
    for kind, table in TABLE_OF.items():
        assert {field.name for field in fields(kind)} == {column.name for column in table.columns}, kind
        assert PRIMARY_KEY[kind]
    assert {table.name for table in metadata.tables.values()} == {t.name for t in TABLE_OF.values()} | {
        "feed_entry"
    }
    assert set(get_args(r.Row)) <= set(TABLE_OF)


def test_a_row_that_is_not_held_cannot_be_put() -> None:
    state = WorkingSet(RESORT)
    with pytest.raises(NotHeld, match="PARTY"):
        state.put([r.GuestRow("g", "p", "t")])
    with pytest.raises(NotHeld, match="WINDOW"):
        state.put([r.ReturnWindowRow("comet", AT, AT, 1)])
    assert state.changes() == ([], [])


def test_what_a_command_makes_it_holds() -> None:
    state = WorkingSet(RESORT)
    state.put([ACCOUNT])

    assert state.holds(Key(KeyKind.ACCOUNT, "folio"))
    assert state.changes() == ([ACCOUNT], [])


def test_undo_takes_back_rows_groups_and_what_was_held_by_making() -> None:
    state = held(ACCOUNT)
    state.mark()
    made = replace(ACCOUNT, id="new")
    state.put([replace(ACCOUNT, balance_minor=5), made])
    assert [row.id for row in state.find(r.AccountRow, party_id="p")] == ["folio", "new"]
    state.undo()

    assert state.find(r.AccountRow, party_id="p") == [ACCOUNT]
    assert not state.holds(Key(KeyKind.ACCOUNT, "new"))
    assert state.holds(Key(KeyKind.ACCOUNT, "folio"))
    assert state.changes() == ([], [])


def test_undo_goes_back_to_what_an_earlier_command_of_the_batch_put() -> None:
    state = held(ACCOUNT)
    first = replace(ACCOUNT, balance_minor=1)
    state.mark()
    state.put([first])
    state.mark()
    state.put([replace(ACCOUNT, balance_minor=2)])
    state.undo()

    assert state.get(r.AccountRow, "folio") == first
    assert state.changes() == ([], [first])


def test_several_changes_of_one_row_are_written_once() -> None:
    state = held(ACCOUNT)
    for balance in range(1, 5):
        state.put([replace(ACCOUNT, balance_minor=balance)])

    assert state.changes() == ([], [replace(ACCOUNT, balance_minor=4)])


def test_a_row_loaded_again_does_not_undo_what_the_batch_changed() -> None:
    state = held(ACCOUNT)
    changed = replace(ACCOUNT, balance_minor=3)
    state.put([changed])
    state.take([ACCOUNT])

    assert state.get(r.AccountRow, "folio") == changed


def test_find_looks_by_any_field_and_in_order() -> None:
    state = held(
        *(replace(ACCOUNT, id=name, party_id=party) for name, party in (("c", "p"), ("a", "q"), ("b", "p")))
    )

    assert [row.id for row in state.find(r.AccountRow, party_id="p")] == ["b", "c"]
    assert [row.id for row in state.find(r.AccountRow, party_id="p", id="c")] == ["c"]
    assert [row.id for row in state.find(r.AccountRow, currency="EUR")] == ["a", "b", "c"]
    assert state.find(r.AccountRow, party_id="nobody") == []
    assert state.find(r.TokenRow, party_id="p") == []


def test_what_must_be_there_and_is_not_is_a_404() -> None:
    with pytest.raises(Rejection) as refused:
        WorkingSet(RESORT).need(r.PartyRow, "p-1")
    assert (refused.value.status, refused.value.sentence) == (404, "There is no party 'p-1'.")


def test_without_a_resort_there_is_a_plain_answer() -> None:
    with pytest.raises(Rejection) as refused:
        _ = WorkingSet(None).resort
    assert refused.value.code == "no_resort"


def test_a_stay_holds_both_its_party_and_the_rooms_of_its_type() -> None:
    stay = r.StayRow("s", "p", "101", "family", AT, AT)
    assert keys_of(stay) == (Key(KeyKind.PARTY, "p"), Key(KeyKind.ROOM, "family"))
    assert window_key("comet", AT).id == "comet|2030-01-01T00:00:00+00:00"


def test_keys_are_sorted_in_the_order_in_which_they_are_locked() -> None:
    kinds = [
        KeyKind.RESORT,
        KeyKind.EDGE,
        KeyKind.PARTY,
        KeyKind.TOKEN,
        KeyKind.TAP,
        KeyKind.ACCOUNT,
        KeyKind.WINDOW,
    ]
    assert kinds == sorted(kinds)
    assert sorted([Key(KeyKind.TOKEN, "a"), Key(KeyKind.PARTY, "z")])[0].kind is KeyKind.PARTY
