"""The compact grants a credential carries for edges that have not heard of the guest yet."""

from datetime import datetime

from wallet.credential import AdmissionGrant, Grant, RoomGrant
from wallet.entitlement import Admission, Entitlement, RoomKey
from wallet.resort import Resort


def grants_for(rights: tuple[Entitlement, ...], at: datetime, resort: Resort) -> tuple[Grant, ...]:
    """Return the grants of the rights that are not over at the instant `at`, soonest to end first."""
    today = resort.day_of(at)
    grants: list[tuple[datetime, Grant]] = []
    for right in rights:
        match right:
            case Admission() if right.until_day >= today:
                ends_at = resort.instant(right.until_day, resort.day_starts)
                days = AdmissionGrant(right.parks, right.from_day, right.until_day, right.days)
                grants.append((ends_at, days))
            case RoomKey() if right.until_at > at:
                grants.append((right.until_at, RoomGrant(right.rooms, right.from_at, right.until_at)))
    return tuple(grant for _, grant in sorted(grants, key=lambda pair: pair[0]))
