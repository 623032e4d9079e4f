"""The compact grants a credential carries for edges that have not heard of the guest yet."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

import msgspec

from wallet.credential import AdmissionGrant, Grant, RoomGrant
from wallet.entitlement import Admission, Entitlement, RoomKey
from wallet.resort import Resort
from wallet.token import Step, Use

_NAME_DIGITS = 16


def named(grants: Iterable[Grant]) -> Iterator[tuple[str, Grant]]:
    """Give each grant with a name made of what it grants, so that it costs no byte on a chip.

    A use is booked on the name: a credential issued anew, its grants in another order, means the same right by the
    same name. What was taken off since (days used) makes another grant, whose uses count from then on.
    """
    seen: Counter[str] = Counter()
    for grant in grants:
        content = msgspec.json.encode(grant, order="deterministic")
        name = hashlib.sha256(content).hexdigest()[:_NAME_DIGITS]
        seen[name] += 1
        # Of two tickets just alike it does not matter which is which.
        yield (name if seen[name] == 1 else f"{name}-{seen[name]}"), grant


def grants_for(
    rights: tuple[Entitlement, ...], at: datetime, resort: Resort, uses: tuple[Use, ...] = ()
) -> tuple[Grant, ...]:
    """Return the grants of the rights that are not over at the instant `at`, soonest to end first.

    An edge that needs a grant knows nothing of the days used before, so those in `uses` are taken off here.
    """
    today = resort.day_of(at)
    grants: list[tuple[datetime, Grant]] = []
    for right in rights:
        match right:
            case Admission() if right.until_day >= today:
                days = right.days - _days_before(today, right, uses)
                if days > 0:
                    ends_at = resort.instant(right.until_day + timedelta(days=1), resort.day_starts)
                    grants.append(
                        (ends_at, AdmissionGrant(right.parks, right.from_day, right.until_day, days))
                    )
            case RoomKey() if right.until_at > at:
                grants.append((right.until_at, RoomGrant(right.rooms, right.from_at, right.until_at)))
    return tuple(grant for _, grant in sorted(grants, key=lambda pair: pair[0]))


def _days_before(today: date, right: Admission, uses: tuple[Use, ...]) -> int:
    return len(
        {
            use.day
            for use in uses
            if use.entitlement_id == right.entitlement_id and use.step is Step.PARK_IN and use.day < today
        }
    )
