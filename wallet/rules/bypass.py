"""Bypass: a return window is accepted at the entrance, and spent at the merge point where the attraction has one."""

from datetime import datetime, timedelta

from wallet.entitlement import Bypass, Entitlement
from wallet.reasons import Reason
from wallet.resort import Attraction, Policies, Resort
from wallet.rules.say import when
from wallet.tap import Approved, Decision, Facts, Refused, Tap
from wallet.token import Step, Use


def decide_entrance(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of a bypass entrance.

    The reservation whose window holds now goes first, then the one that expires first.
    """
    here = _for_this_attraction(facts, rights)
    if not here:
        return Refused(Reason.NO_RESERVATION)
    unspent = [right for right in here if _spent_at(facts, right) is None]
    if not unspent:
        return _redeemed(tap, facts, here)
    policies = facts.policies
    accepted = [
        right
        for right in unspent
        if accepted_from(right, policies) <= tap.at <= accepted_until(right, policies)
    ]
    if accepted:
        return _approve(
            tap, facts, min(accepted, key=lambda right: _holds_now_first(tap, right)), Step.ENTRANCE
        )
    coming = [opens_at for right in unspent if tap.at < (opens_at := accepted_from(right, policies))]
    if coming:
        return Refused(Reason.WINDOW_NOT_OPEN, {"opens_at": when(min(coming), tap.at, facts.resort)})
    closed_at = max(accepted_until(right, policies) for right in unspent)
    return Refused(Reason.WINDOW_CLOSED, {"closed_at": when(closed_at, tap.at, facts.resort)})


def decide_merge(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of a merge point.

    Who entered in time may merge after the window's end, until the resort day of the entrance is over.
    """
    here = _for_this_attraction(facts, rights)
    if not here:
        return Refused(Reason.NO_RESERVATION)
    unspent = [right for right in here if _spent_at(facts, right) is None]
    if not unspent:
        return _redeemed(tap, facts, here)
    entered = [(at, right) for right in unspent if (at := _used_at(facts, right, Step.ENTRANCE)) is not None]
    if not entered:
        return Refused(Reason.ENTRANCE_FIRST)
    still = [(at, right) for at, right in entered if tap.at < merges_until(at, facts.resort)]
    if not still:
        closed_at = max(merges_until(at, facts.resort) for at, _ in entered)
        return Refused(Reason.WINDOW_CLOSED, {"closed_at": when(closed_at, tap.at, facts.resort)})
    _, right = min(still, key=lambda pair: (pair[0], pair[1].entitlement_id))
    return _approve(tap, facts, right, Step.MERGE)


def spending_step(attraction: Attraction) -> Step:
    """Return the step that spends a reservation of this attraction."""
    return Step.MERGE if attraction.merge_point else Step.ENTRANCE


def accepted_from(right: Bypass, policies: Policies) -> datetime:
    """Return the first instant at which the entrance takes a reservation."""
    return right.starts_at - timedelta(seconds=policies.window_early_s)


def accepted_until(right: Bypass, policies: Policies) -> datetime:
    """Return the last instant at which the entrance takes a reservation."""
    return right.ends_at + timedelta(seconds=policies.window_late_s)


def merges_until(entered_at: datetime, resort: Resort) -> datetime:
    """Return from when on the merge point refuses who went in at `entered_at`: the end of that resort day."""
    return resort.instant(resort.day_of(entered_at) + timedelta(days=1), resort.day_starts)


def _for_this_attraction(facts: Facts, rights: tuple[Entitlement, ...]) -> list[Bypass]:
    return [
        right for right in rights if isinstance(right, Bypass) and right.attraction == facts.touchpoint.place
    ]


def _spent_at(facts: Facts, right: Bypass) -> datetime | None:
    return _used_at(facts, right, spending_step(facts.resort.attraction(right.attraction)))


def _used_at(facts: Facts, right: Bypass, step: Step) -> datetime | None:
    for use in facts.uses:
        if use.entitlement_id == right.entitlement_id and use.step is step:
            return use.at
    return None


def _redeemed(tap: Tap, facts: Facts, rights: list[Bypass]) -> Refused:
    last = max(at for right in rights if (at := _spent_at(facts, right)) is not None)
    return Refused(Reason.RESERVATION_REDEEMED, {"redeemed_at": when(last, tap.at, facts.resort)})


def _holds_now_first(tap: Tap, right: Bypass) -> tuple[bool, datetime, str]:
    holds_now = right.starts_at <= tap.at < right.ends_at
    return not holds_now, right.ends_at, right.entitlement_id


def _approve(tap: Tap, facts: Facts, right: Bypass, step: Step) -> Approved:
    day = facts.resort.day_of(tap.at)
    use = Use(tap.tap_id, right.entitlement_id, step, tap.at, day, right.attraction)
    return Approved(right.entitlement_id, (use,))
