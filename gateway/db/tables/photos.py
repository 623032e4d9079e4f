"""Tables of photos, their links and claim cards."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from gateway.db.tables.base import identifier, instant, metadata, words
from gateway.db.types import Packed

photo = Table(
    "photo",
    metadata,
    identifier("id", primary_key=True),
    identifier("photo_point"),
    instant("taken_at"),
    instant("uploaded_at"),
    identifier("photographer"),
    identifier("digest"),
    words("media_type"),
    Column("size_bytes", BigInteger(), nullable=False),
    Column("width_px", Integer(), nullable=False),
    Column("height_px", Integer(), nullable=False),
    words("original_blob", index=True),
    words("preview_blob"),
    Column("by_hand", Boolean(), nullable=False),
    instant("removed_at", nullable=True),
    Index("ix_photo_photo_point_taken_at", "photo_point", "taken_at"),
)

photo_link = Table(
    "photo_link",
    metadata,
    identifier("photo_id", ForeignKey("photo.id"), primary_key=True),
    identifier("token_id", ForeignKey("token.id"), primary_key=True),
    identifier("party_id", ForeignKey("party.id"), index=True),
    instant("linked_at"),
    identifier("how"),
    instant("unlinked_at", nullable=True),
    words("unlinked_by"),
)

photo_claim = Table(
    "photo_claim",
    metadata,
    identifier("code_hash", primary_key=True),
    Column("photo_ids", Packed(tuple[str, ...]), nullable=False),
    instant("made_at"),
    instant("expires_at"),
    instant("claimed_at", nullable=True),
    Column("claimed_by", String(64)),
)
