"""Parties, guests, tokens and what hangs on them."""

import sqlalchemy as sa
from alembic import op

from gateway.db.types import UtcDateTime

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "party",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("booking_reference", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("arrival_day", sa.Date(), nullable=False),
        sa.Column("departure_day", sa.Date(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("deposit_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("folio_account_id", sa.String(length=64), nullable=False),
        sa.Column("lead_guest_id", sa.String(length=64), nullable=False),
        sa.Column("booked_at", UtcDateTime(), nullable=False),
        sa.Column("checked_in_at", UtcDateTime(), nullable=True),
        sa.Column("checked_out_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("arrival_day <= departure_day", name=op.f("ck_party_days")),
        sa.CheckConstraint("price_minor >= 0 AND deposit_minor >= 0", name=op.f("ck_party_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("booking_reference", name=op.f("uq_party_booking_reference")),
    )
    op.create_index(op.f("ix_party_arrival_day"), "party", ["arrival_day"], unique=False)
    op.create_table(
        "return_window",
        sa.Column("attraction", sa.String(length=64), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_return_window_hours")),
        sa.CheckConstraint("taken >= 0 AND taken <= capacity", name=op.f("ck_return_window_never_oversold")),
        sa.PrimaryKeyConstraint("attraction", "starts_at", name=op.f("pk_return_window")),
    )
    op.create_index("ix_return_window_starts_at", "return_window", ["starts_at"], unique=False)
    op.create_table(
        "guest",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("child", sa.Boolean(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_guest_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guest")),
        sa.UniqueConstraint("token_id", name=op.f("uq_guest_token_id")),
    )
    op.create_index(op.f("ix_guest_party_id"), "guest", ["party_id"], unique=False)
    op.create_table(
        "stay",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("room", sa.String(length=64), nullable=False),
        sa.Column("room_type", sa.String(length=64), nullable=False),
        sa.Column("from_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("from_at < until_at", name=op.f("ck_stay_nights")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_stay_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay")),
    )
    op.create_index(op.f("ix_stay_party_id"), "stay", ["party_id"], unique=False)
    op.create_index("ix_stay_room_type_until_at", "stay", ["room_type", "until_at"], unique=False)
    op.create_index("ix_stay_room_until_at", "stay", ["room", "until_at"], unique=False)
    op.create_table(
        "person",
        sa.Column("guest_id", sa.String(length=64), nullable=False),
        sa.Column("given_name", sa.String(), nullable=False),
        sa.Column("family_name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("forgotten_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["guest_id"], ["guest.id"], name=op.f("fk_person_guest_id")),
        sa.PrimaryKeyConstraint("guest_id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_family_name"), "person", ["family_name"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("guest_id", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("pin_verifier", sa.String(), nullable=False),
        sa.Column("pin_tries", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("pin_tries >= 0", name=op.f("ck_token_pin_tries")),
        sa.ForeignKeyConstraint(["guest_id"], ["guest.id"], name=op.f("fk_token_guest_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_token_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("guest_id", name=op.f("uq_token_guest_id")),
    )
    op.create_index(op.f("ix_token_party_id"), "token", ["party_id"], unique=False)
    op.create_table(
        "encoding",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("encoder", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("medium_id", sa.String(length=64), nullable=False),
        sa.Column("chip_uid", sa.String(length=64), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_encoding_party_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_encoding_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encoding")),
    )
    op.create_index("ix_encoding_encoder_state", "encoding", ["encoder", "state"], unique=False)
    op.create_index(op.f("ix_encoding_token_id"), "encoding", ["token_id"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_entitlement_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
    )
    op.create_index(op.f("ix_entitlement_token_id"), "entitlement", ["token_id"], unique=False)
    op.create_table(
        "medium",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("chip_uid", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_medium_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medium")),
    )
    op.create_index(op.f("ix_medium_chip_uid"), "medium", ["chip_uid"], unique=False)
    op.create_index(op.f("ix_medium_token_id"), "medium", ["token_id"], unique=False)
    op.create_table(
        "token_document",
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("party_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_token_document_version")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_token_document_token_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_token_document")),
    )
    op.create_table(
        "tap_use",
        sa.Column("tap_id", sa.String(length=64), nullable=False),
        sa.Column("entitlement_id", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=op.f("fk_tap_use_entitlement_id")
        ),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_tap_use_token_id")),
        sa.PrimaryKeyConstraint("tap_id", "entitlement_id", name=op.f("pk_tap_use")),
    )
    op.create_index("ix_tap_use_token_id_day", "tap_use", ["token_id", "day"], unique=False)


def downgrade() -> None:
    for table in (
        "tap_use",
        "token_document",
        "medium",
        "entitlement",
        "encoding",
        "token",
        "person",
        "stay",
        "guest",
        "return_window",
        "party",
    ):
        op.drop_table(table)
