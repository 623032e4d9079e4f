"""Which guests a photo is linked to: those who tapped at its photo point before the shot. Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

GROUP_WINDOW_S = 120
"""How long before a shot a tap still counts for it, unless the resort sets another figure."""

BY_SYSTEM = "system:photos"
"""The actor of a link that ended because a late tap or photo showed another group before the camera."""


class PhotoTap(Struct, frozen=True):
    """An approved tap at a photo point."""

    tap_id: str
    token_id: str
    party_id: str
    at: datetime


class Shot(Struct, frozen=True):
    """A photo taken at a photo point; `by_hand`: the photographer chose the guests, so taps do not count."""

    photo_id: str
    taken_at: datetime
    by_hand: bool = False


class LinkCause(StrEnum):
    """Why a photo hangs on a guest."""

    TAP = "tap"
    HAND = "hand"
    CLAIM = "claim"


class PhotoLink(Struct, frozen=True, omit_defaults=True):
    """A photo in the album of a guest and the guest's party. An ended one stays on record."""

    photo_id: str
    token_id: str
    party_id: str
    cause: LinkCause
    linked_at: datetime
    unlinked_at: datetime | None = None
    unlinked_by: str = ""

    @property
    def live(self) -> bool:
        """Whether the photo is in the album now."""
        return self.unlinked_at is None


class Guest(Struct, frozen=True):
    """A guest as photopass knows one: a token and its party."""

    token_id: str
    party_id: str


def group_before(
    taken_at: datetime, taps: Iterable[PhotoTap], shots: Iterable[Shot], window_s: int = GROUP_WINDOW_S
) -> tuple[PhotoTap, ...]:
    """Return the taps of the group in front of the camera, each token once, in order of time.

    A group is the last run of taps before the shot with no other shot in between; several shots in a row
    belong to the same group. Taps older than `window_s` do not count.
    """
    before = sorted((tap for tap in taps if tap.at <= taken_at), key=lambda tap: (tap.at, tap.tap_id))
    if not before:
        return ()
    earliest = taken_at - timedelta(seconds=window_s)
    ended_at = max((shot.taken_at for shot in shots if shot.taken_at < before[-1].at), default=None)
    group = {
        tap.token_id: tap for tap in before if tap.at >= earliest and (ended_at is None or tap.at > ended_at)
    }
    return tuple(sorted(group.values(), key=lambda tap: (tap.at, tap.tap_id)))


def link(photo_id: str, guests: Iterable[Guest], cause: LinkCause, at: datetime) -> tuple[PhotoLink, ...]:
    """Return one new link per guest."""
    unique = {guest.token_id: guest for guest in guests}
    return tuple(PhotoLink(photo_id, guest.token_id, guest.party_id, cause, at) for guest in unique.values())


def gather(
    shot: Shot,
    links: Collection[PhotoLink],
    taps: Collection[PhotoTap],
    shots: Collection[Shot],
    at: datetime,
    window_s: int = GROUP_WINDOW_S,
) -> tuple[PhotoLink, ...]:
    """Return the links of one photo that change, now that these taps and shots are known.

    Taps come late from an edge that was cut off and photos from a camera that was, so the links by tap follow
    from all taps and shots, in whatever order they arrived. What a person did (chosen by hand, claimed,
    unlinked) is never undone.

    Args:
        shot: the photo.
        links: its links so far, unlinked ones included.
        taps: approved taps at its photo point, at least those of the window before it.
        shots: photos of that point, at least those of the window before it.
        at: now; becomes `linked_at` or `unlinked_at`.
        window_s: how long before the shot a tap still counts.
    """
    if shot.by_hand:
        return ()
    group = {tap.token_id: tap for tap in group_before(shot.taken_at, taps, shots, window_s)}
    changed: list[PhotoLink] = []
    for old in links:
        in_group = group.pop(old.token_id, None) is not None
        if in_group and not old.live and old.unlinked_by == BY_SYSTEM:
            changed.append(replace(old, linked_at=at, unlinked_at=None, unlinked_by=""))
        elif not in_group and old.live and old.cause is LinkCause.TAP:
            changed.append(replace(old, unlinked_at=at, unlinked_by=BY_SYSTEM))
    newcomers = (Guest(tap.token_id, tap.party_id) for tap in group.values())
    return (*changed, *link(shot.photo_id, newcomers, LinkCause.TAP, at))


def unlink(
    links: Iterable[PhotoLink], token_ids: Collection[str], actor: str, at: datetime
) -> tuple[PhotoLink, ...]:
    """Return the links that end when these tokens are taken out of a photo; every other stays as it is."""
    return tuple(
        replace(old, unlinked_at=at, unlinked_by=actor)
        for old in links
        if old.live and old.token_id in token_ids
    )
