"""All tables, and which row class is which table."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from gateway.db import rows
from gateway.db.tables import chips, house, money, party, photos, taps
from gateway.db.tables.base import metadata

TABLE_OF: Mapping[type[Any], Table] = {
    rows.PartyRow: party.party,
    rows.GuestRow: party.guest,
    rows.PersonRow: party.person,
    rows.TokenRow: party.token,
    rows.MediumRow: party.medium,
    rows.EntitlementRow: party.entitlement,
    rows.TapUseRow: party.tap_use,
    rows.TokenDocumentRow: party.token_document,
    rows.StayRow: party.stay,
    rows.EncodingRow: party.encoding,
    rows.ReturnWindowRow: party.return_window,
    rows.RoomNightRow: party.room_night,
    rows.AccountRow: money.account,
    rows.TransferRow: money.transfer,
    rows.PostingRow: money.posting,
    rows.HoldRow: money.hold,
    rows.EdgeRow: taps.edge,
    rows.EdgeNonceRow: taps.edge_nonce,
    rows.JournalHeadRow: taps.journal_head,
    rows.SetAsideRow: taps.journal_set_aside,
    rows.TapRow: taps.tap,
    rows.ConflictRow: taps.conflict,
    rows.CommandRow: house.command,
    rows.ResortVersionRow: house.resort_version,
    rows.IssuerKeyRow: house.issuer_key,
    rows.ChipRow: chips.chip,
    rows.ChipEpochRow: chips.chip_epoch,
    rows.StaffRow: house.staff,
    rows.SessionRow: house.session,
    rows.SignInCodeRow: house.sign_in_code,
    rows.PhotoRow: photos.photo,
    rows.PhotoLinkRow: photos.photo_link,
    rows.PhotoClaimRow: photos.photo_claim,
}

PRIMARY_KEY: Mapping[type[Any], tuple[str, ...]] = {
    row: tuple(column.name for column in table.primary_key) for row, table in TABLE_OF.items()
}
"""The names of the fields that tell a row from all others of its kind."""

__all__ = ["PRIMARY_KEY", "TABLE_OF", "chips", "house", "metadata", "money", "party", "photos", "taps"]
