"""Photo points: a tap links the pictures that follow to the guest."""

from wallet.entitlement import Entitlement, Photos
from wallet.reasons import Reason
from wallet.tap import Approved, Decision, Facts, Refused, Tap
from wallet.token import Step, Use


def decide(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of a photo point."""
    valid = [
        right for right in rights if isinstance(right, Photos) and right.from_at <= tap.at < right.until_at
    ]
    if not valid:
        return Refused(Reason.NOT_ENTITLED)
    # A plan is worth more to the guest than none, so it is the right that the pictures hang on.
    right = min(valid, key=lambda right: (not right.plan, right.until_at, right.entitlement_id))
    day = facts.resort.day_of(tap.at)
    use = Use(tap.tap_id, right.entitlement_id, Step.PHOTO, tap.at, day, facts.touchpoint.place)
    return Approved(right.entitlement_id, (use,))
