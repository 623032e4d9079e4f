"""A chip's file keeps its memory, whatever happens to the process that shows it."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulators.chips.chipfile import Chip, keep, load
from simulators.chips.inspect import describe
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.ndef import encode_credential_message

ROOT = Path(__file__).parents[2]
MESSAGE = encode_credential_message(b"a credential")


def ntag() -> Ntag21x:
    chip = Ntag21x("ntag215", bytes.fromhex("04112233445566"), signature=bytes(range(32)))
    chip.memory[16 : 18 + len(MESSAGE)] = b"\x03" + bytes([len(MESSAGE)]) + MESSAGE
    chip.read_counter, chip.failed_logins = 7, 2
    return chip


def type4() -> Type4Chip:
    file = (len(MESSAGE).to_bytes(2) + MESSAGE).ljust(64, b"\x00")
    return Type4Chip(bytes.fromhex("04AABBCCDDEEFF"), NdefApplication(file, read_only=True), b"\x02\x08")


@pytest.mark.parametrize("make", [ntag, type4])
def test_a_kept_chip_is_loaded_as_it_was(make: type, tmp_path: Path) -> None:
    chip: Chip = make()
    keep(chip, tmp_path / "band.json")
    loaded = load(tmp_path / "band.json")
    assert list(describe(loaded)) == list(describe(chip))
    if isinstance(chip, Ntag21x):
        assert isinstance(loaded, Ntag21x)
        assert (loaded.memory, loaded.read_counter, loaded.failed_logins, loaded.signature) == (
            chip.memory,
            7,
            2,
            bytes(range(32)),
        )
    else:
        assert isinstance(loaded, Type4Chip)
        assert (loaded.ndef.ndef_file, loaded.ndef.read_only, loaded.ats) == (
            chip.ndef.ndef_file,
            True,
            b"\x02\x08",
        )


def test_a_write_is_kept_before_it_is_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "band.json"
    keep(ntag(), path)
    script = (
        "import os, sys, pathlib\n"
        "from simulators.chips.chipfile import load\n"
        "chip = load(pathlib.Path(sys.argv[1]))\n"
        "assert chip.respond(bytes.fromhex('A21001020304')) == b'\\x0a'\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False, timeout=60)
    assert killed.returncode == -9
    chip = load(path)
    assert isinstance(chip, Ntag21x)
    assert bytes(chip.memory[64:68]) == b"\x01\x02\x03\x04"


def test_an_update_of_a_type_4_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    chip = Type4Chip(b"\x04" * 7, NdefApplication(bytes(32)))
    keep(chip, path)
    for command in ("00A4040007D276000085010100", "00A4000C02E104", "00D6000002CAFE"):
        assert chip.ndef.process(bytes.fromhex(command)) == b"\x90\x00"
    loaded = load(path)
    assert isinstance(loaded, Type4Chip)
    assert loaded.ndef.ndef_file[:2] == b"\xca\xfe"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "x", "uid": "04"}', '{"kind": "ntag213", "uid": "zz"}']
)
def test_another_file_is_no_chip(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"other\.json does not describe a chip"):
        load(path)


def test_the_inspector_prints_memory_and_fails_on_no_chip(tmp_path: Path) -> None:
    keep(ntag(), tmp_path / "band.json")
    command = [sys.executable, "-m", "simulators.chips.inspect"]
    shown = subprocess.run(
        [*command, str(tmp_path / "band.json")],
        cwd=ROOT,
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert "ntag215  UID 04112233445566  read counter 7" in shown.stdout
    assert "capability container" in shown.stdout
    missing = subprocess.run(
        [*command, str(tmp_path / "none")], cwd=ROOT, check=False, timeout=60, capture_output=True, text=True
    )
    assert missing.returncode == 1
    assert missing.stderr.count("\n") == 1


def test_the_inspector_tells_a_type_4_chips_credential_and_damage() -> None:
    chip = type4()
    assert list(describe(chip))[-1] == "credential of 12 bytes"
    chip.ndef.ndef_file[1] -= 3
    assert list(describe(chip))[-1].startswith("damaged NDEF message")
