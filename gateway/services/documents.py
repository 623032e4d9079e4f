"""From a token's rows to its document: what edges may know of a guest. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gateway.db.rows import EntitlementRow, MediumRow, TapUseRow, TokenRow
from wallet.entitlement import KINDS_WITH_MEMORY, Admission, Bypass, Entitlement
from wallet.medium import Medium
from wallet.resort import Resort, TouchpointKind
from wallet.token import TokenDocument, Use, scopes_of


def document_of(
    token: TokenRow,
    media: Iterable[MediumRow],
    entitlements: Iterable[EntitlementRow],
    uses: Iterable[TapUseRow],
    *,
    version: int,
    at: datetime,
    resort: Resort,
) -> TokenDocument:
    """Return the document of one token as of the instant `at`."""
    rights = [row for row in entitlements if row.revoked_at is None]
    remembered = {row.id for row in rights if row.kind in KINDS_WITH_MEMORY}
    first_day = resort.day_of(at) - timedelta(days=1)
    mattering = [use for use in uses if use.day >= first_day or use.entitlement_id in remembered]
    return TokenDocument(
        token_id=token.id,
        version=version,
        party_id=token.party_id,
        media=tuple(
            Medium(row.id, row.kind, row.state, row.chip_uid, row.revoked_at)
            for row in sorted(media, key=lambda row: row.id)
        ),
        entitlements=tuple(row.body for row in sorted(rights, key=lambda row: row.id)),
        uses=uses_in_order(mattering),
        pin_verifier=token.pin_verifier,
        pin_tries=token.pin_tries,
        closed=token.closed,
    )


def uses_in_order(rows: Iterable[TapUseRow]) -> tuple[Use, ...]:
    """Return the uses that the rows keep, in order of time."""
    return tuple(
        Use(use.tap_id, use.entitlement_id, use.step, use.at, use.day, use.place, use.amount_minor)
        for use in sorted(rows, key=lambda use: (use.at, use.tap_id, use.entitlement_id))
    )


def entitlement_row(
    token_id: str, right: Entitlement, *, made_at: datetime, resort: Resort
) -> EntitlementRow:
    """Return the row that gives `right` to a token."""
    kind = str(type(right).__struct_config__.tag)
    return EntitlementRow(right.entitlement_id, token_id, kind, right, made_at, ends_at(right, resort))


def ends_at(right: Entitlement, resort: Resort) -> datetime:
    """Return the instant from which on neither the right nor its uses can matter."""
    match right:
        case Admission(until_day=day):
            return resort.instant(day + timedelta(days=1), resort.day_starts)
        case Bypass(ends_at=window_ends_at):
            # Who entered in time may merge after the window's end, at most until the resort day is over.
            return resort.instant(resort.day_of(window_ends_at) + timedelta(days=1), resort.day_starts)
    return right.until_at


def scopes_text(document: TokenDocument, resort: Resort) -> str:
    """Return the venues that need the document as one searchable text, "|hotel|park|"; empty for none."""
    return joined(scopes_of(document, resort))


def joined(scopes: Iterable[str]) -> str:
    """Return scope keys as one text, sorted and each between bars."""
    ordered = sorted(set(scopes))
    return f"|{'|'.join(ordered)}|" if ordered else ""


def split(scopes: str) -> frozenset[str]:
    """Return the scope keys of a text made by `joined`."""
    return frozenset(scopes.strip("|").split("|")) - {""}


def takes_pins(resort: Resort, venue: str) -> bool:
    """Return whether edges of this venue run tills, and so need the PIN verifiers."""
    return venue in resort.venues_with(TouchpointKind.TILL)
