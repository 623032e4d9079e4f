"""What a tap that comes home does to uses, media and PIN tries."""

from collections.abc import Iterator

import msgspec
import pytest

from gateway.db import rows as r
from gateway.services.encodings import ConfirmEncoding
from tests.support.home_world import (
    ENCODING_ID,
    OLDER_BAND_ID,
    PIN_RIGHT,
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
from tests.support.worlds import BAND_ID
from wallet.journal import EntryKind
from wallet.medium import MediumState
from wallet.tap import Approved, Flag, Hold, HoldAnswer
from wallet.token import Step

HELD = Hold(HoldAnswer.HELD)


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        yield made


def test_a_use_by_grant_is_booked_on_the_right_the_gateway_knows(gateway: Home) -> None:
    tap = tap_at("gate-in", 101)
    journal = Journal("park")
    journal.write(tap, approved(tap, "grant:0", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert [row.entitlement_id for row in gateway.rows(r.TapUseRow)] == ["admission"]
    assert gateway.rows(r.ConflictRow) == []


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
    (chip,) = gateway.rows(r.ChipRow)
    assert chip.state is r.ChipState.WRITTEN


@pytest.mark.parametrize(("said", "issued"), [(True, 0), (False, 1), (True, 1)])
def test_a_band_with_keys_comes_into_service_by_its_encoder_alone(
    gateway: Home, said: bool, issued: int
) -> None:
    """Whether the edge tells the credential as it was signed, or leaves out that it asks for keys."""
    gateway.do("test.write_over", WriteOver(issued), at_s=-60)
    tap = tap_at("gate-in", 101)
    credential = msgspec.structs.replace(tap.presented.credential, chip_keys=said)
    tap = msgspec.structs.replace(
        tap, presented=msgspec.structs.replace(tap.presented, credential=credential)
    )
    journal = Journal("park")
    journal.write(tap, approved(tap, "admission", Step.PARK_IN, "lagoon"))
    gateway.take(journal)
    assert {row.id: row.state for row in gateway.rows(r.MediumRow)}[BAND_ID] is MediumState.PENDING
    assert [row.state for row in gateway.rows(r.EncodingRow)] == [r.EncodingState.ISSUED]


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
