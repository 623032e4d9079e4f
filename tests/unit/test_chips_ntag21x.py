"""The emulated NTAG21x keeps to its data sheet (NXP NTAG213_215_216 rev 3.2)."""

import pytest

from simulators.chips.chip import ChipState
from simulators.chips.ntag21x import Ntag21x

UID = bytes.fromhex("04112233445566")
NAK = b"\x00"
KINDS = ["ntag213", "ntag215", "ntag216"]


def chip_of(kind: str = "ntag213") -> Ntag21x:
    return Ntag21x(kind, UID)


def send(chip: Ntag21x, command: str) -> bytes | None:
    return chip.respond(bytes.fromhex(command))


def configure(chip: Ntag21x, auth0: int = 0xFF, access: int = 0, password: str = "00112233") -> None:
    """Write configuration as a reader does, and let it take effect with a new field."""
    page = chip.layout.config_page
    assert send(chip, f"A2{page + 2:02X}{password}") == b"\x0a"
    assert send(chip, f"A2{page + 3:02X}BEEF0000") == b"\x0a"
    assert send(chip, f"A2{page + 1:02X}{access:02X}050000") == b"\x0a"
    assert send(chip, f"A2{page:02X}040000{auth0:02X}") == b"\x0a"
    chip.power_up()


@pytest.mark.parametrize(
    ("kind", "version", "cc", "user"),
    [
        ("ntag213", "0004040201000F03", "E1101200", "0103A00C340300FE"),
        ("ntag215", "0004040201001103", "E1103E00", "0300FE0000000000"),
        ("ntag216", "0004040201001303", "E1106D00", "0300FE0000000000"),
    ],
)
def test_delivery_state(kind: str, version: str, cc: str, user: str) -> None:
    chip = chip_of(kind)
    assert send(chip, "60") == bytes.fromhex(version)
    first = send(chip, "3000")
    assert first == bytes.fromhex("041122BF33445566") + bytes(
        [0x33 ^ 0x44 ^ 0x55 ^ 0x66]
    ) + b"\x48\0\0" + bytes.fromhex(cc)
    assert (send(chip, "3004") or b"")[:8] == bytes.fromhex(user)
    assert send(chip, "3C00") == bytes(32)


@pytest.mark.parametrize(("kind", "last"), [("ntag213", 0x2C), ("ntag215", 0x86), ("ntag216", 0xE6)])
def test_read_rolls_over_and_ends(kind: str, last: int) -> None:
    chip = chip_of(kind)
    rolled = send(chip, f"30{last:02X}")
    assert rolled is not None
    assert rolled[4:] == (send(chip, "3000") or b"")[:12]
    assert send(chip, f"30{last + 1:02X}") == NAK
    assert chip.state is ChipState.IDLE


def test_fast_read_gives_the_range_or_refuses() -> None:
    chip = chip_of()
    assert send(chip, "3A0305") == bytes.fromhex("E11012000103A00C340300FE")
    assert len(send(chip, "3A002C") or b"") == 45 * 4
    for refused in ("3A0503", "3A002D", "3A00"):
        chip.power_up()
        assert send(chip, refused) == NAK


@pytest.mark.parametrize(
    "command", ["", "FF", "1A00", "30", "300000", "A204", "A20401020304FF", "60FF", "3C01", "3900"]
)
def test_what_it_does_not_know_is_refused(command: str) -> None:
    chip = chip_of()
    before = bytes(chip.memory)
    assert send(chip, command) == NAK
    assert chip.state is ChipState.IDLE
    assert bytes(chip.memory) == before


def test_write_stores_and_identity_pages_are_fixed() -> None:
    chip = chip_of()
    assert send(chip, "A20401020304") == b"\x0a"
    assert (send(chip, "3004") or b"")[:4] == b"\x01\x02\x03\x04"
    for page in ("00", "01", "2D", "FF"):
        chip.power_up()
        assert send(chip, f"A2{page}01020304") == NAK
    assert chip.memory[:8] == chip.layout.factory_memory(UID)[:8]


def test_compatibility_write_takes_two_steps() -> None:
    chip = chip_of()
    assert send(chip, "A005") == b"\x0a"
    assert send(chip, "CAFEBABE" + "00" * 12) == b"\x0a"
    assert bytes(chip.memory[20:24]) == bytes.fromhex("CAFEBABE")
    assert send(chip, "A005") == b"\x0a"
    assert send(chip, "3004") == NAK


def test_the_capability_container_only_gains_bits() -> None:
    chip = chip_of()
    assert send(chip, "A203000F000F") == b"\x0a"
    assert bytes(chip.memory[12:16]) == bytes.fromhex("E11F120F")


def test_static_locks_hold_for_ever_and_block_locks_freeze_them() -> None:
    chip = chip_of()
    assert send(chip, "A202FFFF1200") == b"\x0a"  # lock page 4, freeze the locks of pages 4 to 9
    assert send(chip, "A20401020304") == NAK
    chip.power_up()
    assert send(chip, "A202000020F0") == b"\x0a"  # page 5 is frozen as it is, pages 12 to 15 lock
    assert bytes(chip.memory[8:12]) == bytes([0x33 ^ 0x44 ^ 0x55 ^ 0x66, 0x48, 0x12, 0xF0])
    assert send(chip, "A20501020304") == b"\x0a"
    assert send(chip, "A20C01020304") == NAK


@pytest.mark.parametrize(
    ("kind", "per_bit", "bits"), [("ntag213", 2, 12), ("ntag215", 16, 8), ("ntag216", 16, 14)]
)
def test_dynamic_locks_cover_their_pages(kind: str, per_bit: int, bits: int) -> None:
    for bit in range(bits):
        chip = chip_of(kind)
        page = chip.layout.dynamic_lock_page
        assert send(chip, f"A2{page:02X}{(1 << bit).to_bytes(2, 'little').hex()}0000") == b"\x0a"
        locked = []
        for user in range(4, chip.layout.last_user_page + 1):
            chip.power_up()
            if send(chip, f"A2{user:02X}01020304") == NAK:
                locked.append(user)
        first = 16 + bit * per_bit
        assert locked == list(range(first, min(first + per_bit, chip.layout.last_user_page + 1)))


def test_dynamic_locks_have_no_other_bits_and_freeze() -> None:
    chip = chip_of()
    assert send(chip, "A2280000FF00") == b"\x0a"
    assert bytes(chip.memory[0xA0:0xA4]) == bytes.fromhex("00003FBD")
    assert send(chip, "A228FFFF0000") == b"\x0a"
    assert bytes(chip.memory[0xA0:0xA4]) == bytes.fromhex("00003FBD")


@pytest.mark.parametrize("kind", KINDS)
def test_the_password_never_reads_and_opens_what_it_guards(kind: str) -> None:
    chip = chip_of(kind)
    configure(chip, auth0=4)
    assert send(chip, f"30{chip.layout.password_page:02X}") == bytes(8) + (send(chip, "3000") or b"")[:8]
    assert send(chip, "A20401020304") == NAK
    chip.power_up()
    assert send(chip, "1B00112234") == NAK
    chip.power_up()
    assert send(chip, "1B00112233") == b"\xbe\xef"
    assert send(chip, "A20401020304") == b"\x0a"
    chip.power_up()  # a new field forgets the login
    assert send(chip, "A20401020304") == NAK


def test_read_protection_hides_pages_and_rolls_over_before_them() -> None:
    chip = chip_of()
    configure(chip, auth0=6, access=0x80)
    assert send(chip, "3006") == NAK
    chip.power_up()
    rolled = send(chip, "3005")
    assert rolled is not None
    assert rolled[4:] == (send(chip, "3000") or b"")[:12]
    assert send(chip, "3A0406") == NAK
    chip.power_up()
    send(chip, "1B00112233")
    assert len(send(chip, "3006") or b"") == 16


def test_wrong_passwords_run_out() -> None:
    chip = chip_of()
    configure(chip, access=0x03)
    for _ in range(3):
        assert send(chip, "1BFFFFFFFF") == NAK
        chip.power_up()
    assert send(chip, "1B00112233") == b"\x04"


def test_a_right_password_clears_the_wrong_ones() -> None:
    chip = chip_of()
    configure(chip, access=0x02)
    for _ in range(4):
        assert send(chip, "1BFFFFFFFF") == NAK
        assert send(chip, "1B00112233") == b"\xbe\xef"
    assert chip.failed_logins == 0


def test_a_locked_configuration_keeps_all_but_the_password() -> None:
    chip = chip_of()
    configure(chip, access=0x40)
    page = chip.layout.config_page
    assert send(chip, f"A2{page:02X}04000004") == NAK
    assert send(chip, f"A2{page + 1:02X}00000000") == NAK
    assert send(chip, f"A2{page + 2:02X}99999999") == b"\x0a"


def test_the_counter_steps_once_per_field_and_only_when_enabled() -> None:
    chip = chip_of()
    send(chip, "3000")
    assert chip.read_counter == 0
    assert send(chip, "3902") == NAK
    chip.power_up()
    configure(chip, access=0x10)
    for expected in range(1, 4):
        send(chip, "3000")
        send(chip, "3A0001")
        assert send(chip, "3902") == expected.to_bytes(3, "little")
        chip.power_up()


def test_the_counter_can_be_guarded() -> None:
    chip = chip_of()
    configure(chip, access=0x18)
    assert send(chip, "3902") == NAK
    chip.power_up()
    send(chip, "1B00112233")
    assert send(chip, "3902") == bytes(3)


@pytest.mark.parametrize(
    ("mirror", "page", "access", "shown"),
    [
        (0x54, 0x0C, 0x00, b"04112233445566"),
        (0x94, 0x0C, 0x10, b"000001"),
        (0xD4, 0x0C, 0x10, b"04112233445566x000001"),
        (0xD4, 0x0C, 0x00, b"04112233445566"),
        (0x94, 0x0C, 0x18, b""),
        (0x14, 0x0C, 0x10, b""),
        (0x54, 0x03, 0x00, b""),
        (0x54, 0x25, 0x00, b""),
    ],
)
def test_uid_and_counter_are_mirrored_in_ascii(mirror: int, page: int, access: int, shown: bytes) -> None:
    chip = chip_of()
    assert send(chip, f"A22A{access:02X}050000") == b"\x0a"
    assert send(chip, f"A229{mirror:02X}00{page:02X}FF") == b"\x0a"
    chip.power_up()
    before = bytes(chip.memory)
    read = send(chip, "3A0027")
    assert read is not None
    start = page * 4 + 1
    expected = bytearray(before[: len(read)])
    expected[start : start + len(shown)] = shown
    assert read == bytes(expected)
    assert bytes(chip.memory) == before, "the mirror is virtual"


def test_a_guarded_counter_is_mirrored_after_the_password() -> None:
    chip = chip_of()
    send(chip, "A22A18050000")
    send(chip, "A22994000CFF")
    chip.power_up()
    assert send(chip, "1BFFFFFFFF") == b"\x00\x00"
    assert (send(chip, "300C") or b"")[1:7] == b"000001"


def test_halt_is_silent() -> None:
    chip = chip_of()
    assert send(chip, "5000") is None
    assert chip.state is ChipState.HALT


@pytest.mark.parametrize(
    ("kind", "chip_uid", "memory"), [("ntag213", bytes(4), None), ("ntag213", UID, bytes(540))]
)
def test_impossible_chips_are_refused(kind: str, chip_uid: bytes, memory: bytes | None) -> None:
    with pytest.raises(ValueError, match="bytes"):
        Ntag21x(kind, chip_uid, memory)
