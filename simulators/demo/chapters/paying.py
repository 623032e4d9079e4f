"""Sales at a till, with what is expected of them."""

from collections.abc import Mapping

from simulators.demo.chapters import times
from simulators.demo.faults import StoryFailed
from simulators.demo.stage import Guest, Stage
from simulators.demo.tills import Paid
from wallet.reasons import Reason


def expect_paid(
    stage: Stage,
    step: str,
    touchpoint: str,
    basket: Mapping[str, int],
    guest: Guest,
    *,
    asks_pin: bool,
    offline: bool = False,
) -> None:
    """Sell a basket to the guest. StoryFailed when it is not paid, or the PIN was asked otherwise than expected."""
    paid = stage.till(touchpoint).sell(step, basket, guest.hand, pin=guest.pin or None, offline=offline)
    if not paid.is_approved:
        raise StoryFailed(f"{guest.name} could not pay at {touchpoint}: {paid.sale.get('sentence')}")
    if paid.asked_pin and not asks_pin:
        raise StoryFailed(f"The till {touchpoint} asked for a PIN it does not need.")
    if asks_pin and not paid.asked_pin:
        raise StoryFailed(f"The till {touchpoint} did not ask for the PIN.")
    stage.memory.charged_minor[str(paid.sale["tap_id"])] = int(paid.sale["total_minor"])
    _tell(stage, touchpoint, guest, paid, green=True)


def expect_unpaid(
    stage: Stage, step: str, touchpoint: str, basket: Mapping[str, int], guest: Guest, *reasons: Reason
) -> None:
    """Sell a basket that must be refused for one of `reasons`. StoryFailed when it is otherwise."""
    paid = stage.till(touchpoint).sell(step, basket, guest.hand, pin=guest.pin or None, offline=True)
    if paid.is_approved or paid.sale.get("reason") not in reasons:
        raise StoryFailed(
            f"{guest.name} at {touchpoint}: expected {' or '.join(reasons)}, got {dict(paid.sale)}"
        )
    _tell(stage, touchpoint, guest, paid, green=False)


def _tell(stage: Stage, touchpoint: str, guest: Guest, paid: Paid, *, green: bool) -> None:
    amount = times.money(stage, int(paid.sale["total_minor"]))
    pin = " after the PIN" if paid.asked_pin else ""
    words = f"{amount}{pin}. {paid.sale.get('sentence', '')}".strip()
    stage.narrator.light(stage.resort.touchpoint(touchpoint).name, guest.hand.name, green=green, words=words)
