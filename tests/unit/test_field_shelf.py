"""The shelf keeps every kind of chip with all its state over a restart."""

import json
from pathlib import Path

import pytest

from simulators.chips.chipfile import CHIP_KINDS, read
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag424 import Ntag424
from simulators.cli import simulate
from simulators.field.shelf import ChipShelf, ShelfFault
from tests.support.ntag424_terminal import Terminal, position

UID = "04a1b2c3d4e5f6"


@pytest.mark.parametrize("kind", CHIP_KINDS)
def test_a_chip_comes_back_as_it_was(kind: str, tmp_path: Path) -> None:
    made = ChipShelf(tmp_path).create(kind, UID, "Ada's band")
    again = ChipShelf(tmp_path).get(UID)
    assert again.described() == made.described()
    assert (again.chip_id, again.kind, again.label) == (UID, kind, "Ada's band")
    assert ChipShelf(tmp_path).create(kind, UID).label == "Ada's band"


def test_an_ntag_424_dna_keeps_keys_files_counters_and_its_random_uid(tmp_path: Path) -> None:
    chip = ChipShelf(tmp_path).create("ntag424", UID).chip
    assert isinstance(chip, Ntag424)
    terminal = Terminal(chip.memory)
    terminal.chip.context.on_change = chip.on_change
    terminal.authenticate(3)
    terminal.full(0x8D, position(3, 0, 2), b"hi")
    terminal.authenticate(0, first=False)
    terminal.change_key(2, b"k" * 16, 9)
    terminal.full(0x5C, b"\x00", b"\x02")
    stored = ChipShelf(tmp_path).get(UID)
    assert isinstance(stored.chip, Ntag424)
    assert stored.chip.memory.keys[2].version == 9
    assert stored.chip.uid[0] == 0x08
    described = stored.described()
    assert described["chip"] == UID
    assert bytes.fromhex(described["memory"])[32 + 256 :][:2] == b"hi"
    assert described["state"]["keys"][2]["value"] == (b"k" * 16).hex()


def test_an_ntag_keeps_its_counters(tmp_path: Path) -> None:
    chip = ChipShelf(tmp_path).create("ntag213", UID).chip
    assert isinstance(chip, Ntag21x)
    chip.respond(bytes.fromhex("A22A14050000"))  # counter on, four passwords
    chip.power_up()
    chip.respond(bytes.fromhex("3000"))
    chip.respond(bytes.fromhex("1B00000000"))
    again = ChipShelf(tmp_path).get(UID).chip
    assert isinstance(again, Ntag21x)
    assert (again.read_counter, again.failed_logins) == (1, 1)


@pytest.mark.parametrize("kind", ["ntag213", "type4"])
def test_a_shelf_from_before_kept_memory_alone(kind: str, tmp_path: Path) -> None:
    made = ChipShelf(tmp_path).create(kind, UID).described()
    memory = "ab" * (len(made["memory"]) // 2)
    old = {"chip": UID, "kind": kind, "label": "", "memory": memory}
    (tmp_path / f"{UID}.json").write_text(json.dumps(old), "utf-8")
    assert ChipShelf(tmp_path).get(UID).described()["memory"] == memory


@pytest.mark.parametrize(
    ("kind", "uid", "words"),
    [("ntag999", UID, "no chip 'ntag999'"), ("ntag424", "04", "7 bytes"), ("ntag424", "zz", "no UID in hex")],
)
def test_what_cannot_be_made(kind: str, uid: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ShelfFault, match=words):
        ChipShelf(tmp_path).create(kind, uid)
    assert not list(tmp_path.iterdir())


def test_a_uid_has_one_kind(tmp_path: Path) -> None:
    shelf = ChipShelf(tmp_path)
    shelf.create("ntag424", UID)
    with pytest.raises(ShelfFault, match="belongs to an ntag424"):
        shelf.create("ntag216", UID)


def test_the_inspector_reads_a_shelfs_file_and_leaves_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ChipShelf(tmp_path).create("ntag424", UID, "a band")
    path = tmp_path / f"{UID}.json"
    before = path.read_bytes()
    assert simulate(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"ntag424  UID {UID}" in shown
    assert "key 4  factory, version 0" in shown
    assert path.read_bytes() == before
    assert isinstance(read(path), Ntag424)
    assert simulate(["inspect", str(tmp_path / "none")]) == 1
