"""Between the rows of photos and the words of photopass. Pure."""

from collections.abc import Iterable

from gateway.db import rows as r
from photopass.groups import LinkCause, PhotoLink, PhotoTap

APPROVED = "approved"
"""The decision of a tap that counts."""


def link_of(row: r.PhotoLinkRow) -> PhotoLink:
    """Return the link of a row."""
    how = LinkCause(row.how)
    return PhotoLink(
        row.photo_id, row.token_id, row.party_id, how, row.linked_at, row.unlinked_at, row.unlinked_by
    )


def link_row(link: PhotoLink) -> r.PhotoLinkRow:
    """Return the row of a link."""
    return r.PhotoLinkRow(
        link.photo_id,
        link.token_id,
        link.party_id,
        link.linked_at,
        link.cause.value,
        link.unlinked_at,
        link.unlinked_by,
    )


def photo_taps(found: Iterable[r.TapRow]) -> list[PhotoTap]:
    """Return the approved taps of known guests among these, as photopass knows them."""
    return [
        PhotoTap(row.id, row.token_id, row.party_id, row.at)
        for row in found
        if row.decision == APPROVED and row.token_id is not None and row.party_id is not None
    ]
