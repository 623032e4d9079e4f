"""Everything that is held of one guest, for the guest."""

from typing import Any

import msgspec
from sqlalchemy import Connection, or_

from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.db.tables import house, money, party, photos, taps
from gateway.db.write import values_of

_UNTOLD = {"pin_verifier", "token_hash", "code_hash", "given_key", "family_key"}
"""What only proves who someone is, and names written once more for searching: it tells the guest nothing."""


def everything_of(connection: Connection, guest_id: str) -> dict[str, Any] | None:
    """Return all rows about a guest as JSON-able values, by table; None when there is no such guest."""
    guest = next(iter(rows_where(connection, r.GuestRow, party.guest.c.id == guest_id)), None)
    if guest is None:
        return None
    token, journey = guest.token_id, guest.party_id
    own_transfer = or_(money.transfer.c.guest_id == guest_id, money.transfer.c.token_id == token)
    transfers = rows_where(connection, r.TransferRow, own_transfer)
    ids = [transfer.id for transfer in transfers]
    found: dict[str, list[Any]] = {
        "person": rows_where(connection, r.PersonRow, party.person.c.guest_id == guest_id),
        "guest": [guest],
        "party": rows_where(connection, r.PartyRow, party.party.c.id == journey),
        "stays": rows_where(connection, r.StayRow, party.stay.c.party_id == journey),
        "token": rows_where(connection, r.TokenRow, party.token.c.id == token),
        "media": rows_where(connection, r.MediumRow, party.medium.c.token_id == token),
        "encodings": rows_where(connection, r.EncodingRow, party.encoding.c.token_id == token),
        "entitlements": rows_where(connection, r.EntitlementRow, party.entitlement.c.token_id == token),
        "uses": rows_where(connection, r.TapUseRow, party.tap_use.c.token_id == token),
        "taps": rows_where(connection, r.TapRow, taps.tap.c.token_id == token),
        "conflicts": rows_where(connection, r.ConflictRow, taps.conflict.c.token_id == token),
        "transfers": transfers,
        "postings": rows_where(connection, r.PostingRow, money.posting.c.transfer_id.in_(ids)),
        "holds": rows_where(connection, r.HoldRow, money.hold.c.token_id == token),
        "photo_links": rows_where(connection, r.PhotoLinkRow, photos.photo_link.c.token_id == token),
        "sessions": rows_where(connection, r.SessionRow, house.session.c.subject == f"guest:{guest_id}"),
    }
    return {name: [_told(row) for row in rows] for name, rows in found.items()}


def _told(row: Any) -> Any:
    return msgspec.to_builtins({name: value for name, value in values_of(row).items() if name not in _UNTOLD})
