"""The keys of chips: masters made of the master key, one per slot and epoch, and what is made of them for one chip.

Nothing of this is stored or logged. The gateway alone can make every key; who else is told which stands in
docs/adr/0006-keys-of-a-chip.md.
"""

from collections.abc import Iterable

from gateway.db.chips import chip_epochs
from gateway.db.engine import Database
from gateway.db.rows import ChipEpochRow, KeyState
from gateway.vault import Vault
from wallet.chips.keys import ChipKey, KeySlot, chip_key

_KEY_BYTES = 16


class ChipKeys:
    """Makes chip keys of any epoch, and knows which epochs there are."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def rows(self) -> list[ChipEpochRow]:
        """Return all epochs, oldest first."""
        with self._database.read() as connection:
            return chip_epochs(connection)

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs whose keys readers take, newest first."""
        return live_epochs(self.rows())

    def master(self, slot: KeySlot, epoch: int) -> bytes:
        """Return the master of a slot in an epoch, 16 bytes; the reader slot's is every chip's key itself."""
        return self._vault.derive(f"chip key {slot}", str(epoch))[:_KEY_BYTES]

    def key(self, slot: KeySlot, epoch: int, uid: str) -> bytes:
        """Return the key of a slot of one chip (UID in hex) in an epoch, 16 bytes."""
        return chip_key(self.master(slot, epoch), slot, bytes.fromhex(uid))

    def all_of(self, epoch: int, uid: str) -> dict[KeySlot, str]:
        """Return every key of one chip in an epoch, in hex: what an encoder is told of the chip that it holds."""
        return {slot: self.key(slot, epoch, uid).hex() for slot in KeySlot}

    def masters(self, slots: Iterable[KeySlot], epochs: Iterable[int]) -> dict[KeySlot, dict[int, str]]:
        """Return slot → epoch → master in hex."""
        epochs = tuple(epochs)
        return {slot: {epoch: self.master(slot, epoch).hex() for epoch in epochs} for slot in slots}

    def for_edge(self, uid: str, slots: Iterable[KeySlot], epochs: Iterable[int]) -> tuple[ChipKey, ...]:
        """Return the keys of one chip that an edge is told, newest epoch first."""
        epochs = sorted(epochs, reverse=True)
        return tuple(
            ChipKey(uid, slot, epoch, self.key(slot, epoch, uid).hex()) for slot in slots for epoch in epochs
        )


def live_epochs(rows: Iterable[ChipEpochRow]) -> tuple[int, ...]:
    """Return the epochs that are not retired, newest first."""
    return tuple(sorted((row.epoch for row in rows if row.state is KeyState.ACTIVE), reverse=True))
