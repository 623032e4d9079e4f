"""A medium: what carries a guest's token (band, card or phone), revocable on its own."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from wallet.instant import Instant


class MediumKind(StrEnum):
    """What the guest holds in the hand."""

    BAND = "band"
    CARD = "card"
    PHONE = "phone"


class MediumState(StrEnum):
    """Where a medium is in its life; only an active one is let through."""

    PENDING = "pending"
    ACTIVE = "active"
    REVOKED = "revoked"


class Medium(Struct, frozen=True, omit_defaults=True):
    """One medium of a token. `chip_uid` is lower-case hex and empty for a phone that shows a QR code."""

    medium_id: str
    kind: MediumKind
    state: MediumState
    chip_uid: str = ""
    revoked_at: Instant | None = None

    def is_revoked(self, at: datetime) -> bool:
        """Return whether the medium had been revoked at the instant `at`."""
        return self.revoked_at is not None and self.revoked_at <= at
