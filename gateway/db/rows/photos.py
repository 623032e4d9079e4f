"""Rows of photos, whom they are linked to, and the claim cards of guests without a band."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """A photo; its bytes lie in the blob store under `original_blob` and `preview_blob`.

    `by_hand` says that the photographer chose the guests, so that taps do not count.
    """

    id: str
    photo_point: str
    taken_at: datetime
    uploaded_at: datetime
    photographer: str
    digest: str
    media_type: str
    size_bytes: int
    width_px: int
    height_px: int
    original_blob: str
    preview_blob: str
    by_hand: bool = False
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PhotoLinkRow:
    """A photo linked to a token; `how` is "tap", "hand" or "claim". An ended link stays, with who ended it."""

    photo_id: str
    token_id: str
    party_id: str
    linked_at: datetime
    how: str
    unlinked_at: datetime | None = None
    unlinked_by: str = ""


@dataclass(frozen=True, slots=True)
class PhotoClaimRow:
    """A claim card: whoever shows its code may link these photos once. The code is kept as a hash."""

    code_hash: str
    photo_ids: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    claimed_at: datetime | None = None
    claimed_by: str | None = None
