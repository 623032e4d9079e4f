"""Rows of the books: accounts, transfers, postings and holds. Amounts are whole minor units."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from wallet.ledger import AccountKind, Tender, TransferKind
from wallet.tap import Sale


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account that keeps a balance, such as a folio. `limit_minor` None means without limit.

    The resort's own accounts (wallet.ledger.system_account) are summed from postings and have no row.
    """

    id: str
    kind: AccountKind
    currency: str
    party_id: str | None
    outlet: str | None = None
    limit_minor: int | None = None
    balance_minor: int = 0
    held_minor: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class TransferRow:
    """Money moved once and for ever: a transfer is never changed, it is reversed by another (`reverses`)."""

    id: str
    kind: TransferKind
    at: datetime
    day: date
    currency: str
    amount_minor: int
    description: str
    command_id: str
    party_id: str | None = None
    guest_id: str | None = None
    token_id: str | None = None
    tap_id: str | None = None
    outlet: str | None = None
    tender: Tender | None = None
    reverses: str | None = None


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One line of a transfer; those of one transfer sum to zero. `number` counts from 1 within it."""

    transfer_id: str
    number: int
    account_id: str
    currency: str
    amount_minor: int
    memo: str = ""


class HoldState(StrEnum):
    """What became of an amount held for a tap."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An amount held on an account under the tap's id until the edge's journal posts or voids it."""

    id: str
    account_id: str
    token_id: str
    currency: str
    amount_minor: int
    state: HoldState
    edge: str
    touchpoint: str
    at: datetime
    expires_at: datetime
    sale: Sale
