"""Tables of taps, edges and what is left for a person to look at."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from gateway.db.rows.taps import ConflictState, EdgeState, SetAsideState
from gateway.db.tables.base import identifier, instant, metadata, minor, words
from gateway.db.types import Packed, Word
from wallet.journal import JournalEntry

edge = Table(
    "edge",
    metadata,
    identifier("id", primary_key=True),
    identifier("venue"),
    Column("state", Word(EdgeState), nullable=False),
    words("public_key"),
    words("enrol_code_hash"),
    instant("enrol_expires_at", nullable=True),
    instant("enrolled_at", nullable=True),
)

edge_nonce = Table(
    "edge_nonce",
    metadata,
    identifier("edge", ForeignKey("edge.id"), primary_key=True),
    identifier("nonce", primary_key=True),
    instant("seen_at"),
    Index("ix_edge_nonce_seen_at", "seen_at"),
)

journal_head = Table(
    "journal_head",
    metadata,
    identifier("edge", ForeignKey("edge.id"), primary_key=True),
    identifier("epoch", primary_key=True),
    Column("number", BigInteger(), nullable=False),
    words("head"),
    instant("at"),
    CheckConstraint("number >= 0", name="number"),
)

journal_set_aside = Table(
    "journal_set_aside",
    metadata,
    identifier("edge", ForeignKey("edge.id"), primary_key=True),
    identifier("epoch", primary_key=True),
    Column("number", BigInteger(), primary_key=True, autoincrement=False),
    Column("entry", Text(), nullable=False),
    words("sentence"),
    instant("at"),
    Column("state", Word(SetAsideState), nullable=False),
    words("note"),
)

tap = Table(
    "tap",
    metadata,
    identifier("id", primary_key=True),
    identifier("edge", ForeignKey("edge.id")),
    identifier("epoch"),
    Column("number", BigInteger(), nullable=False),
    identifier("touchpoint"),
    identifier("reader"),
    instant("at"),
    instant("received_at"),
    identifier("decision"),
    Column("online", Boolean(), nullable=False),
    Column("entry", Packed(JournalEntry), nullable=False),
    Column("token_id", String(64), index=True),
    Column("party_id", String(64)),
    Column("medium_id", String(64)),
    Column("entitlement_id", String(64)),
    Column("reason", String(64)),
    minor("amount_minor"),
    Column("code_id", String(16), index=True),
    Column("sun_chip", String(20), index=True),
    Unique("edge", "epoch", "number"),
    Index("ix_tap_touchpoint_at", "touchpoint", "at"),
)

conflict = Table(
    "conflict",
    metadata,
    identifier("id", primary_key=True),
    identifier("kind"),
    instant("at"),
    Column("tap_id", String(64), index=True),
    Column("edge", String(64)),
    Column("token_id", String(64)),
    Column("party_id", String(64), index=True),
    Column("detail", Packed(dict[str, Any]), nullable=False),
    minor("amount_minor"),
    Column("state", Word(ConflictState), nullable=False),
    words("note"),
    words("resolved_by"),
    instant("resolved_at", nullable=True),
    Index("ix_conflict_state_at", "state", "at"),
)
