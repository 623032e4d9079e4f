"""Tills: the daily limit, the PIN above a threshold, a hold above the offline floor, caps below it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.breaking import (
    CLOSED,
    MEDIUM_BREAKS,
    STALE,
    Break,
    expect_each_and_every_pair,
    expect_first_broken,
)
from tests.support.worlds import NOON, World, an_id, sale_of, use_of, world_at
from wallet.decide import decide
from wallet.entitlement import Spending
from wallet.reasons import Reason
from wallet.rules.spending import spent_on_day
from wallet.tap import Approved, Ask, Asks, Hold, HoldAnswer, PinCheck, Refused
from wallet.token import Step, Use

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FOLIO = Spending("right", an_id(8), "EUR", 30000, 5000, NOON - DAY, NOON + DAY)

HELD = Hold(HoldAnswer.HELD)
OVER_FOLIO = Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_FOLIO_LIMIT))
OVER_DAY = Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_DAILY_LIMIT, {"left": "4.00 EUR"}))


def paying(total_minor: int, **tap: object) -> World:
    return world_at("till", FOLIO, sale=sale_of(total_minor)).with_tap(**tap)


def offline(world: World, *, pins: bool = False) -> World:
    return world.with_facts(online=False).with_policies(offline_pin_sales=pins)


def charged(amount: int, *, number: int = 200, at_ago: timedelta = SECOND, step: Step = Step.CHARGE) -> Use:
    return use_of(step, NOON - at_ago, "grill", number=number, amount=amount)


BREAKS = (
    *MEDIUM_BREAKS,
    STALE,
    CLOSED,
    Break(Reason.NOTHING_TO_PAY, lambda world: world.with_tap(sale=None)),
    Break(Reason.NOTHING_TO_PAY, lambda world: world.with_tap(sale=sale_of(0))),
    Break(Reason.NOT_ENTITLED, lambda world: world.with_right(currency="GBP")),
    Break(Reason.NOT_ENTITLED, lambda world: world.with_right(from_at=NOON + SECOND)),
    Break(Reason.NOT_ENTITLED, lambda world: world.with_right(until_at=NOON)),
    Break(Reason.SPENDING_OFF, lambda world: world.with_right(daily_limit_minor=0)),
    Break(Reason.OVER_DAILY_LIMIT, lambda world: world.with_uses(charged(24001))),
    Break(Reason.PIN_NOT_SET, lambda world: world.with_token(pin_verifier="")),
    Break(Reason.PIN_LOCKED, lambda world: world.with_facts(pin_tries=5)),
    Break(Reason.PIN_NOT_GIVEN, lambda world: world.with_tap(pin=PinCheck.NOT_GIVEN)),
    Break(Reason.OVER_FOLIO_LIMIT, lambda world: world.with_tap(hold=OVER_FOLIO)),
    Break(Reason.OVER_DAILY_LIMIT, lambda world: world.with_tap(hold=OVER_DAY)),
    Break(Reason.OFFLINE_ABOVE_FLOOR, lambda world: world.with_tap(hold=Hold(HoldAnswer.UNREACHABLE))),
)


@given(st.frozensets(st.integers(0, len(BREAKS) - 1)))
def test_a_till_names_the_first_condition_that_is_broken(chosen: frozenset[int]) -> None:
    passing = paying(6000, pin=PinCheck.RIGHT, hold=HELD)
    expect_first_broken(passing, BREAKS, chosen)


def test_a_till_names_each_broken_condition_and_of_two_the_first() -> None:
    passing = paying(6000, pin=PinCheck.RIGHT, hold=HELD)
    expect_each_and_every_pair(passing, BREAKS)


def test_a_charge_is_one_use_of_the_whole_amount_at_the_outlet() -> None:
    world = paying(2500)
    verdict = decide(world.tap, world.facts)
    use = Use(world.tap.tap_id, "right", Step.CHARGE, NOON, NOON.date(), "grill", 2500)
    assert verdict == Approved("right", (use,))


@pytest.mark.parametrize(("total", "passes"), [(-1, False), (0, False), (1, True)])
def test_there_has_to_be_something_to_pay(total: int, passes: bool) -> None:
    world = paying(total)
    assert isinstance(decide(world.tap, world.facts), Approved) is passes


@pytest.mark.parametrize("seconds", [0, 2 * 86400 - 1])
def test_a_right_to_spend_holds_from_its_first_second_to_the_last(seconds: int) -> None:
    world = paying(100, at=NOON - DAY + timedelta(seconds=seconds))
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_the_right_that_ends_first_is_charged_then_the_lower_id() -> None:
    first = Spending("z", an_id(9), "EUR", 30000, 5000, NOON - DAY, NOON + SECOND)
    same = Spending("y", an_id(9), "EUR", 30000, 5000, NOON - DAY, NOON + SECOND)
    world = world_at("till", FOLIO, first, same, sale=sale_of(100))
    verdict = decide(world.tap, world.facts)
    assert isinstance(verdict, Approved)
    assert verdict.entitlement_id == "y"


@pytest.mark.parametrize(("before", "passes"), [(27500, True), (27501, False), (40000, False)])
def test_the_day_s_charges_stay_within_the_limit_to_the_cent(before: int, passes: bool) -> None:
    world = paying(2500).with_uses(charged(before))
    verdict = decide(world.tap, world.facts)
    left = f"{max(0, 30000 - before) / 100:.2f} EUR"
    assert (
        isinstance(verdict, Approved)
        if passes
        else verdict == Refused(Reason.OVER_DAILY_LIMIT, {"left": left})
    )


def test_only_charges_of_the_same_resort_day_by_other_taps_count() -> None:
    world = paying(100).with_uses(
        charged(100, number=201),
        charged(20, number=202),
        charged(5000, number=203, at_ago=DAY),
        charged(7000, number=204, step=Step.PHOTO),
    )
    own = Use(world.tap.tap_id, "right", Step.CHARGE, NOON, NOON.date(), "grill", 9000)
    assert spent_on_day(world.with_uses(own).facts, world.tap) == 120


@pytest.mark.parametrize(("total", "asks"), [(5000, False), (5001, True)])
def test_the_pin_is_asked_above_the_threshold_only(total: int, asks: bool) -> None:
    world = paying(total).with_policies(offline_floor_minor=9000, offline_token_cap_minor=9000)
    verdict = decide(world.tap, world.facts)
    assert verdict == Asks(Ask.PIN) if asks else isinstance(verdict, Approved)


@pytest.mark.parametrize(
    ("pin", "reason"), [(PinCheck.WRONG, Reason.PIN_WRONG), (PinCheck.NOT_GIVEN, Reason.PIN_NOT_GIVEN)]
)
def test_a_wrong_pin_and_none_are_refused_each_by_its_name(pin: PinCheck, reason: Reason) -> None:
    world = paying(6000, pin=pin)
    assert decide(world.tap, world.facts) == Refused(reason)


def test_the_last_try_may_be_right_and_after_it_even_the_right_pin_is_refused() -> None:
    world = paying(6000, pin=PinCheck.RIGHT, hold=HELD)
    last = world.with_facts(pin_tries=4)
    assert isinstance(decide(last.tap, last.facts), Approved)
    locked = world.with_facts(pin_tries=5)
    assert decide(locked.tap, locked.facts) == Refused(Reason.PIN_LOCKED)


def test_offline_pin_sales_are_off_until_the_resort_turns_them_on() -> None:
    small = paying(2000).with_right(pin_above_minor=1000)
    for pin in (None, *PinCheck):
        world = offline(small.with_tap(pin=pin))
        assert decide(world.tap, world.facts) == Refused(Reason.OFFLINE_PIN)
    for hold in (Hold(HoldAnswer.UNREACHABLE), OVER_FOLIO):
        world = offline(small.with_tap(pin=PinCheck.RIGHT, hold=hold))
        assert decide(world.tap, world.facts) == Refused(Reason.OFFLINE_PIN)
    on = offline(small, pins=True)
    assert decide(on.tap, on.facts) == Asks(Ask.PIN)
    right = on.with_tap(pin=PinCheck.RIGHT)
    assert isinstance(decide(right.tap, right.facts), Approved)


def test_a_connection_lost_after_the_hold_does_not_undo_it() -> None:
    world = offline(paying(6000, pin=PinCheck.RIGHT, hold=HELD))
    assert isinstance(decide(world.tap, world.facts), Approved)


def test_the_pin_comes_before_the_hold_and_the_hold_before_the_approval() -> None:
    world = paying(6000)
    assert decide(world.tap, world.facts) == Asks(Ask.PIN)
    right = world.with_tap(pin=PinCheck.RIGHT)
    assert decide(right.tap, right.facts) == Asks(Ask.HOLD)
    held = right.with_tap(hold=HELD)
    assert isinstance(decide(held.tap, held.facts), Approved)


@pytest.mark.parametrize("is_online", [True, False])
@pytest.mark.parametrize(("total", "within"), [(2500, True), (2501, False)])
def test_above_the_floor_the_gateway_has_to_hold_the_amount(
    total: int, within: bool, is_online: bool
) -> None:
    world = paying(total).with_facts(online=is_online)
    verdict = decide(world.tap, world.facts)
    if within:
        assert isinstance(verdict, Approved)
    elif is_online:
        assert verdict == Asks(Ask.HOLD)
    else:
        assert verdict == Refused(Reason.OFFLINE_ABOVE_FLOOR, {"floor": "25.00 EUR"})


@pytest.mark.parametrize("is_online", [True, False])
@pytest.mark.parametrize(
    ("fact", "owed", "within"),
    [
        ("token_offline_minor", 5000, True),
        ("token_offline_minor", 5001, False),
        ("edge_offline_minor", 497500, True),
        ("edge_offline_minor", 497501, False),
    ],
)
def test_an_edge_never_owes_more_than_its_caps_alone(
    fact: str, owed: int, within: bool, is_online: bool
) -> None:
    world = paying(2500).with_facts(online=is_online, **{fact: owed})
    verdict = decide(world.tap, world.facts)
    if within:
        assert isinstance(verdict, Approved)
    else:
        assert verdict == (Asks(Ask.HOLD) if is_online else Refused(Reason.OFFLINE_CAP_REACHED))


@pytest.mark.parametrize("total", [100, 4000])
def test_the_gateway_s_no_stands_in_its_own_words_also_below_the_floor(total: int) -> None:
    for hold in (OVER_FOLIO, OVER_DAY):
        world = paying(total, hold=hold)
        assert decide(world.tap, world.facts) == hold.refusal
    wordless = paying(total, hold=Hold(HoldAnswer.REFUSED))
    assert decide(wordless.tap, wordless.facts) == Refused(Reason.OVER_FOLIO_LIMIT)


def test_an_unreachable_gateway_leaves_what_an_edge_may_do_alone() -> None:
    small = paying(2500, hold=Hold(HoldAnswer.UNREACHABLE))
    assert isinstance(decide(small.tap, small.facts), Approved)
    capped = small.with_facts(token_offline_minor=5001)
    assert decide(capped.tap, capped.facts) == Refused(Reason.OFFLINE_CAP_REACHED)


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=30))
def test_whatever_is_bought_offline_the_loss_stays_below_the_token_s_cap(amounts: list[int]) -> None:
    owed, uses = 0, ()
    for number, amount in enumerate(amounts):
        world = offline(paying(amount, tap_id=an_id(500 + number))).with_right(pin_above_minor=10000)
        world = world.with_facts(token_offline_minor=owed, edge_offline_minor=owed, uses=uses)
        verdict = decide(world.tap, world.facts)
        if isinstance(verdict, Approved):
            owed += amount
            uses += verdict.uses
    assert owed <= world.facts.policies.offline_token_cap_minor
