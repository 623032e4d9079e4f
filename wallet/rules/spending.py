"""Tills: the guest's daily limit, the PIN above a threshold, a hold above the offline floor, caps below it."""

from wallet.entitlement import Entitlement, Spending
from wallet.money import format_amount
from wallet.reasons import Reason
from wallet.tap import Approved, Ask, Asks, Decision, Facts, Hold, HoldAnswer, PinCheck, Refused, Sale, Tap
from wallet.token import Step, Use


def decide(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of a till for the sale that is open there."""
    sale = tap.sale
    if sale is None or sale.total_minor <= 0:
        return Refused(Reason.NOTHING_TO_PAY)
    valid = [
        right
        for right in rights
        if isinstance(right, Spending)
        and right.currency == sale.currency
        and right.from_at <= tap.at < right.until_at
    ]
    if not valid:
        return Refused(Reason.NOT_ENTITLED)
    right = min(valid, key=lambda right: (right.until_at, right.entitlement_id))
    return (
        _over_limit(tap, facts, right, sale)
        or _pin(tap, facts, right, sale)
        or _cover(tap, facts, right, sale)
    )


def spent_on_day(facts: Facts, tap: Tap) -> int:
    """Return what the guest has charged on the tap's resort day, this very tap not counted, in minor units."""
    day = facts.resort.day_of(tap.at)
    return sum(
        use.amount_minor
        for use in facts.uses
        if use.step is Step.CHARGE and use.day == day and use.tap_id != tap.tap_id
    )


def _over_limit(tap: Tap, facts: Facts, right: Spending, sale: Sale) -> Refused | None:
    if right.daily_limit_minor <= 0:
        return Refused(Reason.SPENDING_OFF)
    left = right.daily_limit_minor - spent_on_day(facts, tap)
    if sale.total_minor > left:
        return Refused(Reason.OVER_DAILY_LIMIT, {"left": format_amount(max(0, left), sale.currency)})
    return None


def _pin(tap: Tap, facts: Facts, right: Spending, sale: Sale) -> Decision | None:
    """Even a right PIN counts only where a PIN may be taken, and not past the lock."""
    if sale.total_minor <= right.pin_above_minor:
        return None
    answered = tap.hold is not None and tap.hold.answer is HoldAnswer.HELD
    alone = not facts.online and not answered
    if alone and not facts.policies.offline_pin_sales:
        return Refused(Reason.OFFLINE_PIN)
    if facts.token is None or not facts.token.pin_verifier:
        return Refused(Reason.PIN_NOT_SET)
    if facts.pin_tries >= facts.policies.pin_tries_max:
        return Refused(Reason.PIN_LOCKED)
    match tap.pin:
        case PinCheck.RIGHT:
            return None
        case None:
            return Asks(Ask.PIN)
        case PinCheck.NOT_GIVEN:
            return Refused(Reason.PIN_NOT_GIVEN)
        case _:
            return Refused(Reason.PIN_WRONG)


def _cover(tap: Tap, facts: Facts, right: Spending, sale: Sale) -> Decision:
    """Above the floor, or past what an edge may owe alone, the gateway has to hold the amount."""
    above_floor = sale.total_minor > facts.policies.offline_floor_minor
    needs_hold = above_floor or _past_caps(facts, sale)
    match tap.hold:
        case Hold(answer=HoldAnswer.HELD):
            pass
        # The gateway's no stands, also where the caps have meanwhile made room.
        case Hold(answer=HoldAnswer.REFUSED, refusal=refusal):
            return refusal or Refused(Reason.OVER_FOLIO_LIMIT)
        case None if needs_hold and facts.online:
            return Asks(Ask.HOLD)
        case _ if above_floor:
            floor = format_amount(facts.policies.offline_floor_minor, sale.currency)
            return Refused(Reason.OFFLINE_ABOVE_FLOOR, {"floor": floor})
        case _ if needs_hold:
            return Refused(Reason.OFFLINE_CAP_REACHED)
        case _:
            pass
    day = facts.resort.day_of(tap.at)
    use = Use(tap.tap_id, right.entitlement_id, Step.CHARGE, tap.at, day, sale.outlet, sale.total_minor)
    return Approved(right.entitlement_id, (use,))


def _past_caps(facts: Facts, sale: Sale) -> bool:
    return (
        facts.token_offline_minor + sale.total_minor > facts.policies.offline_token_cap_minor
        or facts.edge_offline_minor + sale.total_minor > facts.policies.offline_edge_cap_minor
    )
