"""Hostile chips: whatever they answer, each presentation ends, in a credential or a driver's own error.

The chips and the order of their tricks come from a seed; each test prints its mix (`pytest -s`, or when it fails).
"""

import queue
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import ndef
import nfc.clf
import pytest

from readers.drivers import activation, nfcpy_contact
from readers.drivers.base import BadRecord, ChipFault, Contact, ContactLost
from readers.drivers.nfcpy_driver import NfcpyDriver
from simulators.chips.chip import ChipState
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from tests.support.near_reader import NearChip, NearReader
from wallet.chips.ndef import encode_credential_message

CREDENTIAL = b"an honest credential"
MESSAGE = encode_credential_message(CREDENTIAL)
PATIENCE_S = 15.0
CHIPS = 800
KINDS = ("ntag213", "ntag216", "type4")
RATS = 0xE0

Answers = Callable[[bytes, bytes, random.Random], bytes | None]
"""What a hostile chip makes of (command, honest answer); None is silence. It may raise what a link raises."""


def _raises(error: type[Exception]) -> Answers:
    def answer(command: bytes, honest: bytes, dice: random.Random) -> bytes | None:
        if dice.random() < 0.5:
            raise error("from the link")
        return honest

    return answer


def _flip(command: bytes, honest: bytes, dice: random.Random) -> bytes:
    if not honest:
        return b"\x00"
    at = dice.randrange(len(honest))
    return honest[:at] + bytes([honest[at] ^ 1 << dice.randrange(8)]) + honest[at + 1 :]


HABITS: dict[str, Answers] = {
    "noise": lambda command, honest, dice: dice.randbytes(dice.choice([1, 2, 3, 4, 8, 16, 17, 60, 250])),
    "bit flipped": _flip,
    "echo": lambda command, honest, dice: command,
    "too long": lambda command, honest, dice: honest + dice.randbytes(dice.choice([1, 5, 300])),
    "too short": lambda command, honest, dice: honest[: dice.randrange(len(honest) + 1)],
    "empty": lambda command, honest, dice: b"",
    "chained for ever": lambda command, honest, dice: bytes([0x12 | command[0] & 1]) + b"more",
    "asks for time for ever": lambda command, honest, dice: b"\xf2\x3b",
    "NAK": lambda command, honest, dice: dice.choice([b"\x00", b"\x01", b"\x04", b"\xb2", b"\xb3"]),
    "silent now and then": lambda command, honest, dice: None if dice.random() < 0.5 else honest,
    "silent for good": lambda command, honest, dice: None,
    "ATS of its own": lambda command, honest, dice: _ats(dice) if command[:1] == bytes([RATS]) else honest,
    "status words": lambda command, honest, dice: (
        honest[:1] + dice.choice([b"\x6a\x82", b"\x91\xaf", b"\x90"])
    ),
    "frames lost": _raises(nfc.clf.TimeoutError),
    "frames garbled": _raises(nfc.clf.TransmissionError),
    "frames against the protocol": _raises(nfc.clf.ProtocolError),
    "link broken": _raises(nfc.clf.BrokenLinkError),
}


def _ats(dice: random.Random) -> bytes:
    body = dice.randbytes(dice.choice([0, 0, 1, 2, 3, 5, 19]))
    return bytes([len(body) + dice.choice([1, 1, 1, 0, 2, 200])]) + body


class HostileChip:
    """Behaves for some commands, then answers by its habit."""

    state = ChipState.ACTIVE

    def __init__(self, honest: Ntag21x | Type4Chip, habit: str, dice: random.Random) -> None:
        self._honest, self._answers, self._dice = honest, HABITS[habit], dice
        self.uid, self.sens_res, self.sel_res = honest.uid, honest.sens_res, honest.sel_res
        first = [0] if habit == "ATS of its own" else [0, 0, 1, 2, 3, 5, 8, 20]
        self._honest_for = dice.choice(first)

    def power_up(self) -> None:
        self._honest.power_up()

    def respond(self, command: bytes) -> bytes | None:
        answer = self._honest.respond(command) or b""
        if self._honest_for > 0:
            self._honest_for -= 1
            return answer or None
        return self._answers(command, answer, self._dice)


def chip_of(kind: str, number: int, message: bytes = MESSAGE) -> Ntag21x | Type4Chip:
    chip_uid = b"\x04" + number.to_bytes(6)
    if kind == "type4":
        return Type4Chip(chip_uid, NdefApplication((len(message).to_bytes(2) + message).ljust(256, b"\x00")))
    chip = Ntag21x(kind, chip_uid)
    tlv = b"\x03" + bytes([len(message)]) + message + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


def serve_all(chips: list[tuple[str, NearChip]], path: str) -> Counter[tuple[str, str]]:
    """Hold every chip to one reader, an honest one after each tenth; return what came of which trick.

    The reader must read every honest one, and nothing but its own errors may come of the others.
    """
    told: list[str] = []

    def held() -> Iterator[NearChip]:
        for number, (trick, chip) in enumerate(chips):
            told.append(trick)
            yield chip
            if number % 10 == 9:
                told.append("honest")
                yield chip_of("ntag213", 10_000_000 + number)

    reader = NearReader(held(), path)
    reader.serve()
    mix: Counter[tuple[str, str]] = Counter()
    for trick, outcome in zip(told, reader.outcomes, strict=True):
        assert outcome is None or isinstance(outcome, (bytes, str, ChipFault, ContactLost)), (trick, outcome)
        assert trick != "honest" or outcome == CREDENTIAL, outcome
        mix[trick, type(outcome).__name__] += 1
    print(f"{len(chips)} chips at {path.partition(':')[0]}:", dict(sorted(mix.items())))
    health = reader.driver.health()
    assert (health.state, health.faults) == ("up", 0), health
    assert health.presentations == sum(not isinstance(each, str) for each in reader.outcomes)
    return mix


@pytest.mark.parametrize("path", ["udp:127.0.0.1:1", "usb:054c:06c3"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_outlives_hostile_answers(kind: str, path: str) -> None:
    dice = random.Random(f"{kind} {path}")
    chips: list[tuple[str, NearChip]] = []
    for number in range(CHIPS):
        habit = list(HABITS)[number % len(HABITS)]
        chips.append((habit, HostileChip(chip_of(kind, number), habit, dice)))
    mix = serve_all(chips, path)
    assert {trick for trick, _ in mix} == {*HABITS, "honest"}
    assert {outcome for _, outcome in mix} >= {"BadRecord", "bytes"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_outlives_random_memory(kind: str) -> None:
    dice = random.Random(f"memory {kind}")
    chips: list[tuple[str, NearChip]] = []
    for number in range(CHIPS):
        chip = chip_of(kind, number)
        memory = chip.memory if isinstance(chip, Ntag21x) else chip.ndef.ndef_file
        first = (12 if dice.random() < 0.3 else 16) if isinstance(chip, Ntag21x) else 0
        flips = dice.choice([1, 2, 4, 30])
        for _ in range(flips):
            memory[first + dice.randrange(min(40, len(memory) - first))] = dice.randrange(256)
        chips.append((f"{flips} bytes of memory", chip))
    mix = serve_all(chips, "udp:127.0.0.1:1")
    assert {outcome for _, outcome in mix} >= {"BadRecord", "bytes"}


def _records(dice: random.Random) -> bytes:
    """Return records with flags, lengths and types of any kind, some of them true to their length."""
    message = b""
    for _ in range(dice.choice([1, 1, 2, 4])):
        flags, kind, payload = dice.randrange(256), dice.randbytes(dice.randrange(6)), dice.randbytes(9)
        size = dice.choice([len(payload), dice.randrange(256)])
        length = bytes([size]) if flags & 0x10 else (size << dice.choice([0, 0, 24])).to_bytes(4)
        message += bytes([flags, len(kind)]) + length + kind + payload
    return message[:120]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_outlives_hostile_records(kind: str) -> None:
    """The wrapping is whole and what it holds is not: records, URIs and texts against their own lengths."""
    dice = random.Random(f"records {kind}")
    tricks: dict[str, Callable[[], bytes]] = {
        "random records": lambda: _records(dice),
        "a flipped byte": lambda: _flip(b"", MESSAGE, dice),
        "cut": lambda: MESSAGE[: dice.randrange(len(MESSAGE))],
        "twice": lambda: MESSAGE * 2,
        "a text that is no UTF-8": lambda: b"\xd1\x01\x05T\x02en\xff\xfe",
        "a URI that is no UTF-8": lambda: b"\xd1\x01\x04U\x00\xff\xfe\xfd",
        "noise": lambda: dice.randbytes(dice.randrange(1, 120)),
    }
    chips: list[tuple[str, NearChip]] = []
    for number in range(CHIPS):
        trick = list(tricks)[number % len(tricks)]
        chips.append((trick, chip_of(kind, number, tricks[trick]())))
    mix = serve_all(chips, "udp:127.0.0.1:1")
    assert {trick for trick, _ in mix} == {*tricks, "honest"}


def test_a_reader_outlives_hostile_selection() -> None:
    dice = random.Random("selection")
    chips: list[tuple[str, NearChip]] = []
    for number in range(CHIPS):
        chip = HostileChip(chip_of(dice.choice(KINDS), number), "noise", dice)
        chip.sens_res = dice.randbytes(dice.choice([2, 2, 2, 1, 3]))
        chip.sel_res = dice.randrange(256)
        chip.uid = dice.randbytes(dice.choice([4, 7, 10, 4, 7, 0, 5]))
        chips.append(("any selection", chip))
    mix = serve_all(chips, "udp:127.0.0.1:1")
    assert mix["any selection", "str"], "some can't even be selected"


def test_a_reader_outlives_hostile_answers_over_the_emulated_link_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same tricks as datagrams, with real time; one of each, since silence costs time there."""
    monkeypatch.setattr(nfcpy_contact, "READ_BUDGET_S", 0.3)  # endless chips use all of it
    monkeypatch.setattr(activation, "ACTIVATION_BUDGET_S", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    field, seen, stop = Field(port), queue.Queue[object](), threading.Event()

    def handle(contact: Contact) -> None:
        try:
            seen.put(contact.read_credential())
        except Exception as error:
            seen.put(error)

    driver = NfcpyDriver(f"udp:127.0.0.1:{port}", time.monotonic)
    thread = threading.Thread(target=driver.serve, args=(handle, stop), daemon=True)
    thread.start()
    dice = random.Random("link")
    habits = [name for name in HABITS if not name.startswith(("frames", "link", "silent for good"))]
    try:
        for number, habit in enumerate(habits):
            kind = KINDS[number % 2 + 1]
            field.present(HostileChip(chip_of(kind, number), habit, dice))
            outcome = seen.get(timeout=PATIENCE_S)
            assert outcome is None or isinstance(outcome, (bytes, ChipFault, ContactLost)), (habit, outcome)
            field.remove()
        field.present(chip_of("ntag216", 1000))
        while seen.get(timeout=PATIENCE_S) != CREDENTIAL:
            pass
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        field.remove()
    assert not thread.is_alive()
    assert driver.health().faults == 0


# --- a reader never dies ---------------------------------------------------------------------------------------------

UNDECODABLE = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
RAISED = (
    IndexError("bytearray index out of range"),  # a legal short ATS, nfc/tag/tt4.py
    nfc.clf.TimeoutError("no answer"),
    ndef.DecodeError("a record against its length"),
    UNDECODABLE,
    OSError(19, "No such device"),  # unplugged
    RuntimeError("what no one expected"),
)


class FailingChip(HostileChip):
    """Raises from its `after`-th command on, as the libraries beneath a driver do."""

    def __init__(self, number: int, error: Exception, after: int) -> None:
        super().__init__(chip_of("type4", number), "echo", random.Random(number))
        self._honest_for, self._error = after, error
        self._answers = self._fail

    def _fail(self, command: bytes, honest: bytes, dice: random.Random) -> bytes | None:
        raise self._error


def _names(errors: tuple[Exception, ...]) -> list[str]:
    return [type(error).__name__ for error in errors]


@pytest.mark.parametrize("error", RAISED, ids=_names(RAISED))
@pytest.mark.parametrize("after", [0, 1, 4])
def test_no_exception_at_a_chip_ends_a_reader_and_its_health_tells_of_a_lost_device(
    error: Exception, after: int
) -> None:
    """It comes up in the activation (0), in the first command of the read, and in the middle of it."""
    reader = NearReader(iter([FailingChip(1, error, after), chip_of("ntag216", 2)]))
    reader.serve()
    *first, last = reader.outcomes
    assert last == CREDENTIAL
    health = reader.driver.health()
    if isinstance(error, OSError):
        assert health.faults > 0
        assert "No such device" in health.last_error
        assert reader.opened == health.faults + 1, "opened again after each loss"
    else:
        assert (health.state, health.faults, reader.opened) == ("up", 0, 1)
    assert all(isinstance(each, (BadRecord, ContactLost, str)) or each is None for each in first), first


@pytest.mark.parametrize("error", RAISED, ids=_names(RAISED))
def test_no_exception_between_two_chips_ends_a_reader(error: Exception) -> None:
    """Selecting and looking whether the chip is still there fail three times; the next chip is read."""
    failures = [error] * 3
    reader = NearReader(iter([chip_of("ntag216", 1), chip_of("type4", 2)]))

    def fail() -> None:
        if reader.outcomes and failures:
            raise failures.pop()

    reader.look = fail
    reader.serve()
    assert reader.outcomes == [CREDENTIAL, CREDENTIAL]
    health = reader.driver.health()
    assert health.state == "up"
    if isinstance(error, nfc.clf.CommunicationError):
        assert health.faults == 0, "nfcpy takes it for an empty field"
    else:
        assert health.faults == 3
        assert health.last_error
        assert reader.opened == 4
