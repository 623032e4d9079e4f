"""What a token may do just now, in a few words for the workbench. It tells rights; the rulebook decides. Pure."""

from datetime import datetime

from wallet.entitlement import Admission, Bypass, Entitlement, Parking, Photos, RoomKey, Spending
from wallet.money import format_amount
from wallet.resort import Resort
from wallet.rules.bypass import accepted_from, accepted_until, merges_until, spending_step
from wallet.rules.say import clock, names, when
from wallet.token import Step, TokenDocument


def may(document: TokenDocument, resort: Resort, now: datetime) -> list[str]:
    """Return one phrase for each right that is good now or later today, in the order a day meets them."""
    if document.closed:
        return []
    order = (RoomKey, Parking, Admission, Bypass, Spending, Photos)
    found = [
        (order.index(type(right)), _phrase(right, document, resort, now)) for right in document.entitlements
    ]
    return [phrase for _, phrase in sorted(found) if phrase]


def _phrase(right: Entitlement, document: TokenDocument, resort: Resort, now: datetime) -> str:
    """Return what the right gives, empty when it gives nothing today."""
    match right:
        case Admission():
            return _admission(right, document, resort, now)
        case Bypass():
            return _bypass(right, document, resort, now)
    if not right.from_at <= now < right.until_at:
        return ""
    match right:
        case RoomKey(rooms=rooms):
            return f"Room {', '.join(rooms)}"
        case Parking(lots=lots):
            return names(lots, resort.lot)
        case Spending(daily_limit_minor=limit_minor) if limit_minor <= 0:
            return "No purchases"
        case Spending(pin_above_minor=pin_minor, currency=currency):
            above = format_amount(pin_minor, currency)
            return f"Pays, PIN above {above}" if document.pin_verifier else f"Pays up to {above} (no PIN)"
    return "Photos"


def _admission(right: Admission, document: TokenDocument, resort: Resort, now: datetime) -> str:
    today = resort.day_of(now)
    if not right.from_day <= today <= right.until_day:
        return ""
    used = {
        use.day
        for use in document.uses
        if use.entitlement_id == right.entitlement_id and use.step is Step.PARK_IN
    }
    parks = names(right.parks, resort.park)
    return parks if today in used or len(used) < right.days else ""


def _bypass(right: Bypass, document: TokenDocument, resort: Resort, now: datetime) -> str:
    used_at = {use.step: use.at for use in document.uses if use.entitlement_id == right.entitlement_id}
    try:
        attraction = resort.attraction(right.attraction)
    except KeyError:
        return ""
    if spending_step(attraction) in used_at:
        return ""
    if Step.ENTRANCE in used_at:
        over = now >= merges_until(used_at[Step.ENTRANCE], resort)
        return "" if over else f"{attraction.name} merge point"
    opens_at, closes_at = accepted_from(right, resort.policies), accepted_until(right, resort.policies)
    if now > closes_at:
        return ""
    if now >= opens_at:
        return f"{attraction.name} until {clock(closes_at, resort)}"
    return f"{attraction.name} from {when(opens_at, now, resort)}"
