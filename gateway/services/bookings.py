"""Bookings: a party, its guests with a token each, its folio, and what a package gives at once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.names import searchable
from gateway.db.rows import AccountRow, GuestRow, PartyRow, PartyState, PersonRow, SignInCodeRow, TokenRow
from gateway.errors import Rejection
from gateway.services.booked import product_named, visit_ends_at
from gateway.services.documents import entitlement_row
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.nights import night_keys, nights_from, nights_of, take_nights
from gateway.services.posting import deferred, move
from gateway.working_set import WorkingSet
from wallet.entitlement import Admission, Entitlement, Parking, Photos
from wallet.ledger import AccountKind, Posting, TransferKind
from wallet.resort import Product, Resort

ARRIVAL_DAYS_AHEAD_MAX = 730
"""How far ahead a booking is taken."""


class NewGuest(Struct, frozen=True, omit_defaults=True):
    """One guest of a booking, with what identifies the person."""

    given_name: str
    family_name: str
    email: str = ""
    phone: str = ""
    child: bool = False
    lead: bool = False


class CreateBooking(Struct, frozen=True):
    """Book a product. References and the code's hash are made of the command's id, so that they can be told again.

    Args:
        references: candidates for the booking reference; the first that is free is taken.
    """

    product: str
    arrival_day: date
    guests: tuple[NewGuest, ...]
    plate: str
    references: tuple[str, ...]
    sign_in_code_hash: str


class BookingCreate(Service[CreateBooking]):
    """Books a product for a party: every guest has a token, and the folio owes the price."""

    name = "booking.create"

    def keys(self, body: CreateBooking) -> frozenset[Key]:
        """Whoever has one of the references already."""
        return frozenset(Key(KeyKind.BOOKING, reference) for reference in body.references)

    def expand(self, state: WorkingSet, body: CreateBooking) -> frozenset[Key]:
        """The nights that are wanted in rooms of the product's type."""
        product = product_named(state.resort, body.product)
        return night_keys(product.room_type, nights_from(body.arrival_day, product.nights))

    def decide(self, state: WorkingSet, command: Command[CreateBooking]) -> Outcome:
        """Make the party and all that hangs on it; refuse it when no room is free for every night."""
        body, draft, ids = command.body, Draft(state), Ids(command)
        product = product_named(draft.resort, body.product)
        _check(body, product, draft.resort.day_of(command.envelope.at))
        party, guests = _party(state, command, ids, product)
        if party.room_type:
            take_nights(draft, party.room_type, nights_of(party))
        draft.put(party, *_members(body, party, guests))
        draft.put(_folio(party, product))
        code_ends_at = visit_ends_at(draft.resort, party)
        at = command.envelope.at
        draft.put(SignInCodeRow(ids.next(), party.id, body.sign_in_code_hash, at, code_ends_at))
        for guest in guests:
            for right in _rights(draft.resort, product, party, guest, ids):
                draft.put(entitlement_row(guest.token_id, right, made_at=at, resort=draft.resort))
        said = {
            "product": product.id,
            "guests": len(guests),
            "arrival_day": party.arrival_day.isoformat(),
            "departure_day": party.departure_day.isoformat(),
            "price_minor": party.price_minor,
            "currency": party.currency,
        }
        events = [Event("party.booked", said, party_id=party.id)]
        if party.price_minor:
            owed = Posting(party.folio_account_id, party.price_minor)
            package = (owed, Posting(deferred(party), -party.price_minor))
            events.append(
                move(draft, ids, command, party, TransferKind.PACKAGE, product.name, package),
            )
        return Outcome(_answer(party, guests), draft.rows, tuple(events))


@dataclass(frozen=True, slots=True)
class _Guest:
    id: str
    token_id: str
    child: bool
    lead: bool


def _check(body: CreateBooking, product: Product, today: date) -> None:
    if not 1 <= len(body.guests) <= product.guests_max:
        sentence = f"{product.name} is for 1 to {product.guests_max} guests."
        raise Rejection("guest_count", 422, sentence, {"guests_max": product.guests_max})
    leads = [guest for guest in body.guests if guest.lead]
    if len(leads) > 1:
        raise Rejection("one_lead", 422, "A party has one lead.")
    if (leads or body.guests)[0].child:
        raise Rejection("lead_is_child", 422, "A party is led by an adult.")
    if any(not (guest.given_name.strip() and guest.family_name.strip()) for guest in body.guests):
        raise Rejection("name_missing", 422, "Every guest needs a given name and a family name.")
    if body.arrival_day < today:
        raise Rejection("arrival_past", 422, "The day of arrival has passed.")
    if body.arrival_day > today + timedelta(days=ARRIVAL_DAYS_AHEAD_MAX):
        sentence = f"Bookings are taken {ARRIVAL_DAYS_AHEAD_MAX} days ahead at most."
        raise Rejection("arrival_too_far", 422, sentence)


def _party(
    state: WorkingSet, command: Command[CreateBooking], ids: Ids, product: Product
) -> tuple[PartyRow, list[_Guest]]:
    body = command.body
    free = (each for each in body.references if not state.find(PartyRow, booking_reference=each))
    reference = next(free, None)
    if reference is None:
        raise Rejection("no_reference", 409, "No booking reference is free at this moment. Please try again.")
    named = any(guest.lead for guest in body.guests)
    guests = [
        _Guest(ids.next(), ids.next(), guest.child, guest.lead or (not named and place == 0))
        for place, guest in enumerate(body.guests)
    ]
    party = PartyRow(
        id=ids.next(),
        booking_reference=reference,
        state=PartyState.BOOKED,
        product=product.id,
        arrival_day=body.arrival_day,
        departure_day=body.arrival_day + timedelta(days=product.nights),
        price_minor=product.price_minor,
        deposit_minor=product.deposit_minor,
        currency=state.resort.currency,
        folio_account_id=ids.next(),
        lead_guest_id=next(guest.id for guest in guests if guest.lead),
        booked_at=command.envelope.at,
        room_type=product.room_type,
    )
    return party, guests


def _members(
    body: CreateBooking, party: PartyRow, guests: list[_Guest]
) -> list[GuestRow | PersonRow | TokenRow]:
    rows: list[GuestRow | PersonRow | TokenRow] = []
    for guest, new in zip(guests, body.guests, strict=True):
        rows += [
            GuestRow(guest.id, party.id, guest.token_id, guest.child, guest.lead),
            searchable(
                PersonRow(
                    guest_id=guest.id,
                    given_name=new.given_name.strip(),
                    family_name=new.family_name.strip(),
                    email=new.email.strip(),
                    phone=new.phone.strip(),
                    plate=body.plate.strip() if guest.lead else "",
                )
            ),
            TokenRow(guest.token_id, guest.id, party.id),
        ]
    return rows


def _folio(party: PartyRow, product: Product) -> AccountRow:
    # The product's limit is for what is charged on top of the package, whose price stands on the same folio.
    limit_minor = product.price_minor + product.folio_limit_minor
    return AccountRow(
        party.folio_account_id, AccountKind.FOLIO, party.currency, party.id, limit_minor=limit_minor
    )


def _rights(resort: Resort, product: Product, party: PartyRow, guest: _Guest, ids: Ids) -> list[Entitlement]:
    """Return what a guest holds from the booking on; keys, parking and spending of a stay come at check-in."""
    begins_at = resort.instant(party.arrival_day, resort.day_starts)
    ends_at = visit_ends_at(resort, party)
    rights: list[Entitlement] = []
    if product.park_days:
        admission = Admission(
            entitlement_id=ids.next(),
            parks=product.parks,
            from_day=party.arrival_day,
            until_day=party.departure_day,
            days=product.park_days,
            hopper=product.hopper,
        )
        rights.append(admission)
    claimed_until: datetime = ends_at + timedelta(days=resort.policies.photo_claim_days)
    rights.append(Photos(ids.next(), begins_at, claimed_until, product.photo_plan))
    if product.vehicles and guest.lead and product.nights == 0:
        rights.append(Parking(ids.next(), product.lots, begins_at, ends_at, product.vehicles))
    return rights


def _answer(party: PartyRow, guests: list[_Guest]) -> dict[str, Any]:
    return {
        "party_id": party.id,
        "booking_reference": party.booking_reference,
        "guests": [
            {"guest_id": each.id, "token_id": each.token_id, "lead": each.lead, "child": each.child}
            for each in guests
        ],
        "price_minor": party.price_minor,
        "deposit_minor": party.deposit_minor,
        "currency": party.currency,
    }
