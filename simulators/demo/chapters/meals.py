"""Lunch on the folio; a dearer purchase asks for the PIN."""

from simulators.demo.chapters import times
from simulators.demo.chapters.paying import expect_paid
from simulators.demo.stage import Stage

# Above the offline floor, so that the gateway holds the amount; below and above what needs a PIN.
_LUNCH = {"grilled-fish": 1, "childrens-plate": 2, "lemonade": 2}
_PAELLA = {"family-paella": 1}


def play(stage: Stage) -> None:
    """Pay twice at the grill."""
    lead = stage.memory.guests[0]
    stage.settle(("shops",))
    expect_paid(stage, "lunch", "till-grill", _LUNCH, lead, asks_pin=False)
    times.pass_until(stage, times.park_day(stage), "13:40")
    expect_paid(stage, "paella", "till-grill", _PAELLA, lead, asks_pin=True)
    stage.until_home(("shops",))
    stage.tell_ledger()
