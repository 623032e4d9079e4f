"""Hostile chips: whatever they answer, each presentation ends, in a credential or a driver's own error."""

import queue
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from readers.drivers import activation, nfcpy_contact
from readers.drivers.base import ChipFault, Contact, ContactLost
from readers.drivers.nfcpy_driver import NfcpyDriver
from simulators.chips.chip import ChipState, EmulatedChip
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.ndef import encode_credential_message

PATIENCE_S = 15.0
CREDENTIAL = b"an honest credential"


class HostileChip:
    """Behaves for some commands, then answers with bytes of its own choosing."""

    state = ChipState.ACTIVE

    def __init__(self, honest: Ntag21x | Type4Chip, dice: random.Random) -> None:
        self._honest, self._dice = honest, dice
        self.uid, self.sens_res, self.sel_res = honest.uid, honest.sens_res, honest.sel_res
        self._honest_for = dice.choice([0, 0, 1, 2, 3, 5, 8, 20])
        self._habit = dice.choice(
            ["noise", "mutate", "repeat", "extend", "truncate", "chain", "wait", "silent"]
        )

    def power_up(self) -> None:
        self._honest.power_up()

    def respond(self, command: bytes) -> bytes | None:
        answer = self._honest.respond(command) or b""
        if self._honest_for > 0:
            self._honest_for -= 1
            return answer
        dice = self._dice
        if self._habit == "noise":
            return dice.randbytes(dice.choice([1, 2, 3, 4, 8, 16, 17, 60, 250]))
        if self._habit == "mutate" and answer:
            at = dice.randrange(len(answer))
            return answer[:at] + bytes([answer[at] ^ 1 << dice.randrange(8)]) + answer[at + 1 :]
        if self._habit == "repeat":
            return command
        if self._habit == "extend":
            return answer + dice.randbytes(5)
        if self._habit == "truncate":
            return answer[: dice.randrange(len(answer) + 1)]
        if self._habit == "chain":  # never ends its answer
            return bytes([0x12 | command[0] & 1]) + b"more"
        if self._habit == "wait":  # asks for more time again and again
            return b"\xf2\x3b"
        return None if dice.random() < 0.5 else answer


class Bench:
    """A reader at work that notes what came of each presentation."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.field = Field(port)
        self.driver = NfcpyDriver(f"udp:127.0.0.1:{port}", time.monotonic)
        self.seen: queue.Queue[object] = queue.Queue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.driver.serve, args=(self._handle, self.stop), daemon=True)
        self.thread.start()

    def _handle(self, contact: Contact) -> None:
        try:
            self.seen.put(contact.read_credential())
        except (ChipFault, ContactLost) as error:
            self.seen.put(error)
        except Exception as error:  # anything else is a driver's bug, and the test shall see it
            self.seen.put(AssertionError(f"leaked {error!r}"))

    def tap(self, chip: EmulatedChip) -> object:
        self.field.remove()
        self.field.present(chip)
        return self.seen.get(timeout=PATIENCE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.stop.set()
    bench.thread.join(PATIENCE_S)
    bench.field.remove()
    assert not bench.thread.is_alive()


def chip_of(kind: str, number: int) -> Ntag21x | Type4Chip:
    chip_uid = b"\x04" + number.to_bytes(6)
    message = encode_credential_message(CREDENTIAL)
    if kind == "type4":
        return Type4Chip(chip_uid, NdefApplication((len(message).to_bytes(2) + message).ljust(128, b"\x00")))
    chip = Ntag21x(kind, chip_uid)
    tlv = b"\x03" + bytes([len(message)]) + message + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


def outcome_is_ours(outcome: object) -> bool:
    return outcome is None or isinstance(outcome, (bytes, ChipFault, ContactLost))


@pytest.mark.parametrize("kind", ["ntag213", "type4"])
@pytest.mark.parametrize("seed", range(2))
def test_a_reader_outlives_hostile_answers(
    bench: Bench, kind: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nfcpy_contact, "READ_BUDGET_S", 0.3)  # endless chips use all of it
    monkeypatch.setattr(activation, "ACTIVATION_BUDGET_S", 0.3)
    dice = random.Random(f"{kind} {seed}")
    for number in range(60):
        outcome = bench.tap(HostileChip(chip_of(kind, number), dice))
        assert outcome_is_ours(outcome), (number, outcome)
    while not bench.seen.empty():
        assert outcome_is_ours(bench.seen.get())
    bench.field.remove()
    honest = chip_of(kind, 1000)
    bench.field.present(honest)
    while (outcome := bench.seen.get(timeout=PATIENCE_S)) != CREDENTIAL:
        assert outcome_is_ours(outcome)
    assert bench.driver.health().faults == 0


@pytest.mark.parametrize("kind", ["ntag213", "ntag216", "type4"])
def test_a_reader_outlives_random_memory(bench: Bench, kind: str) -> None:
    dice = random.Random(kind)
    for number in range(150):
        chip = chip_of(kind, number)
        memory = chip.memory if isinstance(chip, Ntag21x) else chip.ndef.ndef_file
        first = 12 if isinstance(chip, Ntag21x) and dice.random() < 0.3 else 16
        first = first if isinstance(chip, Ntag21x) else 0
        for _ in range(dice.choice([1, 2, 4, 30])):
            memory[first + dice.randrange(min(40, len(memory) - first))] = dice.randrange(256)
        outcome = bench.tap(chip)
        assert outcome_is_ours(outcome), (number, outcome)
    assert bench.tap(chip_of(kind, 1000)) == CREDENTIAL
    assert bench.driver.health().presentations == 151
