"""Money that moves at the desk or by a booking: one transfer, put and told. Pure."""

from typing import Any

import msgspec

from gateway.command import Command, Event
from gateway.db.rows import PartyRow
from gateway.services.charges import put_transfer
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from wallet.ledger import AccountKind, Posting, Tender, Transfer, TransferKind, earned, system_account

PACKAGES = "packages"
"""The name of the revenue account that packages are recognised to."""

_TILL_OF = {Tender.CASH: AccountKind.CASH_DRAWER, Tender.CARD_TERMINAL: AccountKind.CARD_CLEARING}


def move(
    draft: Draft,
    ids: Ids,
    command: Command[Any],
    party: PartyRow,
    kind: TransferKind,
    description: str,
    postings: tuple[Posting, ...],
    tender: Tender | None = None,
) -> Event:
    """Put a transfer of a party and return its event; postings of nothing are left out.

    Raises:
        LedgerFault: it does not balance.
    """
    at = command.envelope.at
    transfer = Transfer(
        transfer_id=ids.next(),
        kind=kind,
        currency=party.currency,
        at=at,
        day=draft.resort.day_of(at),
        description=description,
        postings=tuple(each for each in postings if each.amount_minor),
    )
    put_transfer(draft, transfer, command.envelope.id, party_id=party.id, tender=tender)
    told = msgspec.to_builtins(transfer) | ({"tender": tender.value} if tender else {})
    return Event("transfer.posted", told, party_id=party.id)


def deferred(party: PartyRow) -> str:
    """Return the account that holds what was booked and not yet given."""
    return system_account(AccountKind.DEFERRED_REVENUE, party.currency)


def earned_by_package(draft: Draft, party: PartyRow, gross_minor: int, tax_id: str) -> tuple[Posting, ...]:
    """Return the credits for an amount earned by a package: net to its revenue, the tax to the tax's account."""
    revenue = system_account(AccountKind.REVENUE, party.currency, PACKAGES)
    return tuple(earned(gross_minor, tax_id, revenue, party.currency, draft.resort)) if gross_minor else ()


def take_payment(
    draft: Draft, ids: Ids, command: Command[Any], party: PartyRow, amount_minor: int, tender: Tender
) -> Event:
    """Put a payment of the folio; an amount below zero is paid back."""
    taken = Posting(system_account(_TILL_OF[tender], party.currency), amount_minor)
    description = "Payment" if amount_minor > 0 else "Refund"
    postings = (Posting(party.folio_account_id, -amount_minor), taken)
    return move(draft, ids, command, party, TransferKind.PAYMENT, description, postings, tender)
