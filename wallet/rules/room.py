"""Doors: a key opens the guest's rooms from check-in to check-out."""

from wallet.entitlement import Entitlement, RoomKey
from wallet.reasons import Reason
from wallet.rules.say import moment
from wallet.tap import Approved, Decision, Facts, Refused, Tap


def decide(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of a door."""
    keys = [right for right in rights if isinstance(right, RoomKey)]
    here = [key for key in keys if facts.touchpoint.place in key.rooms]
    if not here:
        rooms = sorted({room for key in keys for room in key.rooms})
        return (
            Refused(Reason.OTHER_ROOM, {"rooms": ", ".join(rooms)}) if rooms else Refused(Reason.NOT_ENTITLED)
        )
    valid = [key for key in here if key.from_at <= tap.at < key.until_at]
    if valid:
        return Approved(min(valid, key=lambda key: (key.until_at, key.entitlement_id)).entitlement_id)
    coming = [key for key in here if tap.at < key.from_at]
    if coming:
        return Refused(
            Reason.BEFORE_CHECK_IN, {"from_at": moment(min(k.from_at for k in coming), facts.resort)}
        )
    return Refused(Reason.AFTER_CHECK_OUT, {"until_at": moment(max(k.until_at for k in here), facts.resort)})
