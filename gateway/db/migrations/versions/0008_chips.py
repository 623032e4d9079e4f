"""Chips and the epochs of their keys; what stands on a medium; which taps showed a phone's code or a SUN message."""

import sqlalchemy as sa
from alembic import op

from gateway.db.types import UtcDateTime

revision = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chip",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("printed_id", sa.String(length=64), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("key_epoch", sa.Integer(), nullable=False),
        sa.Column("sun_counter", sa.BigInteger(), nullable=False),
        sa.Column("sun_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("key_epoch >= 0 AND key_epoch <= 255", name=op.f("ck_chip_key_epoch")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_chip")),
    )
    op.create_index(op.f("ix_chip_batch"), "chip", ["batch"], unique=False)
    given = sa.text("printed_id <> ''")
    op.create_index(
        "uq_chip_printed_id", "chip", ["printed_id"], unique=True, sqlite_where=given, postgresql_where=given
    )
    op.create_table(
        "chip_epoch",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("epoch >= 1 AND epoch <= 255", name=op.f("ck_chip_epoch_epoch")),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_chip_epoch")),
    )
    op.add_column("medium", sa.Column("issuer_epoch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("medium", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("medium", sa.Column("content", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "encoding", sa.Column("cause", sa.String(length=32), nullable=False, server_default="asked")
    )
    op.add_column("encoding", sa.Column("issued", sa.Text(), nullable=True))
    op.create_index(op.f("ix_encoding_chip_uid"), "encoding", ["chip_uid"], unique=False)
    op.add_column("tap", sa.Column("code_id", sa.String(length=16), nullable=True))
    op.add_column("tap", sa.Column("sun_chip", sa.String(length=20), nullable=True))
    op.create_index(op.f("ix_tap_code_id"), "tap", ["code_id"], unique=False)
    op.create_index(op.f("ix_tap_sun_chip"), "tap", ["sun_chip"], unique=False)
    # No key was ever changed before this version: whatever is on a chip was signed in the first epoch.
    medium = sa.table("medium", sa.column("chip_uid", sa.String()), sa.column("issuer_epoch", sa.Integer()))
    op.get_bind().execute(sa.update(medium).where(medium.c.chip_uid != "").values(issuer_epoch=1))


def downgrade() -> None:
    for name in ("sun_chip", "code_id"):
        op.drop_index(op.f(f"ix_tap_{name}"), "tap")
        op.drop_column("tap", name)
    op.drop_index(op.f("ix_encoding_chip_uid"), "encoding")
    for name in ("issued", "cause"):
        op.drop_column("encoding", name)
    for name in ("content", "expires_at", "issuer_epoch"):
        op.drop_column("medium", name)
    op.drop_table("chip_epoch")
    op.drop_table("chip")
