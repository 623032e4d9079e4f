"""Rows of parties, guests, their tokens and what hangs on them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from wallet.entitlement import Entitlement
from wallet.medium import MediumKind, MediumState
from wallet.token import Step, TokenDocument


class PartyState(StrEnum):
    """Where a booking is in its life."""

    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PartyRow:
    """Guests who travel together, and what they booked.

    `room_type` is that of the room whose nights they hold, empty for day guests; a product may ask for another later.
    """

    id: str
    booking_reference: str
    state: PartyState
    product: str
    arrival_day: date
    departure_day: date
    price_minor: int
    deposit_minor: int
    currency: str
    folio_account_id: str
    lead_guest_id: str
    booked_at: datetime
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    cancelled_at: datetime | None = None
    room_type: str = ""


@dataclass(frozen=True, slots=True)
class GuestRow:
    """One guest, for ever pseudonymous; who it is stands in PersonRow alone."""

    id: str
    party_id: str
    token_id: str
    child: bool = False
    lead: bool = False


@dataclass(frozen=True, slots=True)
class PersonRow:
    """The one place for what identifies a person; `passband gateway forget` empties it.

    `given_key` and `family_key` are the names as gateway/db/names.py writes them for searching.
    """

    guest_id: str
    given_name: str = ""
    family_name: str = ""
    email: str = ""
    phone: str = ""
    plate: str = ""
    forgotten_at: datetime | None = None
    given_key: str = ""
    family_key: str = ""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A guest's token; its version stands in the document that was last published."""

    id: str
    guest_id: str
    party_id: str
    pin_verifier: str = ""
    pin_tries: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class MediumRow:
    """A band, card or phone that carries a token. `chip_uid` is lower-case hex, empty for a phone.

    `issuer_epoch`, `expires_at` and `content` tell what was read back from the chip: the epoch of the key that signed
    it, until when it is good, and a hash of what it grants. `device_key` is a phone's own public key (P-256,
    compressed, hex), empty where it registered none.
    """

    id: str
    token_id: str
    kind: MediumKind
    state: MediumState
    issued_at: datetime
    chip_uid: str = ""
    revoked_at: datetime | None = None
    note: str = ""
    issuer_epoch: int = 0
    expires_at: datetime | None = None
    content: str = ""
    device_key: str = ""


@dataclass(frozen=True, slots=True)
class EntitlementRow:
    """A right of a token. `kind` is the tag of `body`; `ends_at` says until when its uses can matter."""

    id: str
    token_id: str
    kind: str
    body: Entitlement
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TapUseRow:
    """One use of a right by one approved tap."""

    tap_id: str
    entitlement_id: str
    token_id: str
    step: Step
    at: datetime
    day: date
    place: str
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class TokenDocumentRow:
    """The document last published of a token, and the venues that have it ("|hotel|park|"). Written by the conveyor."""

    token_id: str
    party_id: str
    version: int
    scopes: str
    body: TokenDocument


@dataclass(frozen=True, slots=True)
class StayRow:
    """A party's nights in one room; `ended_at` is set when the room is given back early or moved out of."""

    id: str
    party_id: str
    room: str
    room_type: str
    from_at: datetime
    until_at: datetime
    ended_at: datetime | None = None


class EncodingState(StrEnum):
    """Where the writing of a medium is."""

    WAITING = "waiting"
    ISSUED = "issued"
    DONE = "done"
    FAILED = "failed"


class EncodingCause(StrEnum):
    """Why a medium is written: the desk asked for one, a chip was linked before, or what it holds is out of date."""

    ASKED = "asked"
    LINKED = "linked"
    REFRESH = "refresh"


class Issue(Struct, frozen=True):
    """What was last issued for a chip, without the credential and the keys: both can be made again of this.

    Args:
        chip_epoch: of the keys, 0 for a chip that has none.
        content: a hash of what the credential says beside who it is and when it was made.
    """

    at: datetime
    issuer_epoch: int
    chip_epoch: int
    expires_at: datetime
    content: str


@dataclass(frozen=True, slots=True)
class EncodingRow:
    """A band or card to be written at an encoder, from the wish to the written chip.

    `encoder` is empty while a linked chip has not been held to one.
    """

    id: str
    token_id: str
    party_id: str
    encoder: str
    kind: MediumKind
    state: EncodingState
    asked_at: datetime
    medium_id: str = ""
    chip_uid: str = ""
    changed_at: datetime | None = None
    sentence: str = ""
    cause: EncodingCause = EncodingCause.ASKED
    issued: Issue | None = None


@dataclass(frozen=True, slots=True)
class ReturnWindowRow:
    """A return window of an attraction: how many reservations it takes and how many are taken."""

    attraction: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int = 0


@dataclass(frozen=True, slots=True)
class RoomNightRow:
    """One night in all rooms of a type, named by the day on which it begins: how many there are, how many are taken."""

    room_type: str
    night: date
    rooms: int
    taken: int = 0
