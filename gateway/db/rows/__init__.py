"""Rows as frozen dataclasses, one per table, with the columns in the table's order."""

from gateway.db.rows.chips import ChipEpochRow, ChipRow, ChipState
from gateway.db.rows.house import (
    CommandRow,
    FeedEntryRow,
    IssuerKeyRow,
    KeyState,
    ResortVersionRow,
    SessionRow,
    SignInCodeRow,
    StaffRow,
)
from gateway.db.rows.money import AccountRow, HoldRow, HoldState, PostingRow, TransferRow
from gateway.db.rows.party import (
    EncodingCause,
    EncodingRow,
    EncodingState,
    EntitlementRow,
    GuestRow,
    Issue,
    MediumRow,
    PartyRow,
    PartyState,
    PersonRow,
    ReturnWindowRow,
    RoomNightRow,
    StayRow,
    TapUseRow,
    TokenDocumentRow,
    TokenRow,
)
from gateway.db.rows.photos import PhotoClaimRow, PhotoLinkRow, PhotoRow
from gateway.db.rows.taps import (
    ConflictRow,
    ConflictState,
    EdgeNonceRow,
    EdgeRow,
    EdgeState,
    JournalHeadRow,
    SetAsideRow,
    SetAsideState,
    TapRow,
)

Row = (
    PartyRow
    | GuestRow
    | PersonRow
    | TokenRow
    | MediumRow
    | EntitlementRow
    | TapUseRow
    | StayRow
    | EncodingRow
    | ReturnWindowRow
    | RoomNightRow
    | AccountRow
    | TransferRow
    | PostingRow
    | HoldRow
    | EdgeRow
    | JournalHeadRow
    | SetAsideRow
    | TapRow
    | ConflictRow
    | ResortVersionRow
    | IssuerKeyRow
    | ChipRow
    | ChipEpochRow
    | StaffRow
    | SessionRow
    | SignInCodeRow
    | PhotoRow
    | PhotoLinkRow
    | PhotoClaimRow
    | TokenDocumentRow
)
"""What a command may put; TokenDocumentRow is put by the conveyor alone."""

__all__ = [
    "AccountRow",
    "ChipEpochRow",
    "ChipRow",
    "ChipState",
    "CommandRow",
    "ConflictRow",
    "ConflictState",
    "EdgeNonceRow",
    "EdgeRow",
    "EdgeState",
    "EncodingCause",
    "EncodingRow",
    "EncodingState",
    "EntitlementRow",
    "FeedEntryRow",
    "GuestRow",
    "HoldRow",
    "HoldState",
    "Issue",
    "IssuerKeyRow",
    "JournalHeadRow",
    "KeyState",
    "MediumRow",
    "PartyRow",
    "PartyState",
    "PersonRow",
    "PhotoClaimRow",
    "PhotoLinkRow",
    "PhotoRow",
    "PostingRow",
    "ResortVersionRow",
    "ReturnWindowRow",
    "RoomNightRow",
    "Row",
    "SessionRow",
    "SetAsideRow",
    "SetAsideState",
    "SignInCodeRow",
    "StaffRow",
    "StayRow",
    "TapRow",
    "TapUseRow",
    "TokenDocumentRow",
    "TokenRow",
    "TransferRow",
]
