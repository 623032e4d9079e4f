"""Tables of parties, guests, tokens and what hangs on them."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table

from gateway.db.rows.party import EncodingCause, EncodingState, Issue, PartyState
from gateway.db.tables.base import identifier, instant, metadata, minor, words
from gateway.db.types import Bytewise, Packed, Word
from wallet.entitlement import Entitlement
from wallet.medium import MediumKind, MediumState
from wallet.token import Step, TokenDocument

party = Table(
    "party",
    metadata,
    identifier("id", primary_key=True),
    identifier("booking_reference", unique=True),
    Column("state", Word(PartyState), nullable=False),
    identifier("product"),
    Column("arrival_day", Date(), nullable=False, index=True),
    Column("departure_day", Date(), nullable=False),
    minor("price_minor"),
    minor("deposit_minor"),
    words("currency"),
    identifier("folio_account_id"),
    identifier("lead_guest_id"),
    instant("booked_at"),
    instant("checked_in_at", nullable=True),
    instant("checked_out_at", nullable=True),
    instant("cancelled_at", nullable=True),
    identifier("room_type", server_default=""),
    CheckConstraint("price_minor >= 0 AND deposit_minor >= 0", name="amounts"),
    CheckConstraint("arrival_day <= departure_day", name="days"),
)

guest = Table(
    "guest",
    metadata,
    identifier("id", primary_key=True),
    identifier("party_id", ForeignKey("party.id"), index=True),
    identifier("token_id", unique=True),
    Column("child", Boolean(), nullable=False),
    Column("lead", Boolean(), nullable=False),
)

person = Table(
    "person",
    metadata,
    identifier("guest_id", ForeignKey("guest.id"), primary_key=True),
    words("given_name"),
    words("family_name"),
    words("email"),
    words("phone"),
    words("plate"),
    instant("forgotten_at", nullable=True),
    Column("given_key", Bytewise, nullable=False, server_default="", index=True),
    Column("family_key", Bytewise, nullable=False, server_default="", index=True),
)

token = Table(
    "token",
    metadata,
    identifier("id", primary_key=True),
    identifier("guest_id", ForeignKey("guest.id"), unique=True),
    identifier("party_id", ForeignKey("party.id"), index=True),
    words("pin_verifier"),
    Column("pin_tries", Integer(), nullable=False),
    Column("closed", Boolean(), nullable=False),
    CheckConstraint("pin_tries >= 0", name="pin_tries"),
)

medium = Table(
    "medium",
    metadata,
    identifier("id", primary_key=True),
    identifier("token_id", ForeignKey("token.id"), index=True),
    Column("kind", Word(MediumKind), nullable=False),
    Column("state", Word(MediumState), nullable=False),
    instant("issued_at"),
    identifier("chip_uid", index=True),
    instant("revoked_at", nullable=True),
    words("note"),
    Column("issuer_epoch", Integer(), nullable=False, server_default="0"),
    instant("expires_at", nullable=True),
    words("content", server_default=""),
    words("device_key", server_default=""),
)

entitlement = Table(
    "entitlement",
    metadata,
    identifier("id", primary_key=True),
    identifier("token_id", ForeignKey("token.id"), index=True),
    identifier("kind"),
    Column("body", Packed(Entitlement), nullable=False),
    instant("made_at"),
    instant("ends_at"),
    instant("revoked_at", nullable=True),
)

tap_use = Table(
    "tap_use",
    metadata,
    # No reference to `tap`: the desk too may use up a right without one.
    identifier("tap_id", primary_key=True),
    identifier("entitlement_id", ForeignKey("entitlement.id"), primary_key=True),
    identifier("token_id", ForeignKey("token.id")),
    Column("step", Word(Step), nullable=False),
    instant("at"),
    Column("day", Date(), nullable=False),
    identifier("place"),
    minor("amount_minor"),
    Index("ix_tap_use_token_id_day", "token_id", "day"),
)

token_document = Table(
    "token_document",
    metadata,
    identifier("token_id", ForeignKey("token.id"), primary_key=True),
    identifier("party_id"),
    Column("version", BigInteger(), nullable=False),
    words("scopes"),
    Column("body", Packed(TokenDocument), nullable=False),
    CheckConstraint("version >= 1", name="version"),
)

stay = Table(
    "stay",
    metadata,
    identifier("id", primary_key=True),
    identifier("party_id", ForeignKey("party.id"), index=True),
    identifier("room"),
    identifier("room_type"),
    instant("from_at"),
    instant("until_at"),
    instant("ended_at", nullable=True),
    CheckConstraint("from_at < until_at", name="nights"),
    Index("ix_stay_room_type_until_at", "room_type", "until_at"),
    Index("ix_stay_room_until_at", "room", "until_at"),
)

encoding = Table(
    "encoding",
    metadata,
    identifier("id", primary_key=True),
    identifier("token_id", ForeignKey("token.id"), index=True),
    identifier("party_id", ForeignKey("party.id")),
    identifier("encoder"),
    Column("kind", Word(MediumKind), nullable=False),
    Column("state", Word(EncodingState), nullable=False),
    instant("asked_at"),
    identifier("medium_id"),
    identifier("chip_uid", index=True),
    instant("changed_at", nullable=True),
    words("sentence"),
    Column("cause", Word(EncodingCause), nullable=False, server_default=EncodingCause.ASKED.value),
    Column("issued", Packed(Issue), nullable=True),
    Index("ix_encoding_encoder_state", "encoder", "state"),
)

return_window = Table(
    "return_window",
    metadata,
    identifier("attraction", primary_key=True),
    Column("starts_at", instant("starts_at").type, primary_key=True),
    instant("ends_at"),
    Column("capacity", Integer(), nullable=False),
    Column("taken", Integer(), nullable=False),
    CheckConstraint("taken >= 0 AND taken <= capacity", name="never_oversold"),
    CheckConstraint("starts_at < ends_at", name="hours"),
    Index("ix_return_window_starts_at", "starts_at"),
)

room_night = Table(
    "room_night",
    metadata,
    identifier("room_type", primary_key=True),
    Column("night", Date(), primary_key=True),
    Column("rooms", Integer(), nullable=False),
    Column("taken", Integer(), nullable=False),
    CheckConstraint("taken >= 0 AND taken <= rooms", name="never_oversold"),
)
