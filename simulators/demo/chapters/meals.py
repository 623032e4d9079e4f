"""Lunch on the folio; a dearer purchase asks for the PIN."""

from simulators.demo.chapters import times
from simulators.demo.chapters.paying import expect_paid
from simulators.demo.stage import Stage


def play(stage: Stage) -> None:
    """Pay twice at the grill."""
    lead = stage.memory.guests[0]
    stage.settle(("shops",))
    expect_paid(stage, "lunch", "till-grill", {"fish-and-chips": 2, "lemonade": 4}, lead, asks_pin=False)
    times.pass_until(stage, times.park_day(stage), "13:40")
    expect_paid(stage, "platter", "till-grill", {"seafood-platter": 1}, lead, asks_pin=True)
    stage.until_home(("shops",))
    stage.tell_ledger()
