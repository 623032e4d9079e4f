"""Photos, links and claim cards."""

import sqlalchemy as sa
from alembic import op

from gateway.db.types import UtcDateTime

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("photo_point", sa.String(length=64), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("uploaded_at", UtcDateTime(), nullable=False),
        sa.Column("photographer", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("original_blob", sa.String(), nullable=False),
        sa.Column("preview_blob", sa.String(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
    )
    op.create_index("ix_photo_photo_point_taken_at", "photo", ["photo_point", "taken_at"], unique=False)
    op.create_table(
        "photo_claim",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("photo_ids", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_photo_claim")),
    )
    op.create_table(
        "photo_link",
        sa.Column("photo_id", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("linked_at", UtcDateTime(), nullable=False),
        sa.Column("how", sa.String(length=64), nullable=False),
        sa.Column("unlinked_at", UtcDateTime(), nullable=True),
        sa.Column("unlinked_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_photo_link_party_id")),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_photo_link_photo_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_photo_link_token_id")),
        sa.PrimaryKeyConstraint("photo_id", "token_id", name=op.f("pk_photo_link")),
    )
    op.create_index(op.f("ix_photo_link_party_id"), "photo_link", ["party_id"], unique=False)


def downgrade() -> None:
    for table in ("photo_link", "photo_claim", "photo"):
        op.drop_table(table)
