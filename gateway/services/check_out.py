"""Check-out: the folio is settled to zero, what was sold is earned, and the keys stop."""

from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import AccountRow, HoldRow, HoldState, PartyRow, PartyState, StayRow
from gateway.errors import Rejection
from gateway.services.booked import end, guests_of, has_nights, product_of, rights_of
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.nights import free_nights, night_keys, nights_of
from gateway.services.posting import deferred, earned_by_package, move, take_payment
from gateway.working_set import WorkingSet
from wallet.ledger import Posting, Tender, TransferKind
from wallet.money import format_amount

STAY_RIGHTS = ("room", "parking", "spending")
"""What ends with the stay. Admission that is not used stays good until its days are over."""


class CheckOut(Struct, frozen=True):
    """The party leaves. `tender` says how the balance is paid, None when there should be none."""

    party_id: str
    tender: Tender | None = None


class PartyCheckOut(Service[CheckOut]):
    """Checks a party out with a folio of zero. Charges that come home later are posted and show as an open balance."""

    name = "party.check_out"

    def keys(self, body: CheckOut) -> frozenset[Key]:
        """The party."""
        return frozenset({Key(KeyKind.PARTY, body.party_id)})

    def expand(self, state: WorkingSet, body: CheckOut) -> frozenset[Key]:
        """The rooms that are given back, and their nights."""
        party = state.get(PartyRow, body.party_id)
        nights = night_keys(party.room_type, nights_of(party)) if party else frozenset()
        stays = state.find(StayRow, party_id=body.party_id)
        return nights | {Key(KeyKind.ROOM, stay.room_type) for stay in stays}

    def decide(self, state: WorkingSet, command: Command[CheckOut]) -> Outcome:
        """Settle, earn, end the stay."""
        draft, ids, at = Draft(state), Ids(command), command.envelope.at
        party = state.need(PartyRow, command.body.party_id)
        _check(draft, party, at)
        events = _settle(draft, ids, command, party)
        events += _earn(draft, ids, command, party)
        for guest in guests_of(draft, party):
            end(draft, rights_of(draft, guest.token_id, STAY_RIGHTS), at)
        for stay in draft.find(StayRow, party_id=party.id):
            if stay.ended_at is None:
                draft.put(replace(stay, ended_at=at))
        # Who leaves early leaves this night's room, and those after it, to others.
        free_nights(draft, party, draft.resort.day_of(at))
        draft.put(replace(party, state=PartyState.CHECKED_OUT, checked_out_at=at))
        paid_minor = state.need(AccountRow, party.folio_account_id).balance_minor
        tender = command.body.tender.value if command.body.tender and paid_minor else None
        said = {"paid_minor": paid_minor, "tender": tender, "currency": party.currency}
        events.append(Event("party.checked_out", said, party_id=party.id))
        answer = {"party_id": party.id, "settled": True, "balance_minor": 0} | said
        return Outcome(answer, draft.rows, tuple(events))


def _check(draft: Draft, party: PartyRow, at: datetime) -> None:
    """Who has no nights never checks in, and is checked out when the visit is over."""
    leaves_from = PartyState.CHECKED_IN if has_nights(party) else PartyState.BOOKED
    if party.state is not leaves_from:
        raise Rejection("not_checked_in", 409, f"This party is {party.state.value.replace('_', ' ')}.")
    if draft.resort.day_of(at) < party.arrival_day:
        sentence = (
            f"This visit begins on {party.arrival_day}. Who does not come has the booking cancelled instead."
        )
        raise Rejection("visit_ahead", 409, sentence)
    # A hold that outlived its time has lost its edge; its sale may come home later and is posted then.
    pending = [
        hold
        for hold in draft.find(HoldRow, account_id=party.folio_account_id)
        if hold.state is HoldState.PENDING and hold.expires_at > at
    ]
    if pending:
        sentence = "A purchase is being paid at this moment. Please try again in a few minutes."
        raise Rejection("holds_pending", 409, sentence, {"holds": [hold.id for hold in pending]})


def _settle(draft: Draft, ids: Ids, command: Command[CheckOut], party: PartyRow) -> list[Event]:
    account, tender = draft.get(AccountRow, party.folio_account_id), command.body.tender
    balance_minor = account.balance_minor if account else 0
    if balance_minor == 0:
        return []
    if tender is None:
        amount = format_amount(abs(balance_minor), party.currency)
        todo = "is due. Say how it is paid" if balance_minor > 0 else "is to be paid back. Say how"
        raise Rejection("balance_open", 409, f"{amount} {todo}.", {"balance_minor": balance_minor})
    return [take_payment(draft, ids, command, party, balance_minor, tender)]


def _earn(draft: Draft, ids: Ids, command: Command[CheckOut], party: PartyRow) -> list[Event]:
    if not party.price_minor:
        return []
    product = product_of(draft.resort, party)
    credits = earned_by_package(draft, party, party.price_minor, product.tax)
    postings = (Posting(deferred(party), party.price_minor), *credits)
    return [move(draft, ids, command, party, TransferKind.RECOGNITION, product.name, postings)]
