"""A chip's memory in a file, so that a band outlives the process that shows it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag21x_layout import LAYOUTS
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import Memory
from simulators.chips.type4 import NdefApplication, Type4Chip

Chip = Ntag21x | Ntag424 | Type4Chip
NTAG424, TYPE4 = "ntag424", "type4"
CHIP_KINDS = (*LAYOUTS, NTAG424, TYPE4)


def keep(chip: Chip, path: Path) -> None:
    """Save `chip` now and after each change of its memory, before it acknowledges the write."""
    save(chip, path)
    on_change(chip, lambda: save(chip, path))


def on_change(chip: Chip, called: Callable[[], None]) -> None:
    """Have `called` called after each change of the chip's memory, before the chip acknowledges it."""
    changing = chip.ndef if isinstance(chip, Type4Chip) else chip
    changing.on_change = called


def load(path: Path) -> Chip:
    """Return the chip kept in `path`; its changes are saved there again.

    Raises:
        ValueError: the file does not describe a chip.
    """
    chip = read(path)
    keep(chip, path)
    return chip


def read(path: Path) -> Chip:
    """Return a chip as it is in `path`, a file of `keep` or of a simulation's shelf; the file stays as it is.

    Raises:
        ValueError: the file does not describe a chip.
    """
    try:
        return from_document(json.loads(path.read_text("utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} does not describe a chip: {error}") from error


def save(chip: Chip, path: Path) -> None:
    """Write the chip's memory in one step: a killed process leaves the old memory or the new one."""
    waiting = path.with_name(path.name + ".new")
    waiting.write_text(json.dumps(to_document(chip), indent=1) + "\n", "utf-8")
    waiting.replace(path)


def to_document(chip: Chip) -> dict[str, Any]:
    """Return all that the chip keeps without power, keys included, in JSON types."""
    if isinstance(chip, Ntag424):
        return {"kind": NTAG424} | chip.memory.to_document()
    if isinstance(chip, Ntag21x):
        return {
            "kind": chip.layout.name,
            "uid": chip.uid.hex(),
            "memory": chip.memory.hex(),
            "read_counter": chip.read_counter,
            "failed_logins": chip.failed_logins,
            "signature": chip.signature.hex(),
        }
    return {
        "kind": TYPE4,
        "uid": chip.uid.hex(),
        "ats": chip.ats.hex(),
        "ndef_file": chip.ndef.ndef_file.hex(),
        "read_only": chip.ndef.read_only,
    }


def from_document(document: dict[str, Any]) -> Chip:
    """Return the chip that `to_document` described; KeyError, TypeError or ValueError when it describes none."""
    document = _unwrapped(document)
    if document["kind"] == NTAG424:
        return Ntag424(Memory.from_document(document))
    kind, uid = document["kind"], bytes.fromhex(document["uid"])
    if kind == TYPE4:
        ndef = NdefApplication(bytes.fromhex(document["ndef_file"]), bool(document["read_only"]))
        return Type4Chip(uid, ndef, bytes.fromhex(document["ats"]))
    if kind not in LAYOUTS:
        raise ValueError(f"unknown kind {kind!r}")
    return Ntag21x(
        kind,
        uid,
        bytes.fromhex(document["memory"]),
        int(document["read_counter"]),
        int(document["failed_logins"]),
        bytes.fromhex(document["signature"]),
    )


def _unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """Return the chip in a shelf's file; the first shelves kept its memory only."""
    if "state" in document:
        state: dict[str, Any] = document["state"]
        return state
    if "chip" not in document:
        return document
    fresh = to_document(blank(document["kind"], bytes.fromhex(document["chip"])))
    return fresh | {"ndef_file" if document["kind"] == TYPE4 else "memory": document["memory"]}


def blank(kind: str, uid: bytes) -> Chip:
    """Return a chip as its maker delivers it; ValueError for an unknown kind or no UID of 7 bytes."""
    if len(uid) != 7:
        raise ValueError(f"A UID has 7 bytes here, not {len(uid)}.")
    if kind in LAYOUTS:
        return Ntag21x(kind, uid)
    if kind == NTAG424:
        return Ntag424(Memory(uid))
    if kind == TYPE4:
        return Type4Chip(uid)
    raise ValueError(f"There is no chip {kind!r}; choose one of {', '.join(CHIP_KINDS)}.")
