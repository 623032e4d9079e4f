"""What was shown twice comes home twice: SUN readings, phone codes and copied bands are filed, each as what it is."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from gateway.command import KeyKind
from gateway.db import load
from gateway.db import rows as r
from tests.support.gateway_world import Resettle
from tests.support.home_world import Home, Journal, approved, basket, home, tap_at
from tests.support.worlds import BAND, BAND_ID, NOON, RESORT, TOKEN_ID
from wallet.proof import Proof, SunRead
from wallet.reasons import Reason
from wallet.tap import Approved, Flag, Hold, HoldAnswer, Presented, Refused, Tap
from wallet.token import Step

CODE = "00ff00ff00ff00ff"
DEVICE_KEY = b"\x02" + b"k" * 32


@pytest.fixture
def gateway(database_url: str) -> Iterator[Home]:
    with home(database_url) as made:
        # Everyone may re-enter at once, and everywhere at once: here it is about what was shown alone.
        policies = replace(RESORT.policies, sun_fallback=True, gate_passback_s=0, travel_min_s=0)
        made.do("test.resort", Resettle(replace(RESORT, policies=policies, version=2)))
        yield made


def by_sun(number: int, counter: int, at_s: float) -> Tap:
    presented = Presented(Proof.SUN, sun=SunRead(BAND.chip_uid, counter))
    return tap_at("gate-in", number, at_s=at_s, presented=presented)


def by_code(number: int, at_s: float, code: str = CODE) -> Tap:
    credential = replace(tap_at("gate-in", 1).presented.credential, chip_uid="", device_key=DEVICE_KEY)
    shown_at = NOON + timedelta(seconds=at_s)
    presented = Presented(Proof.DEVICE_KEY, credential, shown_at=shown_at, code_id=code)
    return tap_at("gate-in", number, at_s=at_s, presented=presented)


def bring(gateway: Home, *taps: Tap, edge: str = "park", flags: tuple[Flag, ...] = ()) -> None:
    journal = Journal(edge)
    for tap in taps:
        journal.write(tap, replace(approved(tap, "admission", Step.PARK_IN, "lagoon"), flags=flags))
    assert "set_aside" not in gateway.take(journal)


def filed(gateway: Home) -> list[tuple[str, str | None]]:
    found = sorted(gateway.rows(r.ConflictRow), key=lambda row: (row.kind, row.at))
    return [(row.kind, row.detail.get("other_tap")) for row in found]


def test_readings_in_their_order_are_no_conflict_however_late_they_come_home(gateway: Home) -> None:
    first, second, third = by_sun(101, 4, 10), by_sun(102, 5, 20), by_sun(103, 6, 30)
    bring(gateway, second)
    bring(gateway, first, third, edge="park-2")
    assert filed(gateway) == []
    taps = {row.id: row for row in gateway.rows(r.TapRow)}
    assert {row.sun_chip for row in taps.values()} == {BAND.chip_uid}
    assert {(row.token_id, row.medium_id) for row in taps.values()} == {(TOKEN_ID, BAND_ID)}


def test_one_reading_at_two_edges_is_filed_with_the_other_tap(gateway: Home) -> None:
    bring(gateway, by_sun(101, 7, 10))
    bring(gateway, by_sun(102, 7, 5), edge="park-2")
    assert filed(gateway) == [("sun_replayed", by_sun(101, 7, 10).tap_id)]
    (row,) = gateway.rows(r.ConflictRow)
    assert (row.detail["our_reason"], row.detail["other_edge"]) == (Reason.SUN_REPLAYED.value, "park")


def test_a_reading_older_than_one_before_it_is_filed(gateway: Home) -> None:
    bring(gateway, by_sun(101, 7, 10))
    bring(gateway, by_sun(102, 3, 20), edge="park-2")
    assert [kind for kind, _ in filed(gateway)] == ["sun_replayed"]


def test_of_all_readings_of_a_chip_the_last_are_looked_at(
    gateway: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A band that is shown for weeks makes no journal slower: each entry would load all that came before."""
    monkeypatch.setattr(load, "SUN_TAPS_MAX", 3)
    readings = [by_sun(100 + n, n, 10 * n) for n in range(1, 6)]
    bring(gateway, readings[4], *readings[:2])
    bring(gateway, *readings[2:4], edge="park-2")
    with gateway.database.read() as connection:
        found = load.load(connection, KeyKind.SUN, {BAND.chip_uid, "04000000000009"}, NOON)
    assert {row.id for row in found} == {tap.tap_id for tap in readings[2:]}


def test_one_code_at_two_edges_is_filed_with_the_other_tap(gateway: Home) -> None:
    first = by_code(101, 10)
    bring(gateway, first, by_code(103, 11, "1" * 16))
    bring(gateway, by_code(102, 12), edge="park-2")
    assert filed(gateway) == [("code_replayed", first.tap_id)]


def test_a_code_that_was_refused_elsewhere_was_seen_too(gateway: Home) -> None:
    journal = Journal("park-2")
    journal.write(by_code(101, 10), Refused(Reason.OTHER_DAY))
    gateway.take(journal)
    bring(gateway, by_code(102, 12))
    assert [kind for kind, _ in filed(gateway)] == ["code_replayed"]


def test_a_till_is_refused_the_hold_for_a_code_that_was_shown_before(gateway: Home) -> None:
    bring(gateway, by_code(101, 10))
    wished = tap_at("till", 102, at_s=12, sale=basket(4), presented=by_code(102, 12).presented)
    again = gateway.hold(wished)
    assert again == Hold(HoldAnswer.REFUSED, Refused(Reason.CODE_REPLAYED))


@pytest.mark.parametrize("by", ["edge", "gateway"])
def test_a_band_at_two_places_at_once_is_suspected_to_be_a_copy(database_url: str, by: str) -> None:
    with home(database_url) as gateway:
        parked = tap_at("lane-in", 101, at_s=0)
        journal = Journal("hotel")
        journal.write(parked, approved(parked, "parking", Step.ENTER, "lot-a"))
        gateway.take(journal)
        if by == "edge":
            policies = replace(RESORT.policies, travel_min_s=0)
            gateway.do("test.resort", Resettle(replace(RESORT, policies=policies, version=2)))
        flags = (Flag.IMPOSSIBLE_TRAVEL,) if by == "edge" else ()
        bring(gateway, tap_at("gate-in", 102, at_s=30), flags=flags)
        assert filed(gateway) == [("clone_suspected", parked.tap_id)]
        (row,) = gateway.rows(r.ConflictRow)
        assert (row.detail["medium_id"], row.detail["proof"]) == (BAND_ID, "chip_uid")


def test_a_chip_that_proved_its_key_is_no_copy(database_url: str) -> None:
    with home(database_url) as gateway:
        journal = Journal("hotel")
        parked = tap_at("lane-in", 101, at_s=0)
        journal.write(parked, approved(parked, "parking", Step.ENTER, "lot-a"))
        gateway.take(journal)
        tap = tap_at("gate-in", 102, at_s=30)
        bring(gateway, replace(tap, presented=replace(tap.presented, proof=Proof.CHIP_KEY)))
        assert filed(gateway) == []


@pytest.mark.parametrize(
    "presented",
    [
        Presented(Proof.SUN, sun=SunRead("04\0", 1)),
        Presented(Proof.SUN, sun=SunRead("04" * 40, 1)),
        Presented(Proof.SUN, sun=SunRead(BAND.chip_uid, -1)),
        Presented(Proof.SUN, sun=SunRead(BAND.chip_uid, 2**70)),
        Presented(Proof.DEVICE_KEY, code_id="x\0"),
        Presented(Proof.DEVICE_KEY, code_id="0" * 500),
    ],
)
def test_what_no_reader_makes_is_set_aside_alone(gateway: Home, presented: Presented) -> None:
    good = by_sun(101, 4, 10)
    bad = tap_at("gate-in", 102, at_s=11, presented=presented)
    journal = Journal("park")
    journal.write(bad, Approved("admission"))
    journal.write(good, approved(good, "admission", Step.PARK_IN, "lagoon"))
    assert gateway.take(journal)["set_aside"] == [1]
    assert [row.id for row in gateway.rows(r.TapRow)] == [good.tap_id]


def test_a_reading_of_somebody_elses_chip_approves_nothing(gateway: Home) -> None:
    tap = tap_at("gate-in", 101, presented=Presented(Proof.SUN, sun=SunRead("04000000000009", 1)))
    journal = Journal("park")
    journal.write(tap, approved(tap, "admission", Step.PARK_IN, "lagoon"))
    assert gateway.take(journal)["set_aside"] == [1]
    assert msgspec.json.encode(gateway.rows(r.TapUseRow)) == b"[]"
