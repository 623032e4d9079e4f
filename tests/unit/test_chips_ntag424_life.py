"""An NTAG 424 DNA through anything: every access right, random commands, and being torn away at every exchange."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.chips.chipfile import keep, load
from simulators.chips.inspect import describe
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import Memory
from simulators.chips.ntag424_settings import FREE, NEVER, AccessRights, CommMode, FileSettings
from tests.support.ntag424_terminal import FACTORY, SELECT, UID, Terminal, counting, position

INSTRUCTIONS = (0x71, 0x77, 0xAF, 0x5F, 0xC4, 0x51, 0xF6, 0xF5, 0x64, 0x60, 0xAD, 0x3C, 0x5C, 0x8D)


@pytest.mark.parametrize(
    ("right", "other", "key_no"),
    list(product((0, 3, FREE, NEVER), (3, FREE, NEVER), (None, 0, 3))),
)
def test_access_rights(right: int, other: int, key_no: int | None) -> None:
    """Reading takes Read or ReadWrite, writing Write or ReadWrite: by key, free, or never (8.2.3.3)."""
    for ins, rights in (
        (0xAD, AccessRights(right, NEVER, other, 0)),
        (0x8D, AccessRights(NEVER, right, other, 0)),
    ):
        terminal = Terminal()
        terminal.memory.files[3].settings = FileSettings(CommMode.PLAIN, rights)
        if key_no is not None:
            assert terminal.authenticate(key_no) == "9100"
        answer = terminal.send(ins, position(3, 0, 1) + (b"x" if ins == 0x8D else b""))
        if FREE in (right, other) or key_no in (right, other):
            expected = b"\x91\x00"
        else:
            expected = b"\x91\x9d" if (right, other) == (NEVER, NEVER) else b"\x91\xae"
        assert answer[-2:] == expected


native = st.tuples(st.sampled_from(INSTRUCTIONS), st.binary(max_size=40)).map(
    lambda pair: (
        bytes([0x90, pair[0], 0, 0]) + (bytes([len(pair[1])]) + pair[1] if pair[1] else b"") + b"\x00"
    )
)
short = st.tuples(st.sampled_from(INSTRUCTIONS), st.integers(0, 5), st.binary(max_size=8)).map(
    lambda each: bytes([0x90, each[0], 0, 0, 1 + len(each[2]), each[1]]) + each[2] + b"\x00"
)
inter_industry = st.tuples(st.sampled_from((0xA4, 0xB0, 0xD6)), st.binary(min_size=2, max_size=12)).map(
    lambda pair: bytes([0x00, pair[0]]) + pair[1]
)
commands = st.lists(
    st.one_of(native, short, inter_industry, st.binary(max_size=12), st.just(SELECT)), max_size=25
)


@settings(max_examples=150, deadline=None)
@given(commands, st.sampled_from([None, 0, 2, 3]))
def test_whatever_arrives_the_chip_answers_and_stays_lawful(given: list[bytes], key_no: int | None) -> None:
    terminal = Terminal()
    if key_no is not None:
        terminal.authenticate(key_no)
    kept = json.dumps(terminal.memory.to_document())
    for command in given:
        changes = terminal.changes
        answer = terminal.chip.process(command)
        assert 2 <= len(answer) <= 258
        now = json.dumps(terminal.memory.to_document())
        assert now == kept or terminal.changes == changes + 1, "a change that was not told, or told twice"
        kept = now
    again = Memory.from_document(json.loads(kept))
    assert again.to_document() == terminal.memory.to_document()
    assert all(key.value == FACTORY for key in again.keys), "a key changed without an authentic command"


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=3, max_size=40), st.integers(1, 3))
def test_settings_that_are_taken_can_be_told_and_set_again(data: bytes, number: int) -> None:
    terminal = Terminal()
    terminal.authenticate(0)
    assert terminal.channel is not None
    answer = terminal.chip.process(terminal.channel.command(0x5F, bytes([number]), data))
    if answer[-2:] != b"\x91\x00":
        assert terminal.changes == 0
        return
    document = terminal.memory.to_document()
    assert Memory.from_document(document).files[number].settings == terminal.memory.files[number].settings


def personalise(terminal: Terminal, keys: list[bytes]) -> None:
    """Give a chip keys, content and a random UID, going on from wherever an earlier try ended."""
    master = next(key for key in (keys[0], FACTORY) if terminal.authenticate(0, key) == "9100")
    for number in range(1, 5):
        if terminal.mac(0x64, bytes([number])) != b"\x01":
            terminal.change_key(number, keys[number], 1)
    terminal.full(0x5F, b"\x03", bytes.fromhex("03004F"))
    assert terminal.authenticate(0, master, first=False) == "9100"
    terminal.full(0x8D, position(3, 0, 6), b"signed")
    terminal.full(0x5C, b"\x00", b"\x02")
    terminal.change_key(0, keys[0], 1, master)


class Torn(Exception):
    """The chip is out of the field."""


class TornTerminal(Terminal):
    """Loses the chip after so many commands, the last one executed or not."""

    def __init__(self, memory: Memory, left: int, lose_answer: bool) -> None:
        super().__init__(memory)
        process = self.chip.process

        def torn(command: bytes) -> bytes:
            nonlocal left
            if left == 0:
                if lose_answer:
                    process(command)
                raise Torn
            left -= 1
            return process(command)

        self.chip.process = torn  # type: ignore[method-assign]  # the chip's air is what breaks here


@pytest.mark.parametrize("lose_answer", [False, True])
def test_torn_at_every_exchange_the_chip_is_personalised_by_another_touch(
    lose_answer: bool, tmp_path: Path
) -> None:
    keys = [bytes([0x10 + number]) * 16 for number in range(5)]
    for left in range(40):
        path = tmp_path / f"{left}.json"
        chip = Ntag424(Memory(UID), counting())
        keep(chip, path)
        terminal = TornTerminal(chip.memory, left, lose_answer)
        terminal.chip.context.on_change = chip.on_change
        try:
            personalise(terminal, keys)
            finished = True
        except Torn:
            finished = False
        # The power is gone: what counts is what the file holds.
        after = load(path)
        assert isinstance(after, Ntag424)
        assert after.memory.to_document() == chip.memory.to_document()
        personalise(Terminal(after.memory), keys)
        assert [key.value for key in after.memory.keys] == keys
        assert {key.version for key in after.memory.keys} == {1}
        assert after.memory.files[3].data[:6] == b"signed"
        assert after.memory.configuration.random_uid
        if finished:
            return
    raise AssertionError("personalising never came to its end")


def test_a_kept_chip_comes_back_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "band.json"
    chip = Ntag424(Memory(UID), counting())
    keep(chip, path)
    terminal = Terminal(chip.memory)
    terminal.chip.context.on_change = chip.on_change
    personalise(terminal, [b"k" * 16] * 5)
    assert terminal.authenticate(1, bytes(16)) == "91AE"
    loaded = load(path)
    assert isinstance(loaded, Ntag424)
    assert loaded.memory.to_document() == chip.memory.to_document()
    assert loaded.memory.keys[1].failures == 1
    assert list(describe(loaded)) == list(describe(chip))


def test_the_inspector_says_what_was_done() -> None:
    chip = Ntag424(Memory(UID), counting())
    assert "key 0  factory, version 0" in list(describe(chip))
    terminal = Terminal(chip.memory)
    personalise(terminal, [b"k" * 16] * 5)
    terminal.authenticate(0, b"k" * 16)
    sdm = "40 00E0 C1F1 42 200000 600000 600000"
    terminal.full(0x5F, b"\x02", bytes.fromhex(sdm))
    lines = "\n".join(describe(chip))
    assert "UID 04a1b2c3d4e5f6  random UID in the field" in lines
    assert "key 0  changed, version 1" in lines
    assert (
        "file 3 (data, 128 bytes)  FULL  read key 4, write nobody, read and write key 0, change key 0"
        in lines
    )
    assert "SDM mirrors UID and read counter encrypted under key 4 at 32" in lines
    assert "SDM MAC under key 2 at 96" in lines
    assert "SDM counter is told to key 1" in lines
    assert "signed" in lines
    assert ("k" * 16).encode().hex() not in lines
