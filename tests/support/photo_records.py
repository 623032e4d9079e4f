"""Photo records in memory: photopass's port for tests that need no database."""

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from photopass.claims import Plan
from photopass.groups import PhotoLink, PhotoTap
from photopass.ports import LinkedPhoto, Photo
from photopass.service import TakenIn, photo_id_of


class MemoryRecords:
    """What is on record, kept in lists that a test fills."""

    def __init__(self) -> None:
        self.photos: dict[str, Photo] = {}
        self.links: list[PhotoLink] = []
        self.owned: list[Plan] = []
        self.tapped: list[PhotoTap] = []

    def add(self, taken_in: TakenIn, photo_point: str, taken_at: datetime, *links: PhotoLink) -> str:
        """Put a photo on record, as the command would."""
        photo_id = photo_id_of(photo_point, taken_in.digest)
        self.photos[photo_id] = Photo(
            photo_id,
            photo_point,
            taken_at,
            taken_in.media_type,
            taken_in.width_px,
            taken_in.height_px,
            taken_in.original,
            taken_in.preview,
        )
        self.links += [replace(each, photo_id=photo_id) for each in links]
        return photo_id

    def photo(self, photo_id: str) -> LinkedPhoto | None:
        """Return the photo, or None."""
        found = self.photos.get(photo_id)
        return found and LinkedPhoto(found, tuple(each for each in self._live() if each.photo_id == photo_id))

    def of_party(self, party_id: str) -> list[LinkedPhoto]:
        """Return the party's photos, newest first."""
        own = [each for each in self._live() if each.party_id == party_id]
        found = {each.photo_id: self.photos[each.photo_id] for each in own}
        return [
            LinkedPhoto(photo, tuple(each for each in own if each.photo_id == photo.photo_id))
            for photo in sorted(found.values(), key=lambda photo: photo.taken_at, reverse=True)
        ]

    def plans(self, party_ids: Collection[str]) -> list[Plan]:
        """Return the parties' plans."""
        return [plan for plan in self.owned if plan.party_id in party_ids]

    def taps(self, touchpoints: Collection[str], since: datetime) -> list[PhotoTap]:
        """Return the taps since then."""
        return [tap for tap in self.tapped if tap.at >= since]

    def taken(self, photo_point: str, since: datetime) -> list[LinkedPhoto]:
        """Return the photos of the point since then."""
        here = [each for each in self.photos.values() if each.photo_point == photo_point]
        return [LinkedPhoto(each, ()) for each in here if each.taken_at >= since]

    def recorded(self, originals: Collection[str]) -> set[str]:
        """Return those that a photo refers to."""
        return {photo.original for photo in self.photos.values()} & set(originals)

    def _live(self) -> list[PhotoLink]:
        return [each for each in self.links if each.live]
