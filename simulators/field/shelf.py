"""The chips of a simulation, each with its memory in a file of its own, so that they outlive the process."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.chips.chip import EmulatedChip
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from simulators.files import replace_text

NTAG_KINDS = ("ntag213", "ntag215", "ntag216")
CHIP_KINDS = (*NTAG_KINDS, "type4")


class ShelfFault(Exception):
    """No such chip, or it can't be made; the sentence says why."""


@dataclass(frozen=True)
class StoredChip:
    """A chip and what is remembered beside it. `chip_id` is its UID in lower-case hex."""

    chip_id: str
    kind: str
    label: str
    chip: EmulatedChip
    memory: Callable[[], bytes]

    def described(self) -> dict[str, Any]:
        """Return what the control interface tells of the chip."""
        return {"chip": self.chip_id, "kind": self.kind, "label": self.label, "memory": self.memory().hex()}


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
        if kind not in CHIP_KINDS:
            raise ShelfFault(f"There is no chip {kind!r}; choose one of {', '.join(CHIP_KINDS)}.")
        try:
            uid = bytes.fromhex(uid_hex)
        except ValueError:
            raise ShelfFault(f"{uid_hex!r} is no UID in hex.") from None
        if len(uid) != 7:
            raise ShelfFault(f"A UID has 7 bytes here, not {len(uid)}.")
        with self._lock:
            known = self._chips.get(uid.hex())
            if known is None:
                known = self._chips[uid.hex()] = self._stored(kind, uid, label, None)
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
        memory = bytes.fromhex(found["memory"])
        return self._stored(found["kind"], bytes.fromhex(found["chip"]), found["label"], memory)

    def _stored(self, kind: str, uid: bytes, label: str, memory: bytes | None) -> StoredChip:
        if kind in NTAG_KINDS:
            ntag = Ntag21x(kind, uid, memory)
            stored = StoredChip(uid.hex(), kind, label, ntag, lambda: bytes(ntag.memory))
            ntag.on_change = lambda: self._save(stored)
            return stored
        ndef = NdefApplication(memory) if memory is not None else NdefApplication()
        stored = StoredChip(uid.hex(), kind, label, Type4Chip(uid, ndef), lambda: bytes(ndef.ndef_file))
        ndef.on_change = lambda: self._save(stored)
        return stored

    def _save(self, stored: StoredChip) -> None:
        replace_text(self._directory / f"{stored.chip_id}.json", json.dumps(stored.described()))
