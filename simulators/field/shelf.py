"""The chips of a simulation, each with its memory in a file of its own, so that they outlive the process."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.chips.chipfile import Chip, blank, from_document, on_change, to_document
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag424 import Ntag424
from simulators.files import replace_text


class ShelfFault(Exception):
    """No such chip, or it can't be made; the sentence says why."""


@dataclass(frozen=True)
class StoredChip:
    """A chip and what is remembered beside it. `chip_id` is its own UID in lower-case hex, random UID or not."""

    chip_id: str
    kind: str
    label: str
    chip: Chip

    def described(self) -> dict[str, Any]:
        """Return what the control interface tells of the chip: its memory, and all its state with its keys."""
        return {
            "chip": self.chip_id,
            "kind": self.kind,
            "label": self.label,
            "memory": _memory(self.chip).hex(),
            "state": to_document(self.chip),
        }


def _memory(chip: Chip) -> bytes:
    """Return what a reader with all rights would read; of an NTAG 424 DNA the three files, one after the other."""
    if isinstance(chip, Ntag21x):
        return bytes(chip.memory)
    if isinstance(chip, Ntag424):
        return b"".join(bytes(file.data) for file in chip.memory.files.values())
    return bytes(chip.ndef.ndef_file)


class ChipShelf:
    """All chips of a simulation; every change of a chip's memory is in its file before the chip answers."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._lock = threading.Lock()
        self._chips = {path.stem: self._load(path) for path in sorted(directory.glob("[!.]*.json"))}

    def create(self, kind: str, uid_hex: str, label: str = "") -> StoredChip:
        """Return a chip as delivered by its maker; asking again for the same chip returns it as it is now.

        Raises:
            ShelfFault: an unknown kind, no UID of seven bytes, or another kind of chip has this UID.
        """
        try:
            uid = bytes.fromhex(uid_hex)
        except ValueError:
            raise ShelfFault(f"{uid_hex!r} is no UID in hex.") from None
        try:
            fresh = blank(kind, uid)
        except ValueError as fault:
            raise ShelfFault(str(fault)) from None
        with self._lock:
            known = self._chips.get(uid.hex())
            if known is None:
                known = self._chips[uid.hex()] = self._stored(uid.hex(), kind, label, fresh)
                self._save(known)
            elif known.kind != kind:
                raise ShelfFault(f"The UID {uid.hex()} belongs to an {known.kind} already.")
            return known

    def get(self, chip_id: str) -> StoredChip:
        """Return the chip; raises ShelfFault when there is none."""
        try:
            return self._chips[chip_id]
        except KeyError:
            raise ShelfFault(f"There is no chip {chip_id!r}; create it first.") from None

    def all(self) -> list[StoredChip]:
        """Return every chip, in order of UID."""
        with self._lock:
            return [self._chips[chip_id] for chip_id in sorted(self._chips)]

    def _load(self, path: Path) -> StoredChip:
        found = json.loads(path.read_text(encoding="utf-8"))
        return self._stored(found["chip"], found["kind"], found["label"], from_document(found))

    def _stored(self, chip_id: str, kind: str, label: str, chip: Chip) -> StoredChip:
        stored = StoredChip(chip_id, kind, label, chip)
        on_change(chip, lambda: self._save(stored))
        return stored

    def _save(self, stored: StoredChip) -> None:
        replace_text(self._directory / f"{stored.chip_id}.json", json.dumps(stored.described()))
