"""What several commands ask of a booked party: its product, its guests, the end of its stay, its rights. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta

from msgspec import structs

from gateway.db.rows import EntitlementRow, GuestRow, PartyRow, PartyState, TokenRow
from gateway.errors import Rejection
from gateway.services.draft import Draft
from wallet.entitlement import Parking, RoomKey, Spending
from wallet.resort import Product, Resort

CHECK_OUT = time(11)
"""When rooms are given back on the day of departure, resort time."""


def product_of(resort: Resort, party: PartyRow) -> Product:
    """Return what the party booked.

    Raises:
        Rejection: the resort does not know the product any more.
    """
    return product_named(resort, party.product, status=409)


def product_named(resort: Resort, product_id: str, *, status: int = 422) -> Product:
    """Return a product of the resort.

    Raises:
        Rejection: there is none of that id.
    """
    try:
        return resort.product(product_id)
    except KeyError:
        raise Rejection("unknown_product", status, f"There is no product {product_id!r} here.") from None


def deposit_due_minor(party: PartyRow, balance_minor: int) -> int:
    """Return how much of the deposit is still to be paid, given what the folio owes.

    Before check-in nothing but the price is charged, so what it owes less than the price was paid. From check-in on
    the folio stands for everything.
    """
    if party.state is not PartyState.BOOKED:
        return 0
    paid_minor = max(0, party.price_minor - balance_minor)
    return max(0, party.deposit_minor - paid_minor)


def stay_ends_at(resort: Resort, party: PartyRow) -> datetime:
    """Return when a party's rooms are given back at the latest."""
    return resort.instant(party.departure_day, CHECK_OUT)


def visit_ends_at(resort: Resort, party: PartyRow) -> datetime:
    """Return when the last resort day of a booking is over."""
    return resort.instant(party.departure_day + timedelta(days=1), resort.day_starts)


def has_nights(party: PartyRow) -> bool:
    """Return whether the party stays overnight: on-site guests, in the words of the booking rules."""
    return party.departure_day > party.arrival_day


def guests_of(draft: Draft, party: PartyRow) -> list[GuestRow]:
    """Return the party's guests, the lead first."""
    guests = draft.find(GuestRow, party_id=party.id)
    return sorted(guests, key=lambda guest: (not guest.lead, guest.id))


def live_token(draft: Draft, token_id: str) -> tuple[TokenRow, PartyRow]:
    """Return a token that may still change, and its party.

    Raises:
        Rejection: there is none, or its booking was cancelled.
    """
    token = draft.get(TokenRow, token_id)
    party = draft.get(PartyRow, token.party_id) if token else None
    if token is None or party is None:
        raise Rejection("not_found", 404, f"There is no token {token_id!r}.")
    if token.closed or party.state is PartyState.CANCELLED:
        raise Rejection("booking_cancelled", 409, "This booking was cancelled.")
    return token, party


def rights_of(draft: Draft, token_id: str, kinds: Iterable[str] = ()) -> list[EntitlementRow]:
    """Return the rights of a token that are in force, of these kinds or of all."""
    wanted = frozenset(kinds)
    return [
        row
        for row in draft.find(EntitlementRow, token_id=token_id)
        if row.revoked_at is None and (not wanted or row.kind in wanted)
    ]


def revoke(draft: Draft, rights: Iterable[EntitlementRow], at: datetime) -> None:
    """End rights at an instant: a tap made before it is judged by them, one made after it is not."""
    draft.put(*(replace(row, revoked_at=at) for row in rights))


def end(draft: Draft, rights: Iterable[EntitlementRow], at: datetime) -> None:
    """Let rights of the stay end at an instant: a door can then say since when, and a car that is inside can leave."""
    for row in rights:
        body = row.body
        if isinstance(body, RoomKey | Parking | Spending) and body.until_at > at:
            draft.put(replace(row, body=structs.replace(body, until_at=at), ends_at=at))
