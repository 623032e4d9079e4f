"""What every outcome must keep true of the books, checked before it is applied. Pure."""

from collections import defaultdict

from gateway.command import Outcome
from gateway.db.rows import AccountRow, PostingRow, TransferRow
from gateway.working_set import WorkingSet


class BooksBroken(AssertionError):
    """A service made an outcome that would not balance: an error of the program. Nothing of it is written."""


def check(state: WorkingSet, outcome: Outcome) -> None:
    """Check that transfers sum to zero in one currency and that balances move by exactly what is posted.

    Raises:
        BooksBroken: the sentence says which transfer or account.
    """
    sums: dict[str, int] = defaultdict(int)
    moved: dict[str, int] = defaultdict(int)
    currencies: dict[str, set[str]] = defaultdict(set)
    transfers = {row.id: row for row in outcome.rows if isinstance(row, TransferRow)}
    for row in outcome.rows:
        if isinstance(row, PostingRow):
            transfer = transfers.get(row.transfer_id)
            if transfer is None or transfer.currency != row.currency:
                raise BooksBroken(f"a posting of {row.transfer_id} has no transfer of its currency beside it")
            sums[row.transfer_id] += row.amount_minor
            moved[row.account_id] += row.amount_minor
            currencies[row.account_id].add(row.currency)
    for transfer_id in transfers:
        if transfer_id not in sums or sums[transfer_id] != 0:
            raise BooksBroken(
                f"the postings of {transfer_id} sum to {sums.get(transfer_id, 'nothing at all')}"
            )
    accounts = {row.id: row for row in outcome.rows if isinstance(row, AccountRow)}
    for account_id in accounts.keys() | moved.keys():
        before = state.get(AccountRow, account_id)
        after = accounts.get(account_id, before)
        if after is None:
            continue  # revenue and the like: summed from the postings, no balance is kept
        if currencies[account_id] - {after.currency}:
            raise BooksBroken(f"{account_id} is in {after.currency}, another currency is posted to it")
        change = after.balance_minor - (before.balance_minor if before else 0)
        if change != moved[account_id]:
            raise BooksBroken(f"{account_id} changes by {change} but {moved[account_id]} is posted to it")
