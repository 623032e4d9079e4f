"""Money as whole minor units of one currency; a float never comes near it."""

import re

# ISO 4217:2015, list one as of January 2026: active codes of money that one pays with, by the digits after the decimal
# sign. Funds (BOV, CLF, UYI …), metals, units of account and test codes (XAU, XDR, XTS …) are no till's.
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_WITH_TWO = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
    CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
    KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY
    TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = {
    code: digits
    for digits, codes in ((0, _WITHOUT), (2, _WITH_TWO), (3, _WITH_THREE))
    for code in codes.split()
}
_AMOUNT = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,3}))?")

AMOUNT_MINOR_MAX = 10**15
"""Largest amount that is taken anywhere, in minor units; every sum of a resort stays far below 64 bits."""


def is_currency(code: str) -> bool:
    """Return whether `code` is money that one can pay with today (an active code of ISO 4217)."""
    return code in _DIGITS


def digits_of(currency: str) -> int:
    """Return how many digits stand after the decimal sign in `currency` (ISO 4217 code)."""
    return _DIGITS.get(currency, 2)


def parse_amount(text: str, currency: str) -> int:
    """Return the minor units written in `text` ("12.50" → 1250).

    Raises:
        ValueError: not a plain decimal number, or more digits than the currency has.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an amount; write it like 12.50")
    sign, whole, fraction = match.groups()
    digits = digits_of(currency)
    fraction = fraction or ""
    if len(fraction) > digits:
        raise ValueError(f"{text!r} has more than {digits} digits after the point, {currency} has {digits}")
    value = int(whole + fraction.ljust(digits, "0"))
    if value > AMOUNT_MINOR_MAX:
        raise ValueError(f"{text!r} is larger than any amount this system takes")
    return -value if sign else value


def format_amount(amount_minor: int, currency: str) -> str:
    """Return the amount as people read it ("12.50 EUR")."""
    digits = digits_of(currency)
    text = str(abs(amount_minor)).rjust(digits + 1, "0")
    number = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"{'-' if amount_minor < 0 else ''}{number} {currency}"


def share(amount_minor: int, numerator: int, denominator: int) -> int:
    """Return amount × numerator / denominator, halves rounded away from zero.

    Raises:
        ValueError: the denominator is not positive.
    """
    if denominator <= 0:
        raise ValueError("a share needs a positive denominator")
    scaled = abs(amount_minor * numerator) * 2 + denominator
    rounded = scaled // (2 * denominator)
    return -rounded if amount_minor * numerator < 0 else rounded
