"""Nights in the rooms of a type: taken when booking, free again when a party cancels or leaves. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from gateway.command import Key, night_key
from gateway.db.rows import PartyRow, PartyState, RoomNightRow
from gateway.errors import Rejection
from gateway.services.draft import Draft
from wallet.resort import Resort


def nights_from(arrival_day: date, count: int) -> tuple[date, ...]:
    """Return the nights of a stay, each named by the day on which it begins."""
    first = arrival_day.toordinal()
    # The calendar ends somewhere; a booking that reaches its end is refused for its day.
    return tuple(date.fromordinal(n) for n in range(first, min(first + count, date.max.toordinal())))


def nights_of(party: PartyRow) -> tuple[date, ...]:
    """Return the nights for which a party holds a room; none for day guests."""
    count = (party.departure_day - party.arrival_day).days
    return nights_from(party.arrival_day, count) if party.room_type else ()


def nights_slept(party: PartyRow, resort: Resort) -> tuple[date, ...]:
    """Return the nights that a departed party has not given back: those before the day of its check-out."""
    if party.state is not PartyState.CHECKED_OUT or party.checked_out_at is None:
        return ()
    left_on = resort.day_of(party.checked_out_at)
    return tuple(night for night in nights_of(party) if night < left_on)


def night_keys(room_type: str, nights: Iterable[date]) -> frozenset[Key]:
    """Return what must be held to take or free these nights in a room of this type."""
    return frozenset(night_key(room_type, night) for night in nights) if room_type else frozenset()


def take_nights(draft: Draft, room_type: str, nights: Iterable[date]) -> None:
    """Take one room for each of these nights.

    Raises:
        Rejection: 409 `sold_out`; it names the nights on which no room of this type is free.
    """
    rooms = _rooms_of(draft.resort, room_type)
    known = [
        draft.get(RoomNightRow, room_type, night) or RoomNightRow(room_type, night, 0) for night in nights
    ]
    full = [row.night.isoformat() for row in known if row.taken >= rooms]
    if full:
        nights_said = f"the night of {full[0]}" if len(full) == 1 else f"the nights of {_listed(full)}"
        sentence = f"No {room_type} room is free on {nights_said}. Please choose other days."
        raise Rejection("sold_out", 409, sentence, {"room_type": room_type, "nights": full})
    draft.put(*(replace(row, rooms=rooms, taken=row.taken + 1) for row in known))


def free_nights(draft: Draft, party: PartyRow, from_day: date) -> None:
    """Give back the nights of a party that begin on `from_day` or later.

    A count that says that nobody holds the night stays as it is: verification tells it, and the guest can leave.
    """
    for night in nights_of(party):
        row = draft.get(RoomNightRow, party.room_type, night)
        if night >= from_day and row is not None and row.taken:
            draft.put(replace(row, taken=row.taken - 1))


def _rooms_of(resort: Resort, room_type: str) -> int:
    return sum(room.type == room_type for room in resort.rooms)


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
