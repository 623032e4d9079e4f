"""Which return windows a guest may book: quota, one park, tiers, overlap and the day booking opens."""

from datetime import date, datetime, timedelta

from wallet.entitlement import Admission, Bypass, PickKind
from wallet.reasons import Reason
from wallet.resort import Attraction, Resort
from wallet.rules.bypass import accepted_until, spending_step
from wallet.rules.say import clock, moment
from wallet.tap import Refused
from wallet.token import TokenDocument


def window_end(resort: Resort, starts_at: datetime) -> datetime:
    """Return when the return window that begins at `starts_at` ends."""
    return starts_at + timedelta(seconds=resort.policies.window_length_s)


def window_starts(resort: Resort, attraction: Attraction, day: date) -> tuple[datetime, ...]:
    """Return the beginnings of the attraction's return windows of a resort day, from opening to closing."""
    park = resort.park(attraction.park)
    starts_at, closes_at = resort.instant(day, park.opens), resort.instant(day, park.closes)
    starts: list[datetime] = []
    while window_end(resort, starts_at) <= closes_at:
        starts.append(starts_at)
        starts_at = window_end(resort, starts_at)
    return tuple(starts)


def booking_opens_at(resort: Resort, day: date, stay_begins: date | None) -> datetime:
    """Return when booking for `day` opens; `stay_begins` is the check-in day of an on-site guest, else None."""
    policies = resort.policies
    if stay_begins is not None:
        opens_on = stay_begins - timedelta(days=policies.booking_days_before_stay)
    else:
        opens_on = day - timedelta(days=policies.booking_days_before_date)
    return resort.instant(opens_on, policies.booking_opens)


def refuse_booking(
    token: TokenDocument,
    attraction: Attraction,
    starts_at: datetime,
    *,
    at: datetime,
    stay_begins: date | None,
    resort: Resort,
) -> Refused | None:
    """Return why the guest may not book this window at the instant `at`, or None when nothing is against it.

    Whether the window still has room is the window's own business, not the guest's.
    """
    day = resort.day_of(starts_at)
    ends_at = window_end(resort, starts_at)
    if at >= ends_at:
        return Refused(Reason.WINDOW_PAST)
    opens_at = booking_opens_at(resort, day, stay_begins)
    if at < opens_at:
        return Refused(Reason.BOOKING_NOT_OPEN, {"opens_at": moment(opens_at, resort)})
    if not _admitted(token, attraction, day):
        return Refused(Reason.NO_ADMISSION, {"park": resort.park(attraction.park).name})
    held = [
        right
        for right in token.entitlements
        if isinstance(right, Bypass) and resort.has_attraction(right.attraction)
    ]
    for right in held:
        # A replacement for a ride that broke down, and an accessibility service's time, stand outside of all this.
        counts = right.pick is PickKind.PICK and not _over(token, right, at, resort)
        if counts and right.starts_at < ends_at and starts_at < right.ends_at:
            name = resort.attraction(right.attraction).name
            return Refused(
                Reason.WINDOWS_OVERLAP,
                {"attraction": name, "starts_at": clock(right.starts_at, resort)},
            )
    picks = [right for right in held if right.pick is PickKind.PICK and resort.day_of(right.starts_at) == day]
    return _over_quota(token, picks, attraction, at, resort)


def _over_quota(
    token: TokenDocument, picks: list[Bypass], attraction: Attraction, at: datetime, resort: Resort
) -> Refused | None:
    most = resort.policies.picks_held_max
    if len(picks) >= most:
        # The first ones are gone: from here on one more at a time, in any park and of any tier.
        still_open = [right for right in picks if not _over(token, right, at, resort)]
        return Refused(Reason.PICKS_ALL_HELD, {"held": str(len(picks))}) if still_open else None
    parks = {resort.attraction(right.attraction).park for right in picks}
    if parks and attraction.park not in parks:
        park = resort.park(min(parks)).name
        return Refused(Reason.PICKS_OTHER_PARK, {"held": str(most), "park": park})
    tier_one = [right for right in picks if resort.attraction(right.attraction).tier == 1]
    if attraction.tier == 1 and len(tier_one) >= resort.policies.picks_tier_one_max:
        return Refused(Reason.PICKS_TIER_ONE, {"most": str(resort.policies.picks_tier_one_max)})
    return None


def _admitted(token: TokenDocument, attraction: Attraction, day: date) -> bool:
    return any(
        isinstance(right, Admission)
        and right.from_day <= day <= right.until_day
        and attraction.park in right.parks
        for right in token.entitlements
    )


def _over(token: TokenDocument, right: Bypass, at: datetime, resort: Resort) -> bool:
    """Return whether a reservation is used or has lapsed."""
    step = spending_step(resort.attraction(right.attraction))
    used = any(use.entitlement_id == right.entitlement_id and use.step is step for use in token.uses)
    return used or at > accepted_until(right, resort.policies)
