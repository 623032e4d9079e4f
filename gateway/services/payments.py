"""Payments at the desk: what is due on a folio, or less, and never more."""

from msgspec import Struct

from gateway.command import Command, Key, KeyKind, Outcome, Service
from gateway.db.rows import AccountRow, PartyRow
from gateway.errors import Rejection
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.posting import take_payment
from gateway.working_set import WorkingSet
from wallet.ledger import Tender
from wallet.money import format_amount


class TakePayment(Struct, frozen=True):
    """Take money for a party's folio."""

    party_id: str
    amount_minor: int
    tender: Tender


class PaymentTake(Service[TakePayment]):
    """Takes a payment of at most what is due; a deposit is a payment made early."""

    name = "payment.take"

    def keys(self, body: TakePayment) -> frozenset[Key]:
        """The party, and with it the folio."""
        return frozenset({Key(KeyKind.PARTY, body.party_id)})

    def decide(self, state: WorkingSet, command: Command[TakePayment]) -> Outcome:
        """Post the payment."""
        body, draft = command.body, Draft(state)
        party = state.need(PartyRow, body.party_id)
        due_minor = state.need(AccountRow, party.folio_account_id).balance_minor
        if body.amount_minor < 1:
            raise Rejection("amount_not_positive", 422, "A payment is of one minor unit or more.")
        if body.amount_minor > due_minor:
            due = format_amount(max(0, due_minor), party.currency)
            detail = {"due_minor": max(0, due_minor)}
            raise Rejection("over_payment", 409, f"That is more than is due: {due}.", detail)
        told = take_payment(draft, Ids(command), command, party, body.amount_minor, body.tender)
        answer = {
            "transfer_id": told.body["transfer_id"],
            "paid_minor": body.amount_minor,
            "balance_minor": due_minor - body.amount_minor,
            "currency": party.currency,
        }
        return Outcome(answer, draft.rows, (told,))
