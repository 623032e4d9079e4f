"""Tables of the house itself: commands, the feed, the resort's versions, keys, staff and sessions."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from gateway.db.rows.house import KeyState
from gateway.db.tables.base import identifier, instant, metadata, words
from gateway.db.types import Packed, Serial, Word
from wallet.resort import Resort

command = Table(
    "command",
    metadata,
    Column("id", String(80), primary_key=True),
    identifier("name"),
    identifier("body_hash"),
    Column("answer", Packed(dict[str, Any]), nullable=False),
    Column("actor", String(80), nullable=False),
    identifier("channel"),
    Column("case_id", String(80)),
    instant("at"),
    Index("ix_command_at", "at"),
)

feed_entry = Table(
    "feed_entry",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    # Null until the numberer gives the committed entry its dense place in the order.
    Column("position", BigInteger(), unique=True),
    identifier("kind"),
    Column("party_id", String(64)),
    Column("token_id", String(64)),
    Column("body", Text(), nullable=False),
    words("scopes"),
    words("scopes_after"),
    Column("command_id", String(80), nullable=False),
    identifier("command_name"),
    Column("actor", String(80), nullable=False),
    identifier("channel"),
    Column("case_id", String(80)),
    instant("at"),
    Index("ix_feed_entry_party_id_position", "party_id", "position"),
    Index(
        "ix_feed_entry_unnumbered",
        "id",
        sqlite_where=text("position IS NULL"),
        postgresql_where=text("position IS NULL"),
    ),
)

resort_version = Table(
    "resort_version",
    metadata,
    Column("version", Integer(), primary_key=True, autoincrement=False),
    Column("body", Packed(Resort), nullable=False),
    instant("loaded_at"),
    words("loaded_by"),
)

issuer_key = Table(
    "issuer_key",
    metadata,
    identifier("key_id", primary_key=True),
    Column("epoch", Integer(), nullable=False),
    words("public"),
    words("sealed_private"),
    Column("state", Word(KeyState), nullable=False),
    instant("made_at"),
)

staff = Table(
    "staff",
    metadata,
    identifier("id", primary_key=True),
    identifier("name", unique=True),
    words("password_hash"),
    Column("roles", Packed(tuple[str, ...]), nullable=False),
    instant("made_at"),
    Column("closed", Boolean(), nullable=False),
)

session = Table(
    "session",
    metadata,
    identifier("token_hash", primary_key=True),
    Column("subject", String(80), nullable=False),
    Column("roles", Packed(tuple[str, ...]), nullable=False),
    Column("party_id", String(64), ForeignKey("party.id")),
    instant("made_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
)

sign_in_code = Table(
    "sign_in_code",
    metadata,
    identifier("id", primary_key=True),
    identifier("party_id", ForeignKey("party.id"), index=True),
    identifier("code_hash"),
    instant("made_at"),
    instant("expires_at"),
    instant("used_at", nullable=True),
)
