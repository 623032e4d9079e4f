"""No bit of what a chip holds or says can be flipped, and nothing a chip may answer lets anybody in."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from readers.presentation import present
from simulators.chips.ntag424_memory import Memory
from tests.support.chip_world import (
    ENTROPY,
    KEYS,
    CopiedContact,
    HandContact,
    KnownKeys,
    a_band,
    a_chip_credential,
    file_3_of,
    sun_of,
)
from tests.support.edge_world import FakeContact, a_credential
from wallet.chips import sun
from wallet.chips.keys import KeySlot
from wallet.reasons import Reason


def test_no_bit_of_a_credential_in_a_band_can_be_flipped():
    memory, content = a_band(), file_3_of(a_chip_credential(1))
    reasons = set()
    for bit in range((1 + content[0]) * 8):
        memory.files[3].data[:] = flipped(content, bit)
        shown = present(HandContact(memory), KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
        assert shown.credential is None, f"bit {bit}"
        reasons.add(shown.fault)
    assert reasons <= {
        Reason.CREDENTIAL_FORGED,
        Reason.CREDENTIAL_MALFORMED,
        Reason.CREDENTIAL_FOREIGN_KEY,
    }


def test_no_bit_of_a_credential_on_a_plain_chip_can_be_flipped():
    data = a_credential(1)
    for bit in range(len(data) * 8):
        contact = FakeContact(flipped(data, bit))
        shown = present(contact, KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
        assert shown.credential is None, f"bit {bit}"


def test_no_bit_of_a_sun_message_can_be_flipped():
    message = sun.parse_record(sun_of(a_band()))
    address = "https://resort.example/t?e={}&m={}"
    for bit in range(24 * 8):
        changed = flipped(message.picc + message.mac, bit)
        url = address.format(changed[:16].hex(), changed[16:].hex())
        record = b"\xd1\x01" + bytes([len(url) - 7]) + b"U\x04" + url.removeprefix("https://").encode()
        assert sun.parse_record(record) is not None
        shown = present(CopiedContact(record), KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
        # The last five bytes of the PICC data are padding of the chip's: AES spreads their flips over all of it.
        assert shown.fault is Reason.CHIP_NOT_PROVEN, f"bit {bit}"


class InBetween(HandContact):
    """Flips one bit of one answer on its way."""

    def __init__(self, memory: Memory, answer: int, bit: int) -> None:
        super().__init__(memory)
        self._answer, self._bit = answer, bit

    def exchange(self, apdu: bytes) -> bytes:
        number, answer = self.exchanges, super().exchange(apdu)
        return flipped(answer, self._bit % (len(answer) * 8)) if number == self._answer else answer


def test_no_bit_of_what_a_band_answers_can_be_flipped_on_its_way():
    memory = a_band(random_uid=True)
    for answer, bit in product(range(1, 7), range(0, 160 * 8, 7)):
        contact = InBetween(memory, answer, bit)
        shown = present(contact, KEYS, KnownKeys(), KeySlot.TILL, ENTROPY)
        assert shown.credential is None, f"bit {bit} of answer {answer}"
        assert shown.fault is not None


class Hostile(HandContact):
    """A chip that follows the protocol for a while and then answers what it likes."""

    def __init__(self, honest: int, answers: list[bytes]) -> None:
        super().__init__(a_band(random_uid=True))
        self._honest, self._answers = honest, answers

    def exchange(self, apdu: bytes) -> bytes:
        answer = super().exchange(apdu)
        number = self.exchanges - 1 - self._honest
        return self._answers[number % len(self._answers)] if number >= 0 else answer


@settings(max_examples=300, deadline=None)
@given(
    honest=st.integers(0, 6),
    answers=st.lists(
        st.builds(
            lambda body, status: body + status,
            st.binary(max_size=80) | st.sampled_from([bytes(16), bytes(32), b"\x01", bytes(144 + 8)]),
            st.sampled_from([b"\x90\x00", b"\x91\x00", b"\x91\xaf", b"\x91\xae", b"\x6e\x00"])
            | st.binary(min_size=2, max_size=2),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_whatever_a_chip_answers_the_reader_lives_and_nobody_is_let_in(honest, answers):
    shown = present(Hostile(honest, answers), KEYS, KnownKeys(epochs=(1, 2)), KeySlot.GATE, ENTROPY)
    assert shown.credential is None
    assert shown.sun is None
    assert shown.fault is not None


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
