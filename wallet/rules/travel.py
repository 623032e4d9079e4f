"""Whether a medium was somewhere else a moment ago: what a clone of a chip without keys shows."""

from datetime import timedelta

from wallet.proof import Proof
from wallet.resort import Resort
from wallet.tap import Facts, Tap
from wallet.token import Step, Use


def is_impossible(tap: Tap, facts: Facts) -> bool:
    """Return whether the guest can't have come here since the last use elsewhere.

    Only asked where the proof can be copied. Uses may come to light in any order, so one after the tap counts too.
    """
    if tap.presented.proof in (Proof.CHIP_KEY, Proof.DEVICE_KEY) or not facts.policies.travel_min_s:
        return False
    least = timedelta(seconds=facts.policies.travel_min_s)
    return any(
        abs(tap.at - use.at) < least and _venue(use, facts.resort) not in ("", facts.touchpoint.venue)
        for use in facts.uses
    )


def _venue(use: Use, resort: Resort) -> str:
    """Return where a use happened, empty when the resort does not say (any more)."""
    try:
        match use.step:
            case Step.ENTER | Step.EXIT:
                return resort.lot(use.place).venue
            case Step.PARK_IN | Step.PARK_OUT:
                return resort.park(use.place).venue
            case Step.ENTRANCE | Step.MERGE:
                return resort.park(resort.attraction(use.place).park).venue
            case Step.CHARGE:
                return resort.outlet(use.place).venue
    except KeyError:
        return ""
    return ""
