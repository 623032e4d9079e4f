"""The resort as data: venues, touchpoints, catalogue and policies, the same object at the gateway and each edge."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

_Thing = TypeVar("_Thing")


class TouchpointKind(StrEnum):
    """What a guest does at a touchpoint."""

    DOOR = "door"
    PARKING_LANE = "parking_lane"
    PARK_GATE = "park_gate"
    TILL = "till"
    PHOTO_POINT = "photo_point"
    BYPASS_ENTRANCE = "bypass_entrance"
    MERGE_POINT = "merge_point"
    ENCODER = "encoder"


class Direction(StrEnum):
    """Which way a lane or a gate leads."""

    IN = "in"
    OUT = "out"


class Venue(Struct, frozen=True):
    """A part of the resort with an edge of its own: a hotel, a park, a row of shops."""

    id: str
    name: str


class Touchpoint(Struct, frozen=True, omit_defaults=True):
    """A place where one taps. `place` is the room, lot, park, attraction, outlet or photo point it belongs to."""

    id: str
    name: str
    kind: TouchpointKind
    venue: str
    place: str
    direction: Direction = Direction.IN

    @property
    def is_way_out(self) -> bool:
        """Whether one leaves a park or a car park here."""
        return self.direction is Direction.OUT and self.kind in _WAYS_OUT


_WAYS_OUT = (TouchpointKind.PARKING_LANE, TouchpointKind.PARK_GATE)
_NO_LEASE = (TouchpointKind.DOOR, TouchpointKind.ENCODER)


class Room(Struct, frozen=True):
    """A hotel room; `type` is what a product asks for."""

    id: str
    venue: str
    type: str
    floor: int = 0


class Lot(Struct, frozen=True):
    """A car park; the fee is charged per started day where no parking is included."""

    id: str
    name: str
    venue: str
    capacity: int
    fee_per_day_minor: int = 0


class Park(Struct, frozen=True):
    """A park; opening hours are resort time."""

    id: str
    name: str
    venue: str
    opens: time
    closes: time


class Attraction(Struct, frozen=True):
    """A ride with a bypass queue; `capacity_per_window` follows from its measured merge rate."""

    id: str
    name: str
    park: str
    tier: int
    capacity_per_window: int
    merge_point: bool = True


class Tax(Struct, frozen=True):
    """A tax; `rate_bp` is in basis points (1000 = 10 %), and prices include it unless said otherwise."""

    id: str
    name: str
    rate_bp: int
    included: bool = True


class Item(Struct, frozen=True):
    """Something an outlet sells."""

    id: str
    name: str
    price_minor: int
    tax: str
    category: str = "other"


class Outlet(Struct, frozen=True):
    """A shop, restaurant or stall with its price list."""

    id: str
    name: str
    venue: str
    items: tuple[Item, ...] = ()

    def item(self, item_id: str) -> Item:
        """Return the item sold under `item_id`; raises KeyError."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(f"{self.name} does not sell {item_id!r}")


class CancellationRule(Struct, frozen=True):
    """From `days_before` days before arrival on, a cancelled booking costs `fee_bp` basis points of its price."""

    days_before: int
    fee_bp: int


class Product(Struct, frozen=True, omit_defaults=True):
    """A package on sale, priced per party; `deposit_minor` is due when booking."""

    id: str
    name: str
    price_minor: int
    deposit_minor: int
    tax: str
    nights: int
    park_days: int
    guests_max: int
    room_type: str = ""
    vehicles: int = 0
    hopper: bool = False
    parks: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    folio_limit_minor: int = 0
    photo_plan: bool = False
    cancellation: tuple[CancellationRule, ...] = ()


class Policies(Struct, frozen=True, omit_defaults=True):
    """The rules that a resort may set; `docs/` explains each. Durations are in seconds, amounts in minor units."""

    pin_above_minor: int = 5000
    pin_tries_max: int = 5
    guest_daily_limit_minor: int = 30000
    child_daily_limit_minor: int = 0
    offline_floor_minor: int = 2500
    offline_token_cap_minor: int = 7500
    offline_edge_cap_minor: int = 500000
    offline_pin_sales: bool = False
    till_lease_s: int = 24 * 3600
    gate_lease_s: int = 24 * 3600
    gate_passback_s: int = 300
    parking_passback_s: int = 4 * 3600
    window_early_s: int = 5 * 60
    window_late_s: int = 15 * 60
    window_length_s: int = 3600
    picks_held_max: int = 3
    picks_tier_one_max: int = 1
    booking_days_before_stay: int = 60
    booking_days_before_date: int = 30
    booking_opens: time = time(7)
    deposit_before_check_in: bool = False
    photo_group_window_s: int = 120
    photo_claim_days: int = 45
    photo_download_days: int = 30
    pass_valid_s: int = 30
    code_valid_s: int = 15
    code_skew_s: int = 5
    phone_credential_s: int = 24 * 3600
    sun_fallback: bool = False
    random_uid: bool = True
    travel_min_s: int = 120
    unknown_at_gates: bool = True
    unknown_at_doors: bool = True

    def lease_s(self, touchpoint: Touchpoint) -> int | None:
        """Return for how long facts that can't be renewed count at a touchpoint, in seconds; None: for the stay.

        A door's hold for the stay, and nobody is held inside: ways out have no lease. An encoder asks the gateway
        for each band.
        """
        if touchpoint.is_way_out or touchpoint.kind in _NO_LEASE:
            return None
        return self.till_lease_s if touchpoint.kind is TouchpointKind.TILL else self.gate_lease_s


class Resort(Struct, frozen=True, omit_defaults=True, dict=True):
    """One resort as loaded from its TOML; `version` grows with each load."""

    code: str
    name: str
    zone: str
    currency: str
    version: int = 1
    day_starts: time = time(4)
    venues: tuple[Venue, ...] = ()
    rooms: tuple[Room, ...] = ()
    lots: tuple[Lot, ...] = ()
    parks: tuple[Park, ...] = ()
    attractions: tuple[Attraction, ...] = ()
    taxes: tuple[Tax, ...] = ()
    outlets: tuple[Outlet, ...] = ()
    products: tuple[Product, ...] = ()
    touchpoints: tuple[Touchpoint, ...] = ()
    policies: Policies = Policies()

    @cached_property
    def tz(self) -> ZoneInfo:
        """The resort's time zone."""
        return ZoneInfo(self.zone)

    def day_of(self, at: datetime) -> date:
        """Return the resort day that holds the instant `at`; a day begins at `day_starts`, resort time."""
        local = at.astimezone(self.tz)
        begins_at = datetime.combine(local.date(), self.day_starts, self.tz)
        return local.date() if local >= begins_at else local.date() - timedelta(days=1)

    def instant(self, day: date, at: time) -> datetime:
        """Return the UTC instant of `at` o'clock on a resort day; an hour before `day_starts` is the next date's."""
        calendar = day if at >= self.day_starts else day + timedelta(days=1)
        return datetime.combine(calendar, at, self.tz).astimezone(UTC)

    def venues_with(self, kind: TouchpointKind) -> frozenset[str]:
        """Return the ids of the venues that have a touchpoint of this kind."""
        return self._venues_by_kind.get(kind, frozenset())

    def local(self, at: datetime) -> datetime:
        """Return the instant on the resort's clock."""
        return at.astimezone(self.tz)

    def venue(self, venue_id: str) -> Venue:
        """Return the venue; raises KeyError."""
        return _found(self._venues, venue_id, "venue")

    def room(self, room_id: str) -> Room:
        """Return the room; raises KeyError."""
        return _found(self._rooms, room_id, "room")

    def lot(self, lot_id: str) -> Lot:
        """Return the lot; raises KeyError."""
        return _found(self._lots, lot_id, "lot")

    def park(self, park_id: str) -> Park:
        """Return the park; raises KeyError."""
        return _found(self._parks, park_id, "park")

    def attraction(self, attraction_id: str) -> Attraction:
        """Return the attraction; raises KeyError."""
        return _found(self._attractions, attraction_id, "attraction")

    def has_attraction(self, attraction_id: str) -> bool:
        """Return whether this copy of the resort knows the attraction."""
        return attraction_id in self._attractions

    def tax(self, tax_id: str) -> Tax:
        """Return the tax; raises KeyError."""
        return _found(self._taxes, tax_id, "tax")

    def outlet(self, outlet_id: str) -> Outlet:
        """Return the outlet; raises KeyError."""
        return _found(self._outlets, outlet_id, "outlet")

    def product(self, product_id: str) -> Product:
        """Return the product; raises KeyError."""
        return _found(self._products, product_id, "product")

    def touchpoint(self, touchpoint_id: str) -> Touchpoint:
        """Return the touchpoint; raises KeyError."""
        return _found(self._touchpoints, touchpoint_id, "touchpoint")

    # Looked up on every tap, and a large resort has 28,000 rooms: an index each, made at first use.

    @cached_property
    def _venues_by_kind(self) -> dict[TouchpointKind, frozenset[str]]:
        kinds = {each.kind for each in self.touchpoints}
        return {
            kind: frozenset(each.venue for each in self.touchpoints if each.kind is kind) for kind in kinds
        }

    @cached_property
    def outlet_venues(self) -> frozenset[str]:
        """The ids of the venues that have an outlet."""
        return frozenset(each.venue for each in self.outlets)

    @cached_property
    def _venues(self) -> dict[str, Venue]:
        return {each.id: each for each in self.venues}

    @cached_property
    def _rooms(self) -> dict[str, Room]:
        return {each.id: each for each in self.rooms}

    @cached_property
    def _lots(self) -> dict[str, Lot]:
        return {each.id: each for each in self.lots}

    @cached_property
    def _parks(self) -> dict[str, Park]:
        return {each.id: each for each in self.parks}

    @cached_property
    def _attractions(self) -> dict[str, Attraction]:
        return {each.id: each for each in self.attractions}

    @cached_property
    def _taxes(self) -> dict[str, Tax]:
        return {each.id: each for each in self.taxes}

    @cached_property
    def _outlets(self) -> dict[str, Outlet]:
        return {each.id: each for each in self.outlets}

    @cached_property
    def _products(self) -> dict[str, Product]:
        return {each.id: each for each in self.products}

    @cached_property
    def _touchpoints(self) -> dict[str, Touchpoint]:
        return {each.id: each for each in self.touchpoints}


def _found(index: dict[str, _Thing], thing_id: str, noun: str) -> _Thing:
    try:
        return index[thing_id]
    except KeyError:
        raise KeyError(f"there is no {noun} {thing_id!r} in this resort") from None
