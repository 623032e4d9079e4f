"""What is on record about photos: photopass's port, and the loading of what happened around a shot."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import chunks, rows_where
from gateway.db.photo_rows import APPROVED, link_of, photo_taps
from gateway.db.tables import party, photos, taps
from photopass.claims import Plan
from photopass.groups import PhotoTap
from photopass.ports import LinkedPhoto, Photo
from wallet.entitlement import Photos


class StoredPhotos:
    """Photo records in the gateway's database (photopass.ports.PhotoRecords)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def photo(self, photo_id: str) -> LinkedPhoto | None:
        """Return the photo with its live links, or None."""
        with self._database.read() as connection:
            found = _linked(connection, _photos(connection, photos.photo.c.id == photo_id))
        return found[0] if found else None

    def of_party(self, party_id: str) -> list[LinkedPhoto]:
        """Return the photos in a party's album, newest first, with the party's links alone."""
        link = photos.photo_link.c
        own = select(link.photo_id).where(link.party_id == party_id, link.unlinked_at.is_(None))
        with self._database.read() as connection:
            return _linked(connection, _photos(connection, photos.photo.c.id.in_(own)), party_id)

    def plans(self, party_ids: Collection[str]) -> list[Plan]:
        """Return the photo plans of these parties: one per right with a plan that a guest of theirs has."""
        right, token = party.entitlement.c, party.token.c
        owned: list[Plan] = []
        with self._database.read() as connection:
            for chunk in chunks(party_ids):
                statement = (
                    select(token.party_id, right.body)
                    .join_from(party.entitlement, party.token, right.token_id == token.id)
                    .where(token.party_id.in_(chunk), right.kind == "photos", right.revoked_at.is_(None))
                )
                for party_id, body in connection.execute(statement):
                    if isinstance(body, Photos) and body.plan:
                        owned.append(Plan(party_id, body.from_at, body.until_at))
        return owned

    def taps(self, touchpoints: Collection[str], since: datetime) -> list[PhotoTap]:
        """Return the approved taps at touchpoints since an instant, oldest first."""
        tap = taps.tap.c
        with self._database.read() as connection:
            found = rows_where(
                connection,
                r.TapRow,
                tap.touchpoint.in_(sorted(touchpoints)),
                tap.at >= since,
                tap.decision == APPROVED,
            )
        return sorted(photo_taps(found), key=lambda each: (each.at, each.tap_id))

    def taken(self, photo_point: str, since: datetime) -> list[LinkedPhoto]:
        """Return the photos taken at a photo point since an instant, newest first."""
        photo = photos.photo.c
        with self._database.read() as connection:
            found = _photos(connection, photo.photo_point == photo_point, photo.taken_at >= since)
            return _linked(connection, found)

    def token_of(self, guest_id: str) -> str | None:
        """Return the token of a guest, or None."""
        guest = party.guest.c
        with self._database.read() as connection:
            statement = select(guest.token_id).where(guest.id == guest_id)
            found: str | None = connection.execute(statement).scalar_one_or_none()
        return found

    def recorded(self, originals: Collection[str]) -> set[str]:
        """Return those of these originals' names that a photo refers to."""
        column = photos.photo.c.original_blob
        found: set[str] = set()
        with self._database.read() as connection:
            for chunk in chunks(originals):
                found.update(connection.execute(select(column).where(column.in_(chunk))).scalars())
        return found


def _photos(connection: Connection, *where: Any) -> list[r.PhotoRow]:
    found = rows_where(connection, r.PhotoRow, *where, photos.photo.c.removed_at.is_(None))
    return sorted(found, key=lambda row: (row.taken_at, row.id), reverse=True)


def _linked(
    connection: Connection, found: Iterable[r.PhotoRow], party_id: str | None = None
) -> list[LinkedPhoto]:
    """Return the photos, in their order, with their live links (of one party, when one is given)."""
    ordered = list(found)
    column = photos.photo_link.c
    live: list[r.PhotoLinkRow] = []
    for chunk in chunks([row.id for row in ordered]):
        where: list[Any] = [column.photo_id.in_(chunk), column.unlinked_at.is_(None)]
        if party_id is not None:
            where.append(column.party_id == party_id)
        live += rows_where(connection, r.PhotoLinkRow, *where)
    live.sort(key=lambda row: (row.photo_id, row.linked_at, row.token_id))
    links = {key: tuple(map(link_of, each)) for key, each in groupby(live, key=lambda row: row.photo_id)}
    return [LinkedPhoto(_photo(row), links.get(row.id, ())) for row in ordered]


def _photo(row: r.PhotoRow) -> Photo:
    return Photo(
        row.id,
        row.photo_point,
        row.taken_at,
        row.media_type,
        row.width_px,
        row.height_px,
        row.original_blob,
        row.preview_blob,
    )
