"""Park gates: one park a day unless the ticket hops, re-entry allowed, the same ticket not twice in a moment."""

from datetime import date, timedelta

from wallet.entitlement import Admission, Entitlement
from wallet.reasons import Reason
from wallet.resort import Direction
from wallet.rules.say import clock, names
from wallet.tap import Approved, Decision, Facts, Refused, Tap
from wallet.token import Step, Use


def decide(tap: Tap, facts: Facts, rights: tuple[Entitlement, ...]) -> Decision:
    """Return the verdict of a park gate."""
    tickets = [right for right in rights if isinstance(right, Admission)]
    if facts.touchpoint.direction is Direction.OUT:
        # A ticket that is gone (moved to another park, given back) is no reason to hold anyone inside.
        return _leave(tap, facts, tickets) if tickets else Approved("")
    if not tickets:
        return Refused(Reason.NOT_ENTITLED)
    return _enter(tap, facts, tickets)


def _leave(tap: Tap, facts: Facts, tickets: list[Admission]) -> Decision:
    """Nobody is ever held inside a park."""
    day = facts.resort.day_of(tap.at)
    used_today = [ticket for ticket in tickets if _places_on(facts, ticket, day)]
    return _approve(tap, facts, min(used_today or tickets, key=_expiry_then_id), Step.PARK_OUT)


def _enter(tap: Tap, facts: Facts, tickets: list[Admission]) -> Decision:
    day, park = facts.resort.day_of(tap.at), facts.touchpoint.place
    today = [ticket for ticket in tickets if ticket.from_day <= day <= ticket.until_day]
    if not today:
        return _other_day(tickets, day)
    here = [ticket for ticket in today if park in ticket.parks]
    if not here:
        return _other_park(facts, {known for ticket in today for known in ticket.parks})
    unspent = [ticket for ticket in here if _places_on(facts, ticket, day) or _days_left(facts, ticket) > 0]
    if not unspent:
        return Refused(Reason.DAYS_USED_UP, {"days": str(max(ticket.days for ticket in here))})
    open_here = [ticket for ticket in unspent if ticket.hopper or _places_on(facts, ticket, day) <= {park}]
    if not open_here:
        return _other_park(facts, {place for ticket in unspent for place in _places_on(facts, ticket, day)})
    entered_at = _entered_a_moment_ago(tap, facts)
    if entered_at is not None:
        return Refused(Reason.ALREADY_INSIDE, {"entered_at": entered_at})
    # Re-entry spends no further day, so a ticket already used today goes first; then the one that expires first.
    ticket = min(open_here, key=lambda ticket: (not _places_on(facts, ticket, day), *_expiry_then_id(ticket)))
    return _approve(tap, facts, ticket, Step.PARK_IN)


def _places_on(facts: Facts, ticket: Admission, day: date) -> set[str]:
    return {
        use.place
        for use in facts.uses
        if use.entitlement_id == ticket.entitlement_id and use.step is Step.PARK_IN and use.day == day
    }


def _days_left(facts: Facts, ticket: Admission) -> int:
    used = {
        use.day
        for use in facts.uses
        if use.entitlement_id == ticket.entitlement_id and use.step is Step.PARK_IN
    }
    return ticket.days - len(used)


def _entered_a_moment_ago(tap: Tap, facts: Facts) -> str | None:
    """A band handed back over the fence: it goes in twice in a moment, with no way out between.

    Taps come home in any order, so an entry shortly after this one says the same as one shortly before.
    """
    near = timedelta(seconds=facts.policies.gate_passback_s)
    moves = [
        use
        for use in facts.uses
        if use.step in (Step.PARK_IN, Step.PARK_OUT)
        and use.place == facts.touchpoint.place
        and abs(use.at - tap.at) < near
    ]
    before = [use for use in moves if use.at <= tap.at][-1:]
    after = [use for use in moves if use.at > tap.at][:1]
    for use in before + after:
        if use.step is Step.PARK_IN:
            return clock(use.at, facts.resort)
    return None


def _other_day(tickets: list[Admission], day: date) -> Refused:
    """Name the ticket that comes next, or else the one that was the last."""
    coming = [ticket for ticket in tickets if day < ticket.from_day]
    if coming:
        ticket = min(coming, key=lambda ticket: (ticket.from_day, ticket.until_day))
    else:
        ticket = max(tickets, key=lambda ticket: (ticket.until_day, ticket.from_day))
    span = {"from_day": ticket.from_day, "until_day": ticket.until_day}
    return Refused(Reason.OTHER_DAY, {name: each.isoformat() for name, each in span.items()})


def _other_park(facts: Facts, ids: set[str]) -> Refused:
    parks = names(ids, facts.resort.park)
    return Refused(Reason.OTHER_PARK, {"parks": parks}) if parks else Refused(Reason.NOT_ENTITLED)


def _approve(tap: Tap, facts: Facts, ticket: Admission, step: Step) -> Approved:
    day = facts.resort.day_of(tap.at)
    use = Use(tap.tap_id, ticket.entitlement_id, step, tap.at, day, facts.touchpoint.place)
    return Approved(ticket.entitlement_id, (use,))


def _expiry_then_id(ticket: Admission) -> tuple[date, str]:
    return ticket.until_day, ticket.entitlement_id
