"""The album: takes photos in, and shows, hands over and packs what is on record.

The bytes come first: `take_in` keeps them durably, and only then does a command put the photo on record. A
crash in between leaves bytes that no record names: a retry of the upload puts them again, and `sweep` removes
what no retry came for.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import groupby, islice
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from photopass.archives import Entry, stream_zip
from photopass.claims import View, refuse_download, view
from photopass.names import Rendition, original_name, original_of, rendition_name
from photopass.ports import Blobs, LinkedPhoto, Photo, PhotoRecords
from photopass.previews import accept, render
from photopass.refusals import PhotoReason, PhotoRefusal
from wallet.ids import uuid7
from wallet.resort import Resort

SWEEP_AGE_S = 24 * 3600
"""Far longer than any command takes from the bytes to the record."""
SWEEP_AT_ONCE = 500
"""Originals that one question to the records asks after."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png"}


class TakenIn(Struct, frozen=True):
    """An upload whose bytes are kept; `digest` is the SHA-256 of the file as it came."""

    digest: str
    media_type: str
    size_bytes: int
    width_px: int
    height_px: int
    original: str
    preview: str


class Seen(Struct, frozen=True):
    """A photo in an album and how its owner may see it."""

    photo: LinkedPhoto
    view: View


class Original(Struct, frozen=True):
    """A photo to download."""

    file: BinaryIO
    media_type: str
    file_name: str


def photo_id_of(photo_point: str, digest: str) -> str:
    """Return the id of a file uploaded at a photo point: however often it comes, it is one photo there."""
    return uuid7(_BEGINNING, sha256(f"{photo_point}\0{digest}".encode()).digest()[:10])


class Album:
    """Photos for guests and staff.

    A viewer is a party's id, or None for staff, who see a photo as the parties in it do together.
    """

    def __init__(self, blobs: Blobs, records: PhotoRecords) -> None:
        self._blobs = blobs
        self._records = records

    def take_in(self, upload: bytes) -> TakenIn:
        """Keep an upload and its renditions durably; the same bytes give the same answer.

        Raises:
            Unacceptable: the file cannot be taken in; nothing is kept.
        """
        accepted = accept(upload)
        renditions = render(accepted.data)
        original = original_name(accepted.data)
        self._blobs.put(original, accepted.data)
        for rendition, data in renditions.items():
            self._blobs.put(rendition_name(original, rendition), data)
        return TakenIn(
            digest=sha256(upload).hexdigest(),
            media_type=accepted.media_type,
            size_bytes=len(accepted.data),
            width_px=accepted.width_px,
            height_px=accepted.height_px,
            original=original,
            preview=rendition_name(original, Rendition.PREVIEW),
        )

    def preview(self, photo_id: str, viewer: str | None, resort: Resort) -> BinaryIO | PhotoRefusal:
        """Return the preview as JPEG, watermarked until the plan is owned."""
        return self._shown(photo_id, viewer, resort, Rendition.PREVIEW, Rendition.PREVIEW_MARKED)

    def thumbnail(self, photo_id: str, viewer: str | None, resort: Resort) -> BinaryIO | PhotoRefusal:
        """Return the thumbnail as JPEG, watermarked until the plan is owned."""
        return self._shown(photo_id, viewer, resort, Rendition.THUMBNAIL, Rendition.THUMBNAIL_MARKED)

    def original(
        self, photo_id: str, viewer: str | None, at: datetime, resort: Resort
    ) -> Original | PhotoRefusal:
        """Return the photo in full size, when the plan is owned and its days of download are not over."""
        found = self._find(photo_id, viewer)
        if isinstance(found, PhotoRefusal):
            return found
        refusal = refuse_download(self._view(found, resort), at, resort)
        if refusal is not None:
            return refusal
        photo = found.photo
        return Original(self._blobs.open(photo.original), photo.media_type, file_name(photo, resort))

    def of_party(self, party_id: str, resort: Resort) -> list[Seen]:
        """Return the party's album, newest first."""
        plans = self._records.plans([party_id])
        found = self._records.of_party(party_id)
        return [Seen(each, view(each.photo.shot, each.links, plans, resort)) for each in found]

    def archive(self, party_id: str, at: datetime, resort: Resort) -> Iterator[bytes] | PhotoRefusal:
        """Return the bytes of a ZIP file of all that the party may download now."""
        refusals: list[PhotoRefusal] = []
        entries: list[Entry] = []
        for seen in self.of_party(party_id, resort):
            photo = seen.photo.photo
            refusal = refuse_download(seen.view, at, resort)
            if refusal is not None:
                refusals.append(refusal)
                continue
            fetch: Callable[[], BinaryIO] = partial(self._blobs.open, photo.original)
            entries.append(Entry(file_name(photo, resort), resort.local(photo.taken_at), fetch))
        if not entries:
            # The newest photo's reason is the one that the guest can do something about.
            return refusals[0] if refusals else PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)
        return stream_zip(entries)

    def sweep(self, age_s: float = SWEEP_AGE_S) -> list[str]:
        """Remove the bytes that no record names and that nobody put within `age_s`; return their names."""
        removed: list[str] = []
        old = groupby(self._blobs.names_put_before(age_s), key=original_of)
        kept = ((original, list(names)) for original, names in old)
        while some := dict(islice(kept, SWEEP_AT_ONCE)):
            recorded = self._records.recorded(some)
            orphans = [name for original, names in some.items() if original not in recorded for name in names]
            removed += [name for name in orphans if self._blobs.delete(name, unless_put_within_s=age_s)]
        return removed

    def _find(self, photo_id: str, viewer: str | None) -> LinkedPhoto | PhotoRefusal:
        found = self._records.photo(photo_id)
        if found is None:
            return PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)
        live = tuple(each for each in found.links if each.live and viewer in (None, each.party_id))
        if viewer is not None and not live:
            # Someone else's photo and no photo look the same, so that ids tell nothing.
            return PhotoRefusal(PhotoReason.PHOTO_UNKNOWN)
        return replace(found, links=live)

    def _view(self, found: LinkedPhoto, resort: Resort) -> View:
        plans = self._records.plans({each.party_id for each in found.links})
        return view(found.photo.shot, found.links, plans, resort)

    def _shown(
        self, photo_id: str, viewer: str | None, resort: Resort, plain: Rendition, marked: Rendition
    ) -> BinaryIO | PhotoRefusal:
        found = self._find(photo_id, viewer)
        if isinstance(found, PhotoRefusal):
            return found
        wanted = marked if self._view(found, resort).marked else plain
        return self._rendition(found.photo.original, wanted)

    def _rendition(self, original: str, wanted: Rendition) -> BinaryIO:
        """Return the rendition; one that is missing (of an older making, say) is made anew."""
        try:
            return self._blobs.open(rendition_name(original, wanted))
        except FileNotFoundError:
            with self._blobs.open(original) as file:
                data = file.read()
            for rendition, made in render(data).items():
                self._blobs.put(rendition_name(original, rendition), made)
            return self._blobs.open(rendition_name(original, wanted))


def file_name(photo: Photo, resort: Resort) -> str:
    """Return the name a photo is saved under: when (resort time), where, and the end of its id."""
    taken = resort.local(photo.taken_at).strftime("%Y-%m-%d_%H-%M-%S")
    place = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in photo.photo_point)
    return f"{taken}_{place}_{photo.photo_id[-12:]}.{_SUFFIX[photo.media_type]}"
