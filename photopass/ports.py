"""What photopass needs of the world around it: a place for bytes, and what is on record about photos."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

from msgspec import Struct

from photopass.claims import Plan
from photopass.groups import PhotoLink, PhotoTap, Shot


class Blobs(Protocol):
    """Bytes under names (photopass/names.py); an original's is the SHA-256 of its bytes."""

    def put(self, name: str, data: bytes) -> None:
        """Keep `data`, durably and whole or not at all; once more is no harm.

        Raises:
            ValueError: no blob's name, or an original's name that is not its bytes' digest.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Return the bytes as a file to read and close.

        Raises:
            FileNotFoundError: nothing is kept under the name.
            ValueError: no blob's name.
        """
        ...

    def exists(self, name: str) -> bool:
        """Return whether something is kept under the name."""
        ...

    def delete(self, name: str, unless_put_within_s: float = 0) -> bool:
        """Remove the bytes, unless put (again) within the last seconds; return whether they are gone."""
        ...

    def names_put_before(self, age_s: float) -> Iterator[str]:
        """Return the names of what was last put at least `age_s` seconds ago, by the store's own clock."""
        ...


class Photo(Struct, frozen=True):
    """A photo on record. `original` and `preview` name its blobs."""

    photo_id: str
    photo_point: str
    taken_at: datetime
    media_type: str
    width_px: int
    height_px: int
    original: str
    preview: str

    @property
    def shot(self) -> Shot:
        """The photo as the rules of linking know it."""
        return Shot(self.photo_id, self.taken_at)


class LinkedPhoto(Struct, frozen=True):
    """A photo with its live links."""

    photo: Photo
    links: tuple[PhotoLink, ...]


class PhotoRecords(Protocol):
    """What is on record. Reading only: whatever changes a record is a command."""

    def photo(self, photo_id: str) -> LinkedPhoto | None:
        """Return the photo, or None."""
        ...

    def of_party(self, party_id: str) -> list[LinkedPhoto]:
        """Return the photos in a party's album, newest first, with the party's links alone."""
        ...

    def plans(self, party_ids: Collection[str]) -> list[Plan]:
        """Return the photo plans of these parties."""
        ...

    def taps(self, touchpoints: Collection[str], since: datetime) -> list[PhotoTap]:
        """Return the approved taps at a photo point's touchpoints since an instant, oldest first."""
        ...

    def taken(self, photo_point: str, since: datetime) -> list[LinkedPhoto]:
        """Return the photos taken at a photo point since an instant, newest first."""
        ...

    def recorded(self, originals: Collection[str]) -> set[str]:
        """Return those of these originals' names that a photo on record refers to."""
        ...
