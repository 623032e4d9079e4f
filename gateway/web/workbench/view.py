"""Shapes edges, media and feed entries for the workbench's templates. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.db.bench import Carried
from gateway.web.workbench.field import Chip, EdgeSeen, Reader, Sight
from gateway.web.workbench.may import may
from wallet.resort import Resort, Touchpoint, TouchpointKind

SHOWN_S = 6.0
ASKED_S = 30.0
_CHIPS = {
    "ntag213": "NTAG213",
    "ntag215": "NTAG215",
    "ntag216": "NTAG216",
    "type4": "Type 4 chip",
    "ntag424": "NTAG 424 DNA",
}


def edge_cards(edges: Iterable[EdgeSeen], resort: Resort | None) -> list[dict[str, Any]]:
    """Return the edges with their readers, one tile per touchpoint."""
    return [_card(edge, resort) for edge in edges]


def media(
    carried: Iterable[Carried], chips: Iterable[Chip], chosen: str, resort: Resort | None, now: datetime
) -> list[dict[str, Any]]:
    """Return what can be held to a reader: what opens most first, then the rest, then chips that are not ours.

    Args:
        chosen: the id of what was held last.
    """
    there = {chip.chip: chip for chip in chips}
    rows = []
    for each in sorted(carried, key=_use_of):
        chip = there.pop(each.chip_uid, None) if each.chip_uid else None
        if chip is None and each.kind != "phone":
            continue  # a real chip, not one of the field's: nobody can hold it up here
        rows.append(
            {
                "id": each.medium_id,
                "guest": each.nickname or "Guest",
                "kind": each.kind,
                "chip": _CHIPS.get(chip.kind, chip.kind) if chip else "Code on the phone",
                "revoked": each.state == "revoked",
                "role": _role(each),
                "may": _may(each, resort, now),
            }
        )
    for blank in there.values():
        label, kind = blank.label or "A chip", _CHIPS.get(blank.kind, blank.kind)
        rows.append(
            {
                "id": f"chip:{blank.chip}",
                "guest": label,
                "kind": "card",
                "chip": kind,
                "revoked": False,
                "role": "",
                "may": ["Carries nothing of ours"],
            }
        )
    first = rows[0]["id"] if rows else ""
    held = chosen if any(row["id"] == chosen for row in rows) else first
    return [row | {"chosen": row["id"] == held} for row in rows]


def _use_of(carried: Carried) -> int:
    """Return where in the tray a medium lies: in house, other visitors, departed, turned off."""
    if carried.state == "revoked":
        return 3
    return {"checked_in": 0, "checked_out": 2}.get(carried.party_state, 1)


def _role(carried: Carried) -> str:
    """Return who of which party this is, e.g. "lead of 5MTHTA, checked out"."""
    who = "lead" if carried.lead else "child" if carried.child else "guest"
    party = f"{who} of {carried.booking_reference}" if carried.booking_reference else ""
    return f"{party}, checked out" if carried.party_state == "checked_out" else party


def _may(carried: Carried, resort: Resort | None, now: datetime) -> list[str]:
    if carried.state == "revoked":
        return ["Turned off: opens nothing"]
    if resort is None or carried.document is None:
        return []
    return may(carried.document, resort, now) or ["Opens nothing now"]


def span(length: timedelta) -> str:
    """Return a length of time in the two units that matter, e.g. "23 h 58 min"."""
    seconds = max(0, int(length.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def _card(edge: EdgeSeen, resort: Resort | None) -> dict[str, Any]:
    points = {each.id: each for each in resort.touchpoints} if resort else {}
    venues = {each.id: each.name for each in resort.venues} if resort else {}
    status = edge.status
    readers = [] if status is None else _tiles(edge, status.readers, status.clock, points, resort)
    here = {reader.touchpoint for reader in status.readers} if status else set()
    lease = _lease((point for point in points.values() if point.id in here), resort)
    age = status.clock - status.as_of if status and status.as_of else None
    left = lease - age if lease is not None and age is not None else None
    return {
        "id": edge.id,
        "name": f"{edge.id.capitalize()} edge",
        "venue": venues.get(status.venue, status.venue) if status else "",
        "link": "up" if edge.cable.state == "up" else "cut",
        "alive": status is not None,
        "online": bool(status and status.online),
        "facts_age": span(age) if age is not None else "none yet",
        "lease_left": span(left) if left is not None else "the whole stay",
        "lease_ended": left is not None and left <= timedelta(0),
        "journal_backlog": status.backlog if status else 0,
        "readers": readers,
    }


def _tiles(
    edge: EdgeSeen,
    readers: Iterable[Reader],
    now: datetime,
    points: Mapping[str, Touchpoint],
    resort: Resort | None,
) -> list[dict[str, Any]]:
    by_touchpoint: dict[str, list[Reader]] = {}
    for reader in readers:
        by_touchpoint.setdefault(reader.touchpoint, []).append(reader)
    tiles = []
    for touchpoint, here in by_touchpoint.items():
        point = points.get(touchpoint)
        state, words = _shown(edge.sight_at(touchpoint), now)
        if any(reader.encodings for reader in here):
            words = words or "Waits for a blank band"
        tiles.append(
            {
                "id": touchpoint,
                "touchpoint": point.name if point else touchpoint,
                "kind": point.kind.value if point else "encoder",
                "takes": " and ".join(_takes(here)),
                "state": state,
                "words": words,
                "items": _items(point, resort),
            }
        )
    return tiles


def _shown(sight: Sight | None, now: datetime) -> tuple[str, str]:
    """Return the ring's state and words: a verdict is shown for a moment, a question until it lapses."""
    if sight is None:
        return "rest", ""
    age_s = (now - sight.lamp.shown_at).total_seconds()
    if sight.lamp.decision == "asks":
        return ("asks", "PIN, please") if age_s < ASKED_S else ("rest", "")
    if age_s >= SHOWN_S:
        return "rest", ""
    return ("approved" if sight.lamp.decision == "approved" else "waiting"), sight.sentence


def _takes(readers: Iterable[Reader]) -> list[str]:
    return sorted({"codes" if reader.is_scanner else "bands" for reader in readers})


def _items(point: Touchpoint | None, resort: Resort | None) -> list[dict[str, Any]]:
    if point is None or resort is None or point.kind is not TouchpointKind.TILL:
        return []
    items = resort.outlet(point.place).items
    return [{"id": item.id, "name": item.name, "price_minor": item.price_minor} for item in items]


def _lease(here: Iterable[Touchpoint], resort: Resort | None) -> timedelta | None:
    """Return how long the edge decides alone with the facts it has; None where it does so for the stay."""
    if resort is None:
        return None
    leases = (resort.policies.lease_s(point) for point in here)
    return min((timedelta(seconds=each) for each in leases if each is not None), default=None)
