"""A party as the API tells of it, typed, and its picks as pages show them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from wallet.entitlement import Bypass, Entitlement, RoomKey, Spending
from wallet.resort import Resort
from wallet.rules.bypass import accepted_from, accepted_until, merges_until, spending_step
from wallet.token import Step


class MediumSeen(Struct, frozen=True):
    """A band, card or phone."""

    medium_id: str
    kind: str
    state: str
    device_key: bool = False


class _UsesOf(Struct, frozen=True):
    entitlement_id: str
    uses: tuple["UseSeen", ...] = ()


class UseSeen(Struct, frozen=True):
    """One use of a right."""

    step: Step
    at: datetime


class GuestSeen(Struct, frozen=True):
    """One guest with everything that hangs on the token."""

    guest_id: str
    token_id: str
    given_name: str = ""
    family_name: str = ""
    child: bool = False
    lead: bool = False
    pin_set: bool = False
    media: tuple[MediumSeen, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    uses: dict[str, tuple[UseSeen, ...]] = {}
    """By entitlement; the API has them inside of each."""

    @property
    def nickname(self) -> str:
        """What pages call the guest."""
        return self.given_name or "Guest"

    @property
    def full_name(self) -> str:
        """The whole name; a guest who was forgotten has none."""
        return f"{self.given_name} {self.family_name}".strip() or "Forgotten guest"

    def right(self, kind: type[Any]) -> Any:
        """Return the guest's entitlement of a kind, None without one."""
        return next((right for right in self.entitlements if isinstance(right, kind)), None)


class PartySeen(Struct, frozen=True):
    """Guests who travel together."""

    party_id: str
    booking_reference: str
    state: str
    product: str
    arrival_day: date
    departure_day: date
    guests: tuple[GuestSeen, ...]
    rooms: tuple[str, ...] = ()

    def guest(self, guest_id: str) -> GuestSeen:
        """Return the guest with this id, else the lead."""
        return next((each for each in self.guests if each.guest_id == guest_id), self.lead)

    @property
    def lead(self) -> GuestSeen:
        """Who booked."""
        return next((each for each in self.guests if each.lead), self.guests[0])

    @property
    def key_until(self) -> datetime | None:
        """When the keys end."""
        key = next((found for each in self.guests if (found := each.right(RoomKey))), None)
        return key.until_at if key else None

    @property
    def daily_limits(self) -> dict[str, int]:
        """What each guest may spend a day, by token."""
        return {
            each.token_id: right.daily_limit_minor for each in self.guests if (right := each.right(Spending))
        }


def party_of(told: dict[str, Any]) -> PartySeen:
    """Return the party from the API's answer."""
    guests = [each | {"uses": _uses(each["entitlements"])} for each in told["guests"]]
    return msgspec.convert(told | {"guests": guests}, PartySeen)


def _uses(entitlements: list[dict[str, Any]]) -> dict[str, Any]:
    rights = msgspec.convert(entitlements, list[_UsesOf])
    return {right.entitlement_id: msgspec.to_builtins(right.uses) for right in rights if right.uses}


@dataclass(frozen=True)
class Pick:
    """One return window and which of the party hold it."""

    attraction: str
    park: str
    starts_at: datetime
    ends_at: datetime
    state: str
    accepted_from: datetime
    accepted_until: datetime
    holders: list[tuple[str, str]] = field(default_factory=list)
    """(entitlement id, nickname) of each."""

    def shown(self) -> dict[str, Any]:
        """Return the pick as templates take it."""
        return {
            "id": self.holders[0][0],
            "attraction": self.attraction,
            "park": self.park,
            "from": self.starts_at,
            "until": self.ends_at,
            "until_accepted": self.accepted_until,
            "state": self.state,
            "who": [name for _, name in self.holders],
            "holders": [{"id": entitlement_id, "nickname": name} for entitlement_id, name in self.holders],
            "can_cancel": self.state in ("booked", "soon", "open"),
            "words": "Entered in time: merge whenever you get there." if self.state == "entered" else "",
        }


SOON = timedelta(hours=1)


def picks_of(party: PartySeen, resort: Resort, now: datetime) -> list[Pick]:
    """Return the party's picks, one for all who share window and state: first what is to come, in order of time."""
    found: dict[tuple[str, datetime, str], Pick] = {}
    for guest in party.guests:
        for right in guest.entitlements:
            if isinstance(right, Bypass):
                state = _state(right, guest.uses.get(right.entitlement_id, ()), resort, now)
                pick = found.setdefault(
                    (right.attraction, right.starts_at, state), _pick(right, state, resort)
                )
                pick.holders.append((right.entitlement_id, guest.nickname))
    # What is still to come stands first: it is what the guest has come to look at.
    over = {"redeemed", "lapsed"}
    return sorted(
        found.values(), key=lambda pick: (pick.state in over, pick.starts_at, pick.attraction, pick.state)
    )


def _pick(right: Bypass, state: str, resort: Resort) -> Pick:
    attraction = resort.attraction(right.attraction)
    return Pick(
        attraction=attraction.name,
        park=resort.park(attraction.park).name,
        starts_at=right.starts_at,
        ends_at=right.ends_at,
        state=state,
        accepted_from=accepted_from(right, resort.policies),
        accepted_until=accepted_until(right, resort.policies),
    )


def _state(right: Bypass, uses: Iterable[UseSeen], resort: Resort, now: datetime) -> str:
    """Return the word of the macro `pick_badge`. It tells what happened; what a tap would do, the rulebook decides."""
    used_at = {use.step: use.at for use in uses}
    if spending_step(resort.attraction(right.attraction)) in used_at:
        return "redeemed"
    if Step.ENTRANCE in used_at:
        return "lapsed" if now >= merges_until(used_at[Step.ENTRANCE], resort) else "entered"
    opens_at = accepted_from(right, resort.policies)
    if now > accepted_until(right, resort.policies):
        return "lapsed"
    if now >= opens_at:
        return "open"
    return "soon" if opens_at - now <= SOON else "booked"
