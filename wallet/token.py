"""The token document: everything an edge may know of one guest, whole and versioned, without a person's data."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from wallet.entitlement import Admission, Bypass, Entitlement, Parking, Photos, RoomKey, Spending
from wallet.ids import short_tag
from wallet.instant import Instant
from wallet.medium import Medium
from wallet.resort import Resort, TouchpointKind


class Step(StrEnum):
    """What an approved tap did with a right."""

    OPEN = "open"
    PARK_IN = "park_in"
    PARK_OUT = "park_out"
    ENTER = "enter"
    EXIT = "exit"
    ENTRANCE = "entrance"
    MERGE = "merge"
    CHARGE = "charge"
    PHOTO = "photo"


class Use(Struct, frozen=True, omit_defaults=True):
    """One use of a right by one approved tap. `place` is the room, lot, park, attraction, outlet or photo point."""

    tap_id: str
    entitlement_id: str
    step: Step
    at: Instant
    day: date
    place: str
    amount_minor: int = 0


class TokenDocument(Struct, frozen=True, omit_defaults=True):
    """What one token carries at `version`, which grows by one with each change.

    A `closed` token is over for good: only the ways out of a lot or a park still open for it.
    `uses` are those that can still matter for a verdict. `pin_verifier` is present at edges with tills only.
    """

    token_id: str
    version: int
    party_id: str
    media: tuple[Medium, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    uses: tuple[Use, ...] = ()
    pin_verifier: str = ""
    pin_tries: int = 0
    closed: bool = False

    def medium(self, tag: bytes) -> Medium | None:
        """Return the medium whose id ends with the eight bytes `tag`, or None."""
        for medium in self.media:
            if short_tag(medium.medium_id) == tag:
                return medium
        return None

    def medium_on(self, chip_uid: str) -> Medium | None:
        """Return the medium that this chip is now, a revoked one where it is none any more, or None."""
        on_chip = [medium for medium in self.media if medium.chip_uid == chip_uid]
        return min(on_chip, key=lambda medium: medium.revoked_at is not None, default=None)


class _Placed(Protocol):
    @property
    def venue(self) -> str: ...


def scopes_of(document: TokenDocument, resort: Resort) -> frozenset[str]:
    """Return the ids of the venues whose edges need this document.

    A right to what the resort does not have (any more) adds none, so that taking a room out of the resort never
    keeps a guest's other changes from being written.
    """
    scopes: set[str] = set()
    for right in document.entitlements:
        match right:
            case RoomKey(rooms=rooms):
                scopes.update(_venues(rooms, resort.room))
            case Parking(lots=lots):
                scopes.update(_venues(lots, resort.lot))
            case Admission(parks=parks):
                scopes.update(_venues(parks, resort.park))
            case Bypass(attraction=attraction):
                scopes.update(_venues((attraction,), lambda each: resort.park(resort.attraction(each).park)))
            case Spending():
                scopes |= resort.outlet_venues
            case Photos():
                scopes |= resort.venues_with(TouchpointKind.PHOTO_POINT)
    return frozenset(scopes)


def _venues(ids: Iterable[str], find: Callable[[str], _Placed]) -> Iterator[str]:
    for each in ids:
        try:
            place = find(each)
        except KeyError:
            continue
        yield place.venue
