"""Edges, journals, taps and conflicts."""

import sqlalchemy as sa
from alembic import op

from gateway.db.types import UtcDateTime

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conflict",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("tap_id", sa.String(length=64), nullable=True),
        sa.Column("edge", sa.String(length=64), nullable=True),
        sa.Column("token_id", sa.String(length=64), nullable=True),
        sa.Column("party_id", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("resolved_by", sa.String(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
    )
    op.create_index(op.f("ix_conflict_party_id"), "conflict", ["party_id"], unique=False)
    op.create_index("ix_conflict_state_at", "conflict", ["state", "at"], unique=False)
    op.create_index(op.f("ix_conflict_tap_id"), "conflict", ["tap_id"], unique=False)
    op.create_table(
        "edge",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("venue", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("enrol_code_hash", sa.String(), nullable=False),
        sa.Column("enrol_expires_at", UtcDateTime(), nullable=True),
        sa.Column("enrolled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edge")),
    )
    op.create_table(
        "edge_nonce",
        sa.Column("edge", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["edge"], ["edge.id"], name=op.f("fk_edge_nonce_edge")),
        sa.PrimaryKeyConstraint("edge", "nonce", name=op.f("pk_edge_nonce")),
    )
    op.create_index("ix_edge_nonce_seen_at", "edge_nonce", ["seen_at"], unique=False)
    op.create_table(
        "journal_head",
        sa.Column("edge", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_journal_head_number")),
        sa.ForeignKeyConstraint(["edge"], ["edge.id"], name=op.f("fk_journal_head_edge")),
        sa.PrimaryKeyConstraint("edge", "epoch", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "journal_set_aside",
        sa.Column("edge", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["edge"], ["edge.id"], name=op.f("fk_journal_set_aside_edge")),
        sa.PrimaryKeyConstraint("edge", "epoch", "number", name=op.f("pk_journal_set_aside")),
    )
    op.create_table(
        "tap",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("edge", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("touchpoint", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=True),
        sa.Column("party_id", sa.String(length=64), nullable=True),
        sa.Column("medium_id", sa.String(length=64), nullable=True),
        sa.Column("entitlement_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge"], ["edge.id"], name=op.f("fk_tap_edge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tap")),
        sa.UniqueConstraint("edge", "epoch", "number", name=op.f("uq_tap_edge_epoch_number")),
    )
    op.create_index(op.f("ix_tap_token_id"), "tap", ["token_id"], unique=False)
    op.create_index("ix_tap_touchpoint_at", "tap", ["touchpoint", "at"], unique=False)


def downgrade() -> None:
    for table in ("tap", "journal_set_aside", "journal_head", "edge_nonce", "edge", "conflict"):
        op.drop_table(table)
