"""Whose key is which: the five keys of an NTAG 424 DNA, one slot for each kind of reader, one key per chip.

A reader that knows only its own kind's key can imitate chips at its own kind of touchpoint and nowhere else. The
reader key is the one exception: it is the same on all chips of an epoch, because a chip with a random UID must be
asked who it is before its own keys can be found. It opens the credential for reading and proves nothing.
"""

from enum import StrEnum

from msgspec import Struct

from wallet.chips.an10922 import diversify_aes128
from wallet.resort import TouchpointKind

SYSTEM = b"PASSBAND"
"""What AN10922 calls the system identifier: keys of other systems from the same master would differ."""

FACTORY_KEY = bytes(16)
"""All five keys of a chip as NXP delivers it (NT4H2421Gx, 8.2.3)."""

EPOCH_MAX = 255
"""An epoch is the key's version on the chip, which is one byte; 0 is a factory key."""


class KeySlot(StrEnum):
    """What a key of a chip is for."""

    ENCODER = "encoder"
    DOOR = "door"
    GATE = "gate"
    TILL = "till"
    READER = "reader"


KEY_NO = {
    KeySlot.ENCODER: 0,
    KeySlot.DOOR: 1,
    KeySlot.GATE: 2,
    KeySlot.TILL: 3,
    KeySlot.READER: 4,
}
"""The number of each slot's key on the chip. Key 0 may change all others (NT4H2421Gx, 8.2.3)."""


class ChipKey(Struct, frozen=True):
    """One key of one chip, as an edge of its slot's kind is told it; `key` is 16 bytes in hex."""

    chip_uid: str
    slot: KeySlot
    epoch: int
    key: str


def slot_of(kind: TouchpointKind) -> KeySlot:
    """Return the slot whose key a touchpoint of this kind authenticates with."""
    match kind:
        case TouchpointKind.DOOR:
            return KeySlot.DOOR
        case TouchpointKind.TILL:
            return KeySlot.TILL
        case TouchpointKind.ENCODER:
            return KeySlot.ENCODER
        case _:
            return KeySlot.GATE


def chip_key(master: bytes, slot: KeySlot, uid: bytes) -> bytes:
    """Return the key of a slot for one chip (AN10922: UID, key number, system identifier).

    Args:
        master: the slot's master of the epoch, 16 bytes; the reader slot's is every chip's key itself.
        uid: 7 bytes.
    """
    if slot is KeySlot.READER:
        return master
    return diversify_aes128(master, uid + bytes([KEY_NO[slot]]) + SYSTEM)
