"""What must hold between the things of a resort: known references, ids once, numbers that make sense. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.toml_lines import Path
from wallet.money import is_currency
from wallet.resort import Attraction, Product, Resort, Touchpoint, TouchpointKind

Finding = tuple[Path, str]
"""Where (a path into the TOML) and what is wrong there."""

_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")
_LISTS = ("venues", "rooms", "lots", "parks", "attractions", "taxes", "outlets", "products", "touchpoints")
_AT_LEAST_ONE = {
    "capacity",
    "capacity_per_window",
    "tier",
    "guests_max",
    "park_days_min",
    "picks_held_max",
    "pin_tries_max",
}
_AT_LEAST = {"window_length_s": 300, "pass_valid_s": 10}
"""A window of no length would follow itself for ever; a pass has to last until it is shown."""
_DAYS = {
    "nights",
    "park_days",
    "booking_days_before_stay",
    "booking_days_before_date",
    "photo_claim_days",
    "photo_download_days",
}
_DAYS_MOST = 3660
"""Ten years: what is counted from today stays inside the calendar."""
_MOST = 2**31 - 1
"""The largest number that every database and every edge keeps as it is."""
_MAY_BE_NEGATIVE = {"floor"}


def faults_of(resort: Resort) -> Iterator[Finding]:
    """Give everything that is wrong with a resort whose fields have the right types."""
    yield from _head(resort)
    for name in _LISTS:
        yield from _ids(getattr(resort, name), (name,))
        for number, each in enumerate(getattr(resort, name)):
            yield from _numbers(each, (name, number))
    for number, outlet in enumerate(resort.outlets):
        yield from _ids(outlet.items, ("outlets", number, "items"))
        for place, item in enumerate(outlet.items):
            path: Path = ("outlets", number, "items", place)
            yield from _known(item.tax, resort.taxes, "tax", (*path, "tax"))
    yield from _numbers(resort.policies, ("policies",))
    yield from _references(resort)
    for number, product in enumerate(resort.products):
        yield from _product(product, resort, ("products", number))
    for number, point in enumerate(resort.touchpoints):
        yield from _touchpoint(point, resort, ("touchpoints", number))


def _head(resort: Resort) -> Iterator[Finding]:
    if not _ID.match(resort.code):
        yield ("resort", "code"), f'"{resort.code}" is no code: small letters, digits, - and _, at most 40.'
    if not resort.name.strip():
        yield ("resort", "name"), "The resort needs a name."
    if not is_currency(resort.currency):
        yield ("resort", "currency"), f'"{resort.currency}" is no currency\'s ISO 4217 code, like "EUR".'
    try:
        ZoneInfo(resort.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield ("resort", "zone"), f'"{resort.zone}" is no time zone. Write one like "Europe/Madrid".'
    if not resort.venues:
        yield (
            (),
            "There is no venue. Add a [[venues]] for each part of the resort that has an edge of its own.",
        )


def _ids(things: Iterable[Any], path: Path) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for number, each in enumerate(things):
        where: Path = (*path, number, "id")
        if not _ID.match(each.id):
            yield where, f'"{each.id}" is no id: small letters, digits, - and _, at most 40.'
        elif each.id in seen:
            yield (
                where,
                f'The id "{each.id}" is taken by number {seen[each.id] + 1} of [[{path[-1]}]]. Give it another.',
            )
        else:
            seen[each.id] = number


def _numbers(thing: Any, path: Path) -> Iterator[Finding]:
    for name in thing.__struct_fields__:
        value = getattr(thing, name)
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or name in _MAY_BE_NEGATIVE
            or name.endswith("_minor")
        ):
            continue
        least = _AT_LEAST.get(name, 1 if name in _AT_LEAST_ONE else 0)
        if value < least:
            yield (*path, name), f"`{name}` is {value}; it must be {least} or more."
        elif name in _DAYS and value > _DAYS_MOST:
            yield (*path, name), f"`{name}` is {value} days; {_DAYS_MOST} is the most."
        elif value > _MOST:
            yield (*path, name), f"`{name}` is {value}; {_MOST} is the most."
        elif name.endswith("_bp") and value > 10_000:
            yield (*path, name), f"`{name}` is {value} basis points; 10000 (100 %) is the most."


def _known(wanted: str, things: Iterable[Any], noun: str, path: Path) -> Iterator[Finding]:
    names = [each.id for each in things]
    if wanted not in names:
        known = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        yield path, f'There is no {noun} "{wanted}". Known: {known or "none"}.'


def _references(resort: Resort) -> Iterator[Finding]:
    for name in ("rooms", "lots", "parks", "outlets", "touchpoints"):
        for number, each in enumerate(getattr(resort, name)):
            yield from _known(each.venue, resort.venues, "venue", (name, number, "venue"))
    for number, attraction in enumerate(resort.attractions):
        yield from _known(attraction.park, resort.parks, "park", ("attractions", number, "park"))
    for number, park in enumerate(resort.parks):
        # The resort day decides what "later" means: a park may close after midnight, before the day's start.
        opens, closes = (
            (at.hour * 60 + at.minute - _start(resort)) % 1440 for at in (park.opens, park.closes)
        )
        if opens >= closes:
            yield (
                ("parks", number, "closes"),
                f"{park.name} closes before it opens, counted from {resort.day_starts}.",
            )


def _start(resort: Resort) -> int:
    return resort.day_starts.hour * 60 + resort.day_starts.minute


def _product(product: Product, resort: Resort, path: Path) -> Iterator[Finding]:
    yield from _known(product.tax, resort.taxes, "tax", (*path, "tax"))
    for place, park in enumerate(product.parks):
        yield from _known(park, resort.parks, "park", (*path, "parks", place))
    for place, lot in enumerate(product.lots):
        yield from _known(lot, resort.lots, "car park", (*path, "lots", place))
    types = sorted({room.type for room in resort.rooms})
    if product.nights and product.room_type not in types:
        known = ", ".join(types) or "none"
        yield (*path, "room_type"), f'No room is of type "{product.room_type}". Known: {known}.'
    if product.room_type and not product.nights:
        yield (*path, "nights"), "A product with a room needs one night or more."
    if product.park_days and not product.parks:
        yield (*path, "park_days"), "A product with park days needs the `parks` they are for."
    if product.vehicles and not product.lots:
        yield (*path, "vehicles"), "A product with vehicles needs the `lots` they may stand in."
    if product.deposit_minor > product.price_minor:
        yield (*path, "deposit"), "The deposit is more than the price."
    for place, rule in enumerate(product.cancellation):
        yield from _numbers(rule, (*path, "cancellation", place))


_PLACES: dict[TouchpointKind, tuple[str, str]] = {
    TouchpointKind.DOOR: ("rooms", "room"),
    TouchpointKind.PARKING_LANE: ("lots", "car park"),
    TouchpointKind.PARK_GATE: ("parks", "park"),
    TouchpointKind.TILL: ("outlets", "outlet"),
    TouchpointKind.BYPASS_ENTRANCE: ("attractions", "attraction"),
    TouchpointKind.MERGE_POINT: ("attractions", "attraction"),
}
"""What `place` names for each kind of touchpoint; at a photo point or an encoder it is a name of its own."""


def _touchpoint(point: Touchpoint, resort: Resort, path: Path) -> Iterator[Finding]:
    if point.kind not in _PLACES:
        return
    name, noun = _PLACES[point.kind]
    things = {each.id: each for each in getattr(resort, name)}
    yield from _known(point.place, things.values(), noun, (*path, "place"))
    place = things.get(point.place)
    if place is None:
        return
    venue = _venue_of(
        place, lambda park: next((each.venue for each in resort.parks if each.id == park), None)
    )
    if venue is not None and venue != point.venue:
        # Its edge would never be told of the guests who may pass here.
        yield (*path, "venue"), f'The {noun} "{point.place}" is at "{venue}", so its touchpoints are too.'
    if point.kind is TouchpointKind.MERGE_POINT and isinstance(place, Attraction) and not place.merge_point:
        yield (
            (*path, "place"),
            f'"{place.id}" has merge_point = false. Change that, or leave this touchpoint out.',
        )


def _venue_of(place: Any, venue_of_park: Callable[[str], str | None]) -> str | None:
    if isinstance(place, Attraction):
        return venue_of_park(place.park)
    venue: str = place.venue
    return venue
