"""The books: every sale's postings sum to zero, whatever the catalogue, the taxes and the basket."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import NOON, RESORT, an_id
from wallet.ledger import (
    QUANTITY_MAX,
    AccountKind,
    LedgerFault,
    Posting,
    Transfer,
    TransferKind,
    check_balanced,
    earned,
    price_sale,
    sale_postings,
    system_account,
    tax_within,
)
from wallet.money import AMOUNT_MINOR_MAX
from wallet.resort import Item, Outlet, Resort, Tax

FOLIO = an_id(8)


@st.composite
def catalogues(draw: st.DrawFn) -> Resort:
    rates = draw(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), min_size=1, max_size=3))
    taxes = tuple(Tax(f"tax-{n}", "Tax", rate, included) for n, (rate, included) in enumerate(rates))
    prices = draw(st.lists(st.integers(1, 10**7), min_size=1, max_size=4))
    tax_ids = st.sampled_from([tax.id for tax in taxes])
    items = tuple(Item(f"item-{n}", "Item", price, draw(tax_ids)) for n, price in enumerate(prices))
    return replace(RESORT, taxes=taxes, outlets=(Outlet("grill", "Grill", "shops", items),))


def a_transfer(*amounts: int) -> Transfer:
    postings = tuple(Posting(f"account-{n}", amount) for n, amount in enumerate(amounts))
    return Transfer(an_id(9), TransferKind.SALE, "EUR", NOON, NOON.date(), "lunch", postings)


@given(st.data(), catalogues())
def test_every_sale_balances_and_charges_the_account_the_total(data: st.DataObject, resort: Resort) -> None:
    items = {item.id: item for item in resort.outlet("grill").items}
    basket = data.draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(items)), st.integers(1, QUANTITY_MAX)), min_size=1, max_size=5
        )
    )
    sale = price_sale(resort, "grill", basket, an_id(7))
    for line, (item_id, quantity) in zip(sale.lines, basket, strict=True):
        tax, net = resort.tax(line.tax), items[item_id].price_minor * quantity
        exact = Fraction(net) if tax.included else net * Fraction(10_000 + tax.rate_bp, 10_000)
        assert (line.item, line.quantity) == (item_id, quantity)
        assert abs(line.amount_minor - exact) <= Fraction(1, 2)
    assert sale.total_minor == sum(line.amount_minor for line in sale.lines)

    postings = sale_postings(sale, FOLIO, resort)
    check_balanced(replace(a_transfer(), postings=postings))
    assert postings[0] == Posting(FOLIO, sale.total_minor)
    assert all(posting.amount_minor < 0 for posting in postings[1:])
    for tax in resort.taxes:
        gross = sum(line.amount_minor for line in sale.lines if line.tax == tax.id)
        account = system_account(AccountKind.TAX, "EUR", tax.id)
        booked = sum(posting.amount_minor for posting in postings if posting.account_id == account)
        assert -booked == tax_within(gross, tax)
        assert abs(-booked - Fraction(gross * tax.rate_bp, 10_000 + tax.rate_bp)) <= Fraction(1, 2)


def test_a_lunch_is_priced_and_booked_to_the_cent() -> None:
    sale = price_sale(RESORT, "grill", [("menu", 2), ("mug", 1)], an_id(7))
    assert (sale.total_minor, sale.currency, sale.outlet) == (3899, "EUR", "grill")
    assert {
        posting.account_id: posting.amount_minor for posting in sale_postings(sale, FOLIO, RESORT)[1:3]
    } == {
        "revenue:grill:EUR": -2636,
        "tax:vat10:EUR": -264,
    }


@pytest.mark.parametrize(
    ("outlet", "wanted", "sentence"),
    [
        ("grill", [("menu", 0)], "0 is no quantity"),
        ("grill", [("menu", -1)], "-1 is no quantity"),
        ("grill", [("menu", QUANTITY_MAX + 1)], "1000 is no quantity"),
        ("grill", [], "nothing in the basket"),
        ("grill", [("moon", 1)], "does not sell 'moon'"),
        ("moon", [("menu", 1)], "no outlet 'moon'"),
    ],
)
def test_what_cannot_be_sold_is_said_in_a_sentence(
    outlet: str, wanted: list[tuple[str, int]], sentence: str
) -> None:
    with pytest.raises(LedgerFault, match=sentence):
        price_sale(RESORT, outlet, wanted, an_id(7))


def test_an_unknown_tax_stops_the_price_and_the_booking() -> None:
    sale = price_sale(RESORT, "grill", [("menu", 1)], an_id(7))
    untaxed = replace(RESORT, taxes=())
    with pytest.raises(LedgerFault, match="no tax 'vat10'"):
        price_sale(untaxed, "grill", [("menu", 1)], an_id(7))
    with pytest.raises(LedgerFault, match="no tax 'vat10'"):
        sale_postings(sale, FOLIO, untaxed)


def test_a_total_that_is_not_the_sum_of_its_lines_is_refused() -> None:
    sale = price_sale(RESORT, "grill", [("menu", 1)], an_id(7))
    with pytest.raises(LedgerFault, match="do not add up"):
        sale_postings(replace(sale, total_minor=sale.total_minor + 1), FOLIO, RESORT)


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [
        ((), "two or more"),
        ((1,), "two or more"),
        ((5, -4), "off by 1"),
        ((0, 0), "0 is no amount"),
        ((AMOUNT_MINOR_MAX + 1, -AMOUNT_MINOR_MAX - 1), "no amount"),
    ],
)
def test_what_does_not_balance_is_refused(amounts: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(LedgerFault, match=sentence):
        check_balanced(a_transfer(*amounts))


def test_the_largest_amount_balances() -> None:
    check_balanced(a_transfer(AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX))


@given(st.integers(-(10**9), 10**9), st.sampled_from(["vat10", "vat21", "levy"]))
def test_what_is_earned_is_credited_whole_and_a_refund_is_its_mirror(gross: int, tax: str) -> None:
    postings = earned(gross, tax, "revenue:grill:EUR", "EUR", RESORT)
    assert sum(posting.amount_minor for posting in postings) == -gross
    mirror = earned(-gross, tax, "revenue:grill:EUR", "EUR", RESORT)
    assert mirror == [replace(posting, amount_minor=-posting.amount_minor) for posting in postings]
    assert all(posting.amount_minor for posting in postings)
