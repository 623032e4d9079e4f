"""The links of photos at one photo point, as the working set knows them. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from gateway.command import Event, Key, KeyKind, span_key
from gateway.db import rows as r
from gateway.db.photo_rows import link_of, link_row, photo_taps
from gateway.errors import not_found
from gateway.working_set import WorkingSet
from photopass.groups import PhotoLink, Shot, gather
from wallet.resort import Resort, TouchpointKind


def touchpoints_of(resort: Resort, photo_point: str) -> list[str]:
    """Return the touchpoints at which guests tap for the photos of a photo point.

    Raises:
        Rejection: the resort has no such photo point.
    """
    found = [
        each.id
        for each in resort.touchpoints
        if each.kind is TouchpointKind.PHOTO_POINT and each.place == photo_point
    ]
    if not found:
        raise not_found("photo point", photo_point)
    return found


def point_named(resort: Resort, name: str) -> str:
    """Return the photo point that is called so, or that a touchpoint called so belongs to.

    Raises:
        Rejection: the resort has no such photo point.
    """
    for each in resort.touchpoints:
        if each.kind is TouchpointKind.PHOTO_POINT and name in (each.place, each.id):
            return each.place
    raise not_found("photo point", name)


def keys_around(
    state: WorkingSet, photo_point: str, span: tuple[datetime, datetime] | None
) -> frozenset[Key]:
    """Return what to hold to link the photos of a span of time: its taps, its photos and their links."""
    keys = {span_key(photo_point, each, span) for each in touchpoints_of(state.resort, photo_point)}
    keys.update(Key(KeyKind.PHOTO, photo.id) for photo in photos_at(state, photo_point))
    return frozenset(keys)


def photos_at(state: WorkingSet, photo_point: str) -> list[r.PhotoRow]:
    """Return the photos of the point that are loaded."""
    return state.find(r.PhotoRow, photo_point=photo_point, removed_at=None)


def links_in(state: WorkingSet, photo_id: str) -> list[PhotoLink]:
    """Return a photo's links, ended ones included."""
    return [link_of(row) for row in state.find(r.PhotoLinkRow, photo_id=photo_id)]


def gathered(
    state: WorkingSet,
    photo_point: str,
    span: tuple[datetime, datetime],
    at: datetime,
    window_s: int,
    new: Shot | None = None,
) -> list[PhotoLink]:
    """Return the links that change by what is known now: of photos taken in the span or up to a window after.

    Args:
        state: with the taps and photos from a window before the span to a window after it.
        photo_point: where.
        span: when the taps or photos happened that were not known before.
        at: now.
        window_s: how long before a shot a tap still counts.
        new: a photo that is not in the working set yet.
    """
    shots = {row.id: Shot(row.id, row.taken_at, row.by_hand) for row in photos_at(state, photo_point)}
    if new is not None:
        shots[new.photo_id] = new
    touchpoints = touchpoints_of(state.resort, photo_point)
    taps = photo_taps(row for each in touchpoints for row in state.find(r.TapRow, touchpoint=each))
    until = span[1] + timedelta(seconds=window_s)
    return [
        changed
        for shot in shots.values()
        if span[0] <= shot.taken_at <= until
        for changed in gather(shot, links_in(state, shot.photo_id), taps, shots.values(), at, window_s)
    ]


def link_rows(changed: Iterable[PhotoLink]) -> tuple[r.Row, ...]:
    """Return the rows of links."""
    return tuple(link_row(each) for each in changed)


def link_events(changed: Iterable[PhotoLink], photo_point: str) -> tuple[Event, ...]:
    """Return an event for each link made or ended."""
    events = []
    for each in changed:
        body: dict[str, Any] = {"photo_id": each.photo_id, "photo_point": photo_point}
        kind = "photo.linked" if each.live else "photo.unlinked"
        if each.live:
            body["how"] = each.cause.value
        events.append(Event(kind, body, each.party_id, each.token_id))
    return tuple(events)
