"""Return windows: so many places, made at the first booking and never oversold. Pure."""

from dataclasses import replace
from datetime import UTC, datetime

from gateway.command import Key, window_key
from gateway.db.rows import ReturnWindowRow
from gateway.errors import Rejection
from gateway.services.draft import Draft
from wallet.entitlement import Bypass
from wallet.picks import window_end, window_starts
from wallet.resort import Attraction, Resort


def key_of(right: Bypass) -> Key:
    """Return the key of the window that a reservation is in."""
    return window_key(right.attraction, right.starts_at.astimezone(UTC))


def attraction_named(resort: Resort, attraction_id: str) -> Attraction:
    """Return an attraction.

    Raises:
        Rejection: there is none of that id.
    """
    try:
        return resort.attraction(attraction_id)
    except KeyError:
        raise Rejection(
            "unknown_attraction", 422, f"There is no attraction {attraction_id!r} here."
        ) from None


def window_at(draft: Draft, attraction: Attraction, starts_at: datetime) -> ReturnWindowRow:
    """Return the window as it stands, or a new one with the attraction's capacity.

    Raises:
        Rejection: no window of this attraction begins at that instant.
    """
    resort, starts_at = draft.resort, starts_at.astimezone(UTC)
    if starts_at not in window_starts(resort, attraction, resort.day_of(starts_at)):
        raise Rejection("no_such_window", 422, f"No return window of {attraction.name} begins then.")
    known = draft.get(ReturnWindowRow, attraction.id, starts_at)
    if known is None:
        ends_at = window_end(resort, starts_at)
        return ReturnWindowRow(attraction.id, starts_at, ends_at, attraction.capacity_per_window)
    # Capacity follows the ride's measured rate, but a place that was given stays given.
    return replace(known, capacity=max(known.taken, attraction.capacity_per_window))


def take_places(window: ReturnWindowRow, count: int) -> ReturnWindowRow:
    """Return the window with `count` more places taken; the table itself refuses more than there are."""
    return replace(window, taken=window.taken + count)


def free_place(window: ReturnWindowRow) -> ReturnWindowRow:
    """Return the window with one place more to give."""
    return replace(window, taken=window.taken - 1)
