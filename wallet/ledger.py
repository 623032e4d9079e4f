"""The books: accounts, transfers and their postings, in whole minor units that sum to zero per currency.

A debit is positive, a credit negative: a folio's balance is what the guest owes, revenue's is below zero.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from msgspec import Struct

from wallet.instant import Instant
from wallet.money import AMOUNT_MINOR_MAX, share
from wallet.resort import Resort, Tax
from wallet.tap import Sale, SaleLine

QUANTITY_MAX = 999
"""Largest quantity of one line of a sale."""


class AccountKind(StrEnum):
    """What an account stands for."""

    FOLIO = "folio"
    DEFERRED_REVENUE = "deferred_revenue"
    REVENUE = "revenue"
    TAX = "tax"
    CASH_DRAWER = "cash_drawer"
    CARD_CLEARING = "card_clearing"


class Tender(StrEnum):
    """What a guest pays a bill with at the desk."""

    CASH = "cash"
    CARD_TERMINAL = "card_terminal"


class TransferKind(StrEnum):
    """Why money moved."""

    PACKAGE = "package"
    SALE = "sale"
    PAYMENT = "payment"
    RECOGNITION = "recognition"
    CANCELLATION = "cancellation"


class Posting(Struct, frozen=True, omit_defaults=True):
    """One line of a transfer: `amount_minor` onto `account_id`."""

    account_id: str
    amount_minor: int
    memo: str = ""


class Transfer(Struct, frozen=True, omit_defaults=True):
    """Money moved at one instant, on one business day; its postings sum to zero."""

    transfer_id: str
    kind: TransferKind
    currency: str
    at: Instant
    day: date
    description: str
    postings: tuple[Posting, ...]
    tap_id: str = ""
    token_id: str = ""
    reverses: str = ""


class LedgerFault(ValueError):
    """The books refuse this; the sentence says what is wrong."""


def system_account(kind: AccountKind, currency: str, name: str = "") -> str:
    """Return the id of one of the resort's own accounts, such as the revenue of an outlet."""
    return ":".join(part for part in (kind.value, name, currency) if part)


def check_balanced(transfer: Transfer) -> None:
    """Do nothing when the transfer's postings sum to zero and there are two or more.

    Raises:
        LedgerFault: they do not, or an amount is zero or out of range.
    """
    if len(transfer.postings) < 2:
        raise LedgerFault("a transfer needs two or more postings")
    for posting in transfer.postings:
        if posting.amount_minor == 0 or abs(posting.amount_minor) > AMOUNT_MINOR_MAX:
            raise LedgerFault(f"{posting.amount_minor} is no amount for a posting")
    total = sum(posting.amount_minor for posting in transfer.postings)
    if total != 0:
        raise LedgerFault(f"the postings are off by {total} minor units")


def price_sale(resort: Resort, outlet_id: str, wanted: Iterable[tuple[str, int]], sale_id: str) -> Sale:
    """Return the sale of so many of these items at the outlet's prices, taxes included.

    Raises:
        LedgerFault: the outlet or an item is unknown, a quantity is not 1 to QUANTITY_MAX, or nothing is sold.
    """
    lines: list[SaleLine] = []
    try:
        outlet = resort.outlet(outlet_id)
        for item_id, quantity in wanted:
            if not 1 <= quantity <= QUANTITY_MAX:
                raise LedgerFault(f"{quantity} is no quantity; sell 1 to {QUANTITY_MAX}")
            item = outlet.item(item_id)
            net = item.price_minor * quantity
            tax = resort.tax(item.tax)
            amount = net if tax.included else net + share(net, tax.rate_bp, 10_000)
            lines.append(SaleLine(item.id, quantity, amount, item.tax))
    except KeyError as missing:
        raise LedgerFault(str(missing.args[0])) from None
    if not lines:
        raise LedgerFault("there is nothing in the basket")
    return Sale(sale_id, outlet_id, resort.currency, tuple(lines), sum(line.amount_minor for line in lines))


def tax_within(amount_minor: int, tax: Tax) -> int:
    """Return the tax contained in an amount that includes it, halves rounded away from zero."""
    return share(amount_minor, tax.rate_bp, 10_000 + tax.rate_bp)


def sale_postings(sale: Sale, account_id: str, resort: Resort) -> tuple[Posting, ...]:
    """Return the postings of a sale: the account owes the total; revenue and each tax get their part.

    Tax is computed on the sum per tax, once, so that lines never add up to another cent than the bill.

    Raises:
        LedgerFault: the lines do not add up to the total, or name an unknown tax.
    """
    if sum(line.amount_minor for line in sale.lines) != sale.total_minor:
        raise LedgerFault("the lines of the sale do not add up to its total")
    revenue = system_account(AccountKind.REVENUE, sale.currency, sale.outlet)
    postings = [Posting(account_id, sale.total_minor)]
    for tax_id in sorted({line.tax for line in sale.lines}):
        gross = sum(line.amount_minor for line in sale.lines if line.tax == tax_id)
        postings += earned(gross, tax_id, revenue, sale.currency, resort)
    return tuple(postings)


def earned(
    gross_minor: int, tax_id: str, revenue_account: str, currency: str, resort: Resort
) -> list[Posting]:
    """Return the credits for `gross_minor` earned: net to the revenue account, tax to the tax's account.

    Raises:
        LedgerFault: the tax is unknown.
    """
    try:
        tax = tax_within(gross_minor, resort.tax(tax_id))
    except KeyError as missing:
        raise LedgerFault(str(missing.args[0])) from None
    parts = {revenue_account: gross_minor - tax, system_account(AccountKind.TAX, currency, tax_id): tax}
    return [Posting(account, -amount) for account, amount in parts.items() if amount]
