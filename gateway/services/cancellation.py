"""Cancelling a booking: the price is taken back but for the fee that the product's rules ask."""

from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import (
    AccountRow,
    EntitlementRow,
    MediumRow,
    PartyRow,
    PartyState,
    ReturnWindowRow,
    TapUseRow,
    TokenRow,
)
from gateway.errors import Rejection
from gateway.services.booked import guests_of, product_of, revoke, rights_of
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.nights import free_nights, night_keys, nights_of
from gateway.services.posting import deferred, earned_by_package, move
from gateway.services.windows import free_place, key_of
from gateway.working_set import WorkingSet
from wallet.entitlement import Bypass
from wallet.ledger import Posting, TransferKind
from wallet.medium import MediumState
from wallet.money import share
from wallet.resort import Product


class CancelParty(Struct, frozen=True):
    """The party does not come."""

    party_id: str


class PartyCancel(Service[CancelParty]):
    """Cancels a booking before check-in: every right and reservation ends, and what remains owed is the fee."""

    name = "party.cancel"

    def keys(self, body: CancelParty) -> frozenset[Key]:
        """The party."""
        return frozenset({Key(KeyKind.PARTY, body.party_id)})

    def expand(self, state: WorkingSet, body: CancelParty) -> frozenset[Key]:
        """The return windows in which its guests hold a place, and the nights of its room."""
        party = state.get(PartyRow, body.party_id)
        nights = night_keys(party.room_type, nights_of(party)) if party else frozenset()
        tokens = state.find(TokenRow, party_id=body.party_id)
        rows = (row for token in tokens for row in state.find(EntitlementRow, token_id=token.id))
        return nights | {
            key_of(row.body) for row in rows if row.revoked_at is None and isinstance(row.body, Bypass)
        }

    def decide(self, state: WorkingSet, command: Command[CancelParty]) -> Outcome:
        """Take the price back, keep the fee, end everything."""
        draft, ids, at = Draft(state), Ids(command), command.envelope.at
        party = state.need(PartyRow, command.body.party_id)
        _check(draft, party)
        product = product_of(draft.resort, party)
        fee_minor = cancellation_fee_minor(
            product, party.price_minor, (party.arrival_day - draft.resort.day_of(at)).days
        )
        events = []
        if party.price_minor:
            postings = (
                Posting(party.folio_account_id, fee_minor - party.price_minor),
                Posting(deferred(party), party.price_minor),
                *earned_by_package(draft, party, fee_minor, product.tax),
            )
            description = f"Cancellation of {product.name}"
            events.append(move(draft, ids, command, party, TransferKind.CANCELLATION, description, postings))
        for guest in guests_of(draft, party):
            _end(draft, guest.token_id, at)
        free_nights(draft, party, party.arrival_day)
        draft.put(replace(party, state=PartyState.CANCELLED, cancelled_at=at))
        account = draft.get(AccountRow, party.folio_account_id)
        said = {
            "fee_minor": fee_minor,
            "balance_minor": account.balance_minor if account else 0,
            "currency": party.currency,
        }
        events.append(Event("party.cancelled", said, party_id=party.id))
        return Outcome({"party_id": party.id, "cancelled": True} | said, draft.rows, tuple(events))


def cancellation_fee_minor(product: Product, price_minor: int, days_left: int) -> int:
    """Return what cancelling costs so many days before arrival: the strictest rule whose time has come."""
    begun = [rule for rule in product.cancellation if days_left <= rule.days_before]
    if not begun:
        return 0
    strictest = min(begun, key=lambda rule: rule.days_before)
    return share(price_minor, strictest.fee_bp, 10_000)


def _check(draft: Draft, party: PartyRow) -> None:
    if party.state is PartyState.CANCELLED:
        raise Rejection("already_cancelled", 409, "This booking was cancelled before.")
    if party.state is not PartyState.BOOKED:
        raise Rejection("checked_in", 409, "A party that has checked in can be checked out, not cancelled.")
    if any(draft.find(TapUseRow, token_id=guest.token_id) for guest in guests_of(draft, party)):
        raise Rejection("already_used", 409, "Something of this booking was used already.")


def _end(draft: Draft, token_id: str, at: datetime) -> None:
    rights = rights_of(draft, token_id)
    for row in rights:
        if isinstance(row.body, Bypass):
            window = draft.get(ReturnWindowRow, row.body.attraction, row.body.starts_at)
            if window is not None:
                draft.put(free_place(window))
    revoke(draft, rights, at)
    for medium in draft.find(MediumRow, token_id=token_id):
        if medium.state is not MediumState.REVOKED:
            draft.put(replace(medium, state=MediumState.REVOKED, revoked_at=at))
    token = draft.get(TokenRow, token_id)
    if token is not None:
        draft.put(replace(token, closed=True))
