"""Putting money where a tap says: the sale's transfer, and what becomes of the amount held for it. Pure."""

from dataclasses import replace
from datetime import datetime

from gateway.db.rows import AccountRow, HoldRow, HoldState, PostingRow, TokenRow, TransferRow
from gateway.services.draft import Draft
from wallet.ledger import LedgerFault, Posting, Tender, Transfer, TransferKind, check_balanced, sale_postings
from wallet.tap import Sale


def transfer_rows(
    transfer: Transfer,
    command_id: str,
    *,
    party_id: str | None = None,
    guest_id: str | None = None,
    outlet: str | None = None,
    tender: Tender | None = None,
) -> list[TransferRow | PostingRow]:
    """Return a balanced transfer as rows.

    Raises:
        LedgerFault: it does not balance.
    """
    check_balanced(transfer)
    row = TransferRow(
        id=transfer.transfer_id,
        kind=transfer.kind,
        at=transfer.at,
        day=transfer.day,
        currency=transfer.currency,
        amount_minor=sum(each.amount_minor for each in transfer.postings if each.amount_minor > 0),
        description=transfer.description,
        command_id=command_id,
        party_id=party_id,
        guest_id=guest_id,
        token_id=transfer.token_id or None,
        tap_id=transfer.tap_id or None,
        outlet=outlet,
        tender=tender,
        reverses=transfer.reverses or None,
    )
    postings = [
        PostingRow(
            transfer.transfer_id, number, each.account_id, transfer.currency, each.amount_minor, each.memo
        )
        for number, each in enumerate(transfer.postings, start=1)
    ]
    return [row, *postings]


def put_transfer(
    draft: Draft,
    transfer: Transfer,
    command_id: str,
    *,
    party_id: str | None = None,
    guest_id: str | None = None,
    outlet: str | None = None,
    tender: Tender | None = None,
) -> None:
    """Put a transfer and move the balances that are kept.

    Raises:
        LedgerFault: it does not balance.
    """
    rows = transfer_rows(
        transfer, command_id, party_id=party_id, guest_id=guest_id, outlet=outlet, tender=tender
    )
    draft.put(*rows)
    for posting in transfer.postings:
        account = draft.get(AccountRow, posting.account_id)
        if account is not None:
            draft.put(replace(account, balance_minor=account.balance_minor + posting.amount_minor))


def charge(
    draft: Draft,
    sale: Sale,
    account_id: str,
    *,
    transfer_id: str,
    tap_id: str,
    token: TokenRow,
    at: datetime,
    command_id: str,
) -> Transfer:
    """Charge a sale to a guest's account and return its transfer.

    Raises:
        LedgerFault: the account does not exist or is of another currency, or the sale's lines do not add up.
    """
    account = draft.get(AccountRow, account_id)
    if account is None:
        raise LedgerFault(f"there is no account {account_id} to charge")
    if account.currency != sale.currency:
        raise LedgerFault(f"a sale in {sale.currency} cannot be charged to an account in {account.currency}")
    postings: tuple[Posting, ...] = sale_postings(sale, account_id, draft.resort)
    outlet = draft.resort.outlet(sale.outlet)
    transfer = Transfer(
        transfer_id=transfer_id,
        kind=TransferKind.SALE,
        currency=sale.currency,
        at=at,
        day=draft.resort.day_of(at),
        description=outlet.name,
        postings=postings,
        tap_id=tap_id,
        token_id=token.id,
    )
    put_transfer(
        draft, transfer, command_id, party_id=token.party_id, guest_id=token.guest_id, outlet=sale.outlet
    )
    return transfer


def end_hold(draft: Draft, tap_id: str, state: HoldState) -> HoldRow | None:
    """Release what is held for a tap, as posted, voided or expired; return the hold, or None when none was pending."""
    hold = draft.get(HoldRow, tap_id)
    if hold is None or hold.state is not HoldState.PENDING:
        return None
    account = draft.get(AccountRow, hold.account_id)
    if account is not None:
        draft.put(replace(account, held_minor=account.held_minor - hold.amount_minor))
    ended = replace(hold, state=state)
    draft.put(ended)
    return ended


def past_limit_minor(account: AccountRow) -> int:
    """Return by how much an account stands past its limit, holds included; 0 within it."""
    if account.limit_minor is None:
        return 0
    return max(0, account.balance_minor + account.held_minor - account.limit_minor)
