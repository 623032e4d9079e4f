"""The page's own QR codes, in Chromium, against the library that draws all others."""

import random
from typing import Any

import pytest
import qrcode
from playwright.sync_api import Browser

from tests.browser.conftest import Stay
from wallet import qr

pytestmark = pytest.mark.browser

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LEVELS = {"L": qrcode.constants.ERROR_CORRECT_L, "M": qrcode.constants.ERROR_CORRECT_M}
# The ends of versions 1, 9, 10, 11 (L) and 13, 17 (M) among them, where lengths and blocks change.
LENGTHS = (
    1,
    2,
    3,
    25,
    26,
    48,
    90,
    150,
    335,
    336,
    367,
    368,
    395,
    396,
    397,
    400,
    418,
    483,
    484,
    600,
    734,
    735,
    900,
)


def matrix(text: str, level: str) -> list[str]:
    code = qrcode.QRCode(error_correction=LEVELS[level])
    code.add_data(text, optimize=0)  # one alphanumeric segment, as the page writes it
    code.make(fit=True)
    return ["".join("01"[dark] for dark in row) for row in code.modules]


def in_page(browser: Browser, stay: Stay, script: str, given: Any) -> Any:
    page = browser.new_page()
    try:
        page.goto(f"{stay.house.url}/app/sign-in")
        return page.evaluate(script, given)
    finally:
        page.close()


def test_each_matrix_is_the_librarys(browser: Browser, stay: Stay) -> None:
    dice = random.Random(45)
    texts = ["P" + "".join(dice.choices(ALPHABET, k=length - 1)) for length in LENGTHS for _ in range(2)]
    cases = [(text, level) for text in texts for level in LEVELS]
    script = """async (cases) => {
        const { qrMatrix } = await import("/static/pass/qr.js");
        return cases.map(([text, level]) => qrMatrix(text, level).map((row) => row.join("")));
    }"""
    drawn = in_page(browser, stay, script, cases)
    for (text, level), rows in zip(cases, drawn, strict=True):
        assert rows == matrix(text, level), f"{len(text)} characters at level {level}"


def test_what_no_code_holds_is_refused(browser: Browser, stay: Stay) -> None:
    script = """async (texts) => {
        const { qrMatrix } = await import("/static/pass/qr.js");
        return texts.map((text) => { try { return qrMatrix(text).length; } catch (fault) { return fault.name; } });
    }"""
    assert in_page(browser, stay, script, ["a", "A" * 1249, "A" * 1250]) == ["RangeError", 97, "RangeError"]


def test_base45_in_the_page_is_the_wallets(browser: Browser, stay: Stay) -> None:
    dice = random.Random(9285)
    given = [list(dice.randbytes(length)) for length in (0, 1, 2, 3, 64, 255, 300)] + [[255, 255], [255]]
    script = """async (given) => {
        const { base45 } = await import("/static/pass/base45.js");
        return given.map((bytes) => base45(Uint8Array.from(bytes)));
    }"""
    assert in_page(browser, stay, script, given) == [qr.base45_encode(bytes(each)) for each in given]
