"""Tables of the books. `transfer` and `posting` are append-only: triggers on either database refuse a change."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table

from gateway.db.rows.money import HoldState
from gateway.db.tables.base import identifier, instant, metadata, minor, words
from gateway.db.types import Packed, Word
from wallet.ledger import AccountKind, Tender, TransferKind
from wallet.tap import Sale

APPEND_ONLY = ("transfer", "posting")
"""The tables that no one changes, not even with a database console."""

account = Table(
    "account",
    metadata,
    identifier("id", primary_key=True),
    Column("kind", Word(AccountKind), nullable=False),
    words("currency"),
    Column("party_id", String(64), ForeignKey("party.id"), index=True),
    Column("outlet", String(64)),
    minor("limit_minor", nullable=True),
    minor("balance_minor"),
    minor("held_minor"),
    Column("closed", Boolean(), nullable=False),
    CheckConstraint("held_minor >= 0", name="held"),
    CheckConstraint("limit_minor IS NULL OR limit_minor >= 0", name="limit"),
)

transfer = Table(
    "transfer",
    metadata,
    identifier("id", primary_key=True),
    Column("kind", Word(TransferKind), nullable=False),
    instant("at"),
    Column("day", Date(), nullable=False),
    words("currency"),
    minor("amount_minor"),
    words("description"),
    Column("command_id", String(80), nullable=False),
    Column("party_id", String(64)),
    Column("guest_id", String(64)),
    Column("token_id", String(64)),
    Column("tap_id", String(64), unique=True),
    Column("outlet", String(64)),
    Column("tender", Word(Tender)),
    Column("reverses", String(64), ForeignKey("transfer.id"), unique=True),
    Index("ix_transfer_party_id_at", "party_id", "at"),
    Index("ix_transfer_day", "day"),
)

posting = Table(
    "posting",
    metadata,
    identifier("transfer_id", ForeignKey("transfer.id"), primary_key=True),
    Column("number", Integer(), primary_key=True, autoincrement=False),
    identifier("account_id", index=True),
    words("currency"),
    minor("amount_minor"),
    words("memo"),
    CheckConstraint("amount_minor <> 0", name="moves_something"),
)

hold = Table(
    "hold",
    metadata,
    identifier("id", primary_key=True),
    identifier("account_id", ForeignKey("account.id")),
    identifier("token_id", ForeignKey("token.id"), index=True),
    words("currency"),
    minor("amount_minor"),
    Column("state", Word(HoldState), nullable=False),
    identifier("edge"),
    identifier("touchpoint"),
    instant("at"),
    instant("expires_at"),
    Column("sale", Packed(Sale), nullable=False),
    CheckConstraint("amount_minor > 0", name="amount"),
    Index("ix_hold_account_id_state", "account_id", "state"),
    Index("ix_hold_edge_state", "edge", "state"),
)
