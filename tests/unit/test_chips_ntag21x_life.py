"""An NTAG21x through random commands: it never fails, and what can't be undone never is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.chips.chip import ChipState
from simulators.chips.ntag21x import Ntag21x

UID = bytes.fromhex("04112233445566")
CODES = (0x30, 0x3A, 0xA2, 0xA0, 0x60, 0x1B, 0x39, 0x3C, 0x50)
PAGES = (0x02, 0x03, 0x04, 0x10, 0x28, 0x29, 0x2A, 0x2B, 0x2C)

writes = st.tuples(st.sampled_from(PAGES), st.binary(min_size=4, max_size=4)).map(
    lambda each: bytes([0xA2, each[0]]) + each[1]
)
others = st.tuples(st.sampled_from(CODES), st.binary(max_size=6)).map(lambda each: bytes([each[0]]) + each[1])
commands = st.lists(st.one_of(writes, others, st.binary(max_size=20), st.just(b"up")), max_size=40)


@settings(max_examples=150, deadline=None)
@given(commands)
def test_whatever_arrives_locks_only_rise_and_nothing_changes_untold(given: list[bytes]) -> None:
    chip = Ntag21x("ntag213", UID)
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    chip.on_change = tell
    for command in given:
        if command == b"up" or chip.state is not ChipState.ACTIVE:
            chip.power_up()
        before, counter, failed, told = bytes(chip.memory), chip.read_counter, chip.failed_logins, 0
        answer = chip.respond(command)
        assert answer is None or len(answer) <= 45 * 4
        changed = (bytes(chip.memory), chip.read_counter, chip.failed_logins) != (before, counter, failed)
        assert told == 1 if changed else told <= 1
        assert chip.memory[:10] == before[:10], "the UID and its checks are fixed"
        assert chip.read_counter in (counter, counter + 1)
        for once in (*range(10, 16), *range(0xA0, 0xA3)):  # static locks, CC, dynamic locks
            assert chip.memory[once] & before[once] == before[once], f"bit of byte {once} fell"


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(range(4, 0x28)), st.binary(min_size=4, max_size=4))
def test_a_locked_page_keeps_what_it_holds(page: int, data: bytes) -> None:
    chip = Ntag21x("ntag213", UID)
    assert chip.respond(bytes([0xA2, page]) + b"kept") == b"\x0a"
    assert chip.respond(bytes.fromhex("A2020000F8FF")) == b"\x0a"  # pages 3 to 15
    assert chip.respond(bytes.fromhex("A228FF0F0000")) == b"\x0a"  # pages 16 on
    assert chip.respond(bytes([0xA2, page]) + data) == b"\x00"
    assert chip.memory[page * 4 : page * 4 + 4] == b"kept"
