"""SUN addresses: what is written to the chip and what is read from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.chips import sun
from wallet.chips.ndef import find_credential


def filled(made: sun.SunTemplate, picc: bytes, mac: bytes) -> bytes:
    """Return the file as the chip shows it."""
    shown = bytearray(made.file)
    shown[made.picc_offset : made.picc_offset + 32] = picc.hex().upper().encode()
    shown[made.mac_offset : made.mac_offset + 16] = mac.hex().upper().encode()
    return bytes(shown)


def test_what_the_chip_mirrors_is_read_back() -> None:
    made = sun.template("https://resort.example/tap")
    picc, mac = bytes(range(16)), bytes(range(8))
    file = filled(made, picc, mac)
    assert int.from_bytes(file[:2]) == len(file) - 2
    assert sun.parse_record(file[2:]) == sun.SunMessage(picc, mac)
    assert find_credential(file[2:]) is None, (
        "for a reader of credentials it is a stranger's record, not a torn one"
    )
    assert sun.parse(f"https://resort.example/tap?e={picc.hex()}&m={mac.hex()}") == sun.SunMessage(picc, mac)


@pytest.mark.parametrize(
    "url", ["ftp://x/tap", "https://x/tap?a=1", "https://x/#t", "https://" + "x" * 200, ""]
)
def test_an_address_that_no_chip_can_carry_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|too long"):
        sun.template(url)


@given(st.binary(max_size=120))
def test_records_of_strangers_show_nothing(message: bytes) -> None:
    assert sun.parse_record(message) is None


def test_a_record_that_goes_on_after_its_end_shows_nothing() -> None:
    message = filled(sun.template("https://resort.example/tap"), bytes(16), bytes(8))[2:]
    assert sun.parse_record(message + b"\x00") is None
    assert sun.parse_record(message[:-1]) is None
