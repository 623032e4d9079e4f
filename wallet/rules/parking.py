"""Parking lanes: so many vehicles of a booking at the same time, with anti-passback and a timed reset."""

from datetime import timedelta

from wallet.entitlement import Entitlement, Parking
from wallet.reasons import Reason
from wallet.resort import Direction
from wallet.rules.say import moment, names
from wallet.tap import Approved, Decision, Facts, Refused, Tap
from wallet.token import Step, Use


def decide(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of an entry or exit lane."""
    parking = [right for right in rights if isinstance(right, Parking)]
    leaving = facts.touchpoint.direction is Direction.OUT
    # Where a vehicle came in it may go out, also when the right has since moved to another lot.
    here = [
        right
        for right in parking
        if facts.touchpoint.place in right.lots or (leaving and _came_in_here(facts, right))
    ]
    if not here:
        lots = names((lot for right in parking for lot in right.lots), facts.resort.lot)
        return Refused(Reason.OTHER_LOT, {"lots": lots}) if lots else Refused(Reason.NOT_ENTITLED)
    if leaving:
        return _leave(tap, facts, here)
    return _enter(tap, facts, here)


def _enter(tap: Tap, facts: Facts, rights: list[Parking]) -> Decision:
    valid = [right for right in rights if right.from_at <= tap.at < right.until_at]
    if not valid:
        coming = [right.from_at for right in rights if tap.at < right.from_at]
        if coming:
            return Refused(Reason.BEFORE_CHECK_IN, {"from_at": moment(min(coming), facts.resort)})
        until_at = max(right.until_at for right in rights)
        return Refused(Reason.AFTER_CHECK_OUT, {"until_at": moment(until_at, facts.resort)})
    free = [right for right in valid if _inside(tap, facts, right, recent=True) < right.vehicles]
    if not free:
        return Refused(Reason.VEHICLES_ALL_INSIDE)
    return _approve(tap, facts, min(free, key=_expiry_then_id), Step.ENTER)


def _leave(tap: Tap, facts: Facts, rights: list[Parking]) -> Decision:
    """A vehicle that is inside may leave, also after the right has ended."""
    inside = [right for right in rights if _inside(tap, facts, right, recent=False) > 0]
    if not inside:
        return Refused(Reason.VEHICLE_NOT_INSIDE)
    return _approve(tap, facts, min(inside, key=_expiry_then_id), Step.EXIT)


def _came_in_here(facts: Facts, right: Parking) -> bool:
    return any(
        (use.entitlement_id, use.step, use.place)
        == (right.entitlement_id, Step.ENTER, facts.touchpoint.place)
        for use in facts.uses
    )


def _inside(tap: Tap, facts: Facts, right: Parking, *, recent: bool) -> int:
    """Return how many vehicles stand inside by this right.

    An exit may go unseen (a raised barrier, a lost edge): with `recent` an entry stops counting once the reset time
    has passed, so that nobody stays locked out by a car that left long ago.
    """
    since = tap.at - timedelta(seconds=facts.policies.parking_passback_s)
    count = 0
    for use in facts.uses:
        if use.entitlement_id != right.entitlement_id or use.at > tap.at:
            continue
        if use.step is Step.ENTER and (not recent or use.at > since):
            count += 1
        elif use.step is Step.EXIT:
            count = max(0, count - 1)
    return count


def _approve(tap: Tap, facts: Facts, right: Parking, step: Step) -> Approved:
    day = facts.resort.day_of(tap.at)
    use = Use(tap.tap_id, right.entitlement_id, step, tap.at, day, facts.touchpoint.place)
    return Approved(right.entitlement_id, (use,))


def _expiry_then_id(right: Parking) -> tuple[object, str]:
    return right.until_at, right.entitlement_id
