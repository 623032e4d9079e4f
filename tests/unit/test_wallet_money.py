"""Money: written and read back to the minor unit, and shares that round as they say."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.money import AMOUNT_MINOR_MAX, digits_of, format_amount, is_currency, parse_amount, share

AMOUNTS = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)


@given(AMOUNTS, st.sampled_from(["EUR", "JPY", "KWD", "XOF", "TND"]))
def test_what_was_written_is_read_back(amount: int, currency: str) -> None:
    number, _, unit = format_amount(amount, currency).partition(" ")
    assert unit == currency
    assert parse_amount(number, currency) == amount


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("XCG", 2), ("JPY", 0), ("KWD", 3)])
def test_an_active_currency_is_known_with_its_digits(code: str, digits: int) -> None:
    assert is_currency(code)
    assert digits_of(code) == digits


@pytest.mark.parametrize("code", ["ZZZ", "eur", "", "DEM", "HRK", "XTS", "XAU", "CLF"])
def test_no_currency_and_none_of_today_is_money_to_pay_with(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        (" -0.05 ", "EUR", -5),
        ("12", "JPY", 12),
        ("1.234", "KWD", 1234),
        ("10000000000000.00", "EUR", AMOUNT_MINOR_MAX),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "EUR"),
        ("12,50", "EUR"),
        ("1.234", "EUR"),
        ("1.0", "JPY"),
        ("1e3", "EUR"),
        ("--1", "EUR"),
        ("١٢", "EUR"),
        (".5", "EUR"),
        ("5.", "EUR"),
        ("nan", "EUR"),
        ("10000000000000.01", "EUR"),
        ("9" * 400, "EUR"),
    ],
)
def test_what_is_no_amount_is_refused_in_a_sentence(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount|has more than|is larger"):
        parse_amount(text, currency)


@given(st.text())
def test_any_text_is_an_amount_or_a_value_error(text: str) -> None:
    try:
        amount = parse_amount(text, "EUR")
    except ValueError:
        return
    assert abs(amount) <= AMOUNT_MINOR_MAX


def test_digits_are_those_of_iso_4217() -> None:
    assert [digits_of(code) for code in ("EUR", "USD", "VND", "XPF", "BHD", "LYD")] == [2, 2, 0, 0, 3, 3]
    assert format_amount(-5, "EUR") == "-0.05 EUR"
    assert format_amount(5, "JPY") == "5 JPY"


@given(AMOUNTS, st.integers(-20000, 20000), st.integers(1, 20000))
def test_a_share_is_the_nearest_whole_unit_and_halves_go_away_from_zero(a: int, n: int, d: int) -> None:
    exact, got = Fraction(a * n, d), share(a, n, d)
    assert abs(got - exact) <= Fraction(1, 2)
    if abs(got - exact) == Fraction(1, 2):
        assert abs(got) > abs(exact)
    assert share(-a, n, d) == -got
    assert share(a, d, d) == a


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_share_of_nothing_is_refused(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        share(1, 1, denominator)
