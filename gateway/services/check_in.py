"""Check-in: a free room of the booked type, keys to it, a place for the vehicle, and the right to charge."""

from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import AccountRow, GuestRow, PartyRow, PartyState, StayRow
from gateway.errors import Rejection
from gateway.services.booked import deposit_due_minor, guests_of, has_nights, product_of, stay_ends_at
from gateway.services.documents import entitlement_row
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.working_set import WorkingSet
from wallet.entitlement import Entitlement, Parking, RoomKey, Spending
from wallet.money import format_amount
from wallet.resort import Product, Resort


class CheckIn(Struct, frozen=True):
    """The party is here."""

    party_id: str


class PartyCheckIn(Service[CheckIn]):
    """Checks a party in. A room is never given to two parties at once."""

    name = "party.check_in"

    def keys(self, body: CheckIn) -> frozenset[Key]:
        """The party."""
        return frozenset({Key(KeyKind.PARTY, body.party_id)})

    def expand(self, state: WorkingSet, body: CheckIn) -> frozenset[Key]:
        """The rooms of the booked type."""
        party = state.get(PartyRow, body.party_id)
        room_type = party.room_type if party else ""
        return frozenset({Key(KeyKind.ROOM, room_type)} if room_type else ())

    def decide(self, state: WorkingSet, command: Command[CheckIn]) -> Outcome:
        """Give the room and the rights of the stay."""
        draft, ids, at = Draft(state), Ids(command), command.envelope.at
        party = state.need(PartyRow, command.body.party_id)
        product, until_at = product_of(draft.resort, party), stay_ends_at(draft.resort, party)
        _check(draft.resort, party, at, until_at)
        _check_deposit(draft, party)
        rooms: tuple[str, ...] = ()
        if party.room_type:
            rooms = (_free_room(draft, party.room_type, at, until_at),)
            draft.put(*(StayRow(ids.next(), party.id, room, party.room_type, at, until_at) for room in rooms))
        for guest in guests_of(draft, party):
            for right in _rights(draft.resort, product, party, guest, rooms, at, ids):
                draft.put(entitlement_row(guest.token_id, right, made_at=at, resort=draft.resort))
        draft.put(replace(party, state=PartyState.CHECKED_IN, checked_in_at=at))
        said = {"rooms": list(rooms), "until_at": until_at}
        told = {"rooms": list(rooms), "until_at": until_at.isoformat()}
        return Outcome(
            {"party_id": party.id, **said}, draft.rows, (Event("party.checked_in", told, party_id=party.id),)
        )


def _check(resort: Resort, party: PartyRow, at: datetime, until_at: datetime) -> None:
    if not has_nights(party):
        raise Rejection("no_stay", 409, "This booking has no nights: there is nothing to check in to.")
    if party.state is not PartyState.BOOKED:
        raise Rejection("not_booked", 409, f"This party is {party.state.value.replace('_', ' ')} already.")
    if resort.day_of(at) < party.arrival_day:
        raise Rejection("too_early", 409, f"Check-in opens on the day of arrival, {party.arrival_day}.")
    if at >= until_at:
        raise Rejection("stay_over", 409, f"The stay ended on {party.departure_day}.")


def _check_deposit(draft: Draft, party: PartyRow) -> None:
    account = draft.get(AccountRow, party.folio_account_id)
    due_minor = deposit_due_minor(party, account.balance_minor) if account else 0
    if due_minor and draft.resort.policies.deposit_before_check_in:
        due = format_amount(due_minor, party.currency)
        sentence = f"{due} of the deposit is due before check-in. Take the payment first."
        raise Rejection("deposit_due", 409, sentence, {"due_minor": due_minor})


def _free_room(draft: Draft, room_type: str, from_at: datetime, until_at: datetime) -> str:
    taken = {
        stay.room
        for stay in draft.find(StayRow, room_type=room_type)
        if stay.ended_at is None and stay.from_at < until_at and from_at < stay.until_at
    }
    free = [room.id for room in draft.resort.rooms if room.type == room_type and room.id not in taken]
    if not free:
        sentence = f"No {room_type} room is free for the whole stay. Check another party out first."
        raise Rejection("no_room_free", 409, sentence)
    return min(free)


def _rights(
    resort: Resort,
    product: Product,
    party: PartyRow,
    guest: GuestRow,
    rooms: tuple[str, ...],
    at: datetime,
    ids: Ids,
) -> list[Entitlement]:
    until_at, policies = stay_ends_at(resort, party), resort.policies
    daily_minor = policies.child_daily_limit_minor if guest.child else policies.guest_daily_limit_minor
    rights: list[Entitlement] = [
        Spending(
            entitlement_id=ids.next(),
            account_id=party.folio_account_id,
            currency=party.currency,
            daily_limit_minor=daily_minor,
            pin_above_minor=policies.pin_above_minor,
            from_at=at,
            until_at=until_at,
        )
    ]
    if rooms:
        rights.append(RoomKey(ids.next(), rooms, at, until_at))
    if product.vehicles and guest.lead:
        rights.append(Parking(ids.next(), product.lots, at, until_at, product.vehicles))
    return rights
