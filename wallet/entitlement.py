"""Entitlements: the six kinds of right that hang on a token. Instants are UTC, days are resort days."""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from wallet.instant import Instant


class RoomKey(Struct, frozen=True, tag="room", tag_field="kind", omit_defaults=True):
    """Opens the listed rooms from check-in to check-out."""

    entitlement_id: str
    rooms: tuple[str, ...]
    from_at: Instant
    until_at: Instant


class Parking(Struct, frozen=True, tag="parking", tag_field="kind", omit_defaults=True):
    """Lets `vehicles` vehicles stand in the listed lots at the same time."""

    entitlement_id: str
    lots: tuple[str, ...]
    from_at: Instant
    until_at: Instant
    vehicles: int = 1


class Admission(Struct, frozen=True, tag="admission", tag_field="kind", omit_defaults=True):
    """Admits to the listed parks on `days` different resort days from `from_day` to `until_day`, both included."""

    entitlement_id: str
    parks: tuple[str, ...]
    from_day: date
    until_day: date
    days: int = 1
    hopper: bool = False


class PickKind(StrEnum):
    """Why a guest holds a return window; only a pick counts towards the guest's quota."""

    PICK = "pick"
    REPLACEMENT = "replacement"
    ACCESSIBILITY = "accessibility"


class Bypass(Struct, frozen=True, tag="bypass", tag_field="kind", omit_defaults=True):
    """One reservation: ride `attraction` by the bypass entrance within the return window."""

    entitlement_id: str
    attraction: str
    starts_at: Instant
    ends_at: Instant
    pick: PickKind = PickKind.PICK


class Spending(Struct, frozen=True, tag="spending", tag_field="kind", omit_defaults=True):
    """Charges to `account_id` up to `daily_limit_minor` a resort day; above `pin_above_minor` the PIN is asked."""

    entitlement_id: str
    account_id: str
    currency: str
    daily_limit_minor: int
    pin_above_minor: int
    from_at: Instant
    until_at: Instant


class Photos(Struct, frozen=True, tag="photos", tag_field="kind", omit_defaults=True):
    """Links photos to the guest from `from_at` to `until_at`; with `plan` the originals may be downloaded."""

    entitlement_id: str
    from_at: Instant
    until_at: Instant
    plan: bool = False


Entitlement = RoomKey | Parking | Admission | Bypass | Spending | Photos

KINDS_WITH_MEMORY = frozenset({"bypass", "admission", "parking"})
"""Rights whose use on an earlier day can still decide a tap: days used up, a vehicle inside, a ride redeemed.

Their uses stay for as long as the right itself: edges keep the last document for days, and would otherwise still know
what the gateway has forgotten (a vehicle leaves after check-out, a ride was redeemed two days ago).
"""
