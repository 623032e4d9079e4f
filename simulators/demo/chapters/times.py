"""When things happen in the story, on the resort's clock."""

from datetime import date, datetime, time, timedelta

from simulators.demo.stage import Stage
from wallet.money import format_amount

_BOOKING, _ARRIVAL, _PARK_DAY, _DEPARTURE = 0, 1, 2, 4


def first_day(stage: Stage) -> date:
    """Return the day the story begins."""
    assert stage.memory.first_day is not None, "the story has not begun"
    return stage.memory.first_day


def begin(stage: Stage) -> None:
    """Choose the first day: the next Monday, so that every run has the same week."""
    today = stage.now_local().date()
    stage.memory.first_day = today + timedelta(days=7 - today.weekday())


def booking_day(stage: Stage) -> date:
    """Return the day of booking."""
    return first_day(stage) + timedelta(days=_BOOKING)


def arrival_day(stage: Stage) -> date:
    """Return the day of check-in."""
    return first_day(stage) + timedelta(days=_ARRIVAL)


def park_day(stage: Stage) -> date:
    """Return the day in the park."""
    return first_day(stage) + timedelta(days=_PARK_DAY)


def departure_day(stage: Stage) -> date:
    """Return the day of check-out."""
    return first_day(stage) + timedelta(days=_DEPARTURE)


def at(stage: Stage, day: date, clock: str) -> datetime:
    """Return the instant of a time of day such as "14:30", in UTC."""
    return stage.resort.instant(day, time.fromisoformat(clock))


def pass_until(stage: Stage, day: date, clock: str) -> None:
    """Let time pass until then."""
    stage.let_time_pass(at(stage, day, clock))


def money(stage: Stage, amount_minor: int) -> str:
    """Return an amount as people read it."""
    return format_amount(amount_minor, stage.resort.currency)


def instant(text: str) -> datetime:
    """Return the instant that the API wrote."""
    return datetime.fromisoformat(text)
