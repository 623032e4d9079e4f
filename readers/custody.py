"""Where an edge keeps the keys of chips: a port, so that a SAM or a TPM can take the place of a sealed file.

A key leaves the custody only for the one chip that lies on a reader.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from readers.sealing import Seal, SealBroken
from readers.store import DATABASE_FILE, drop_chip_keys
from readers.transport.base import Anchors
from readers.trust import write_private
from wallet.chips.keys import ChipKey, KeySlot, chip_key

KEYS_FILE = "chip-keys.sealed"
_FILE_CONTEXT = b"passband chip keys of an edge 1"


class EpochKey(NamedTuple):
    """A key of 16 bytes and the epoch it belongs to."""

    epoch: int
    key: bytes


class KeySource(Protocol):
    """Where a reader finds the keys of chips. Any thread may call."""

    def reader_keys(self) -> tuple[EpochKey, ...]:
        """Return the keys that ask a chip who it is, the newest epoch first."""
        ...

    def slot_keys(self, slot: KeySlot, uid: bytes) -> tuple[EpochKey, ...]:
        """Return what is known here of a chip's key for this slot, the newest epoch first; nothing for nothing."""
        ...


class KeyCustody(KeySource, Protocol):
    """The keys of chips at one edge, for good."""

    def learn(self, anchors: Anchors) -> None:
        """Take reader keys and masters in place of those known before, durably."""
        ...

    def learn_keys(self, keys: Iterable[ChipKey]) -> None:
        """Take keys of single chips beside those known before, durably."""
        ...

    def forget(self) -> None:
        """Drop every key, durably: the edge is enrolled anew or taken out of service."""
        ...


class ChipKeys(Protocol):
    """Keys of single chips, kept where the documents are: both come in one transaction."""

    def chip_keys(self, chip_uid: str, slot: KeySlot) -> tuple[tuple[int, bytes], ...]:
        """Return epoch and key of a chip's slot, the newest epoch first."""
        ...

    def put_chip_keys(self, keys: Iterable[ChipKey]) -> None:
        """Keep these keys beside those known before."""
        ...

    def forget_chip_keys(self) -> None:
        """Drop all of them, and what is known of the feed with them, so that the next snapshot brings them again."""
        ...


class _Kept(Struct, frozen=True):
    """What the sealed file holds: epoch → key, slot → epoch → master; all in hex."""

    reader_keys: dict[int, str] = {}
    masters: dict[KeySlot, dict[int, str]] = {}


class SealedCustody:
    """Masters in one small sealed file, keys of single chips in the edge's store under the same seal.

    The masters are open in this process's memory while it runs: that is what a SAM would spare.
    """

    def __init__(self, directory: Path, seal: Seal, chips: ChipKeys | None = None) -> None:
        """Args:
            chips: the store, which keeps the keys of single chips; None where there is none yet (at enrolment).

        `alarm` says why the file could not be opened, empty when all is well: the edge then knows no masters.
        """
        self._path = directory / KEYS_FILE
        self._seal = seal
        self._chips = chips
        self.alarm = ""
        self._reader_keys: tuple[EpochKey, ...] = ()
        self._masters: dict[KeySlot, tuple[EpochKey, ...]] = {}
        self._kept = _Kept()
        try:
            self._hold(self._load())
        except (SealBroken, msgspec.MsgspecError, ValueError):
            self.alarm = f"{self._path.name} can't be opened with this edge's key; enrol the edge anew"

    def reader_keys(self) -> tuple[EpochKey, ...]:
        """Return the keys that ask a chip who it is, the newest epoch first."""
        return self._reader_keys

    def slot_keys(self, slot: KeySlot, uid: bytes) -> tuple[EpochKey, ...]:
        """Return the chip's own keys as told one by one, and those derived from masters for the other epochs."""
        found: dict[int, bytes] = {}
        if self._chips is not None:
            try:
                found.update(self._chips.chip_keys(uid.hex(), slot))
            except SealBroken:
                self.alarm = "keys of chips can't be opened with this edge's key; enrol the edge anew"
        for epoch, master in self._masters.get(slot, ()):
            if epoch not in found:
                found[epoch] = chip_key(master, slot, uid)
        return tuple(EpochKey(epoch, found[epoch]) for epoch in sorted(found, reverse=True))

    def learn(self, anchors: Anchors) -> None:
        """Take reader keys and masters in place of those known before.

        Raises:
            ValueError: a key is none; what was known stays.
        """
        kept = _Kept(anchors.reader_keys, anchors.chip_masters)
        if kept != self._kept or self.alarm:
            self._hold(kept)
            write_private(self._path, self._seal.close(msgspec.json.encode(kept), _FILE_CONTEXT))
        self.alarm = ""

    def learn_keys(self, keys: Iterable[ChipKey]) -> None:
        """Take keys of single chips beside those known before."""
        assert self._chips is not None, "keys of single chips need a store"
        self._chips.put_chip_keys(keys)

    def forget(self) -> None:
        """Drop every key."""
        self._path.unlink(missing_ok=True)
        self._hold(_Kept())
        if self._chips is not None:
            self._chips.forget_chip_keys()

    def _load(self) -> _Kept:
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return _Kept()
        return msgspec.json.decode(self._seal.open(sealed, _FILE_CONTEXT), type=_Kept)

    def _hold(self, kept: _Kept) -> None:
        masters = {slot: _newest_first(keys) for slot, keys in kept.masters.items()}
        self._reader_keys, self._masters = _newest_first(kept.reader_keys), masters
        self._kept = kept


def keys_of_new_enrolment(directory: Path, key: Ed25519PrivateKey, anchors: Anchors) -> None:
    """Keep what an enrolment brings and nothing of before: the edge may have been another venue's.

    Keys of single chips go as well, and the edge asks for a whole snapshot, which brings those that it needs.
    """
    database = directory / DATABASE_FILE
    if database.exists():
        drop_chip_keys(database)
    custody = SealedCustody(directory, Seal(key))
    custody.forget()
    custody.learn(anchors)


def _newest_first(keys: dict[int, str]) -> tuple[EpochKey, ...]:
    opened = [EpochKey(epoch, bytes.fromhex(key)) for epoch, key in sorted(keys.items(), reverse=True)]
    if any(len(each.key) != 16 for each in opened):
        raise ValueError("a chip's key has 16 bytes")
    return tuple(opened)
