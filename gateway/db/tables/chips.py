"""Tables of chips and of the epochs of their keys."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, text

from gateway.db.rows.chips import ChipState
from gateway.db.rows.house import KeyState
from gateway.db.tables.base import identifier, instant, metadata
from gateway.db.types import Word

chip = Table(
    "chip",
    metadata,
    identifier("uid", primary_key=True),
    identifier("printed_id"),
    identifier("batch", index=True),
    identifier("kind"),
    Column("state", Word(ChipState), nullable=False),
    instant("made_at"),
    Column("key_epoch", Integer(), nullable=False),
    Column("sun_counter", BigInteger(), nullable=False),
    instant("sun_at", nullable=True),
    CheckConstraint("key_epoch >= 0 AND key_epoch <= 255", name="key_epoch"),
    Index(
        "uq_chip_printed_id",
        "printed_id",
        unique=True,
        sqlite_where=text("printed_id <> ''"),
        postgresql_where=text("printed_id <> ''"),
    ),
)

chip_epoch = Table(
    "chip_epoch",
    metadata,
    Column("epoch", Integer(), primary_key=True, autoincrement=False),
    Column("state", Word(KeyState), nullable=False),
    instant("made_at"),
    CheckConstraint("epoch >= 1 AND epoch <= 255", name="epoch"),
)
