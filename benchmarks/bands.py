"""The media that the drivers' benchmark taps: each carries a signed credential that names its own chip.

No UID is hidden: a reader takes two chips with hidden ones that follow within a quarter of a second for the same one,
as it does with a chip at the field's edge, and here chips follow at once. A hidden UID costs one exchange more.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from readers.chips.personalise import PlanKeys, personalise
from readers.clock import SystemEntropy
from readers.custody import EpochKey
from readers.drivers.simulated import SimulatedChip, SimulatedContact
from readers.transport.base import ChipKeySet, ChipPlan
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag424 import Ntag424, Ntag424Application
from simulators.chips.ntag424_memory import Memory
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.keys import KEY_NO, KeySlot, chip_key
from wallet.chips.ndef import encode_credential_message
from wallet.credential import Credential, sign
from wallet.ids import uuid7

KINDS = ("ntag424", "ntag216", "type4")
ENTROPY = SystemEntropy()
_ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ISSUER_KEYS = {"0a0b0c0d": _ISSUER.public_key()}
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_SUN_URL = "https://resort.example/t"


def token_of(uid: bytes) -> str:
    """Return the token of the guest who wears this chip."""
    return uuid7(_AT, hashlib.sha256(uid).digest()[:10])


def chip_of(kind: str, uid: bytes) -> Ntag21x | Ntag424 | Type4Chip:
    """Return an emulated chip that carries its guest's credential; an NTAG 424 DNA as an encoder leaves it."""
    if kind == "ntag424":
        memory = Memory(uid)
        personalise(_in_hand(memory), _plan(uid), _credential(uid, chip_keys=True), ENTROPY)
        return Ntag424(memory)
    message = encode_credential_message(_credential(uid, chip_keys=False))
    if kind == "type4":
        return Type4Chip(uid, NdefApplication((len(message).to_bytes(2) + message).ljust(512, b"\x00")))
    chip = Ntag21x(kind, uid)
    tlv = b"\x03" + bytes([len(message)]) + message + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


class GateKeys(PlanKeys):
    """What a gate knows: the reader key and its kind's master, of which it makes the key of each chip that comes."""

    def __init__(self) -> None:
        super().__init__(_plan(bytes(7)))

    def slot_keys(self, slot: KeySlot, uid: bytes) -> tuple[EpochKey, ...]:
        """Return the chip's key, derived anew each time."""
        (any_chip,) = super().slot_keys(slot, uid)
        return (any_chip._replace(key=chip_key(_master(slot), slot, uid)),)


def _in_hand(memory: Memory) -> SimulatedContact:
    return SimulatedContact(SimulatedChip(memory.uid, commands=Ntag424Application(memory, ENTROPY.bytes)))


def _credential(uid: bytes, *, chip_keys: bool) -> bytes:
    until = _AT + timedelta(days=365)
    claims = Credential(token_of(uid), uid + b"\x00", uid.hex(), _AT, until, 1, "0a0b0c0d", (), chip_keys)
    return sign(claims, _ISSUER)


@cache
def _master(slot: KeySlot) -> bytes:
    return bytes([KEY_NO[slot] + 1]) * 16


def _plan(uid: bytes) -> ChipPlan:
    keys = {slot: chip_key(_master(slot), slot, uid).hex() for slot in KeySlot}
    return ChipPlan(ChipKeySet(1, keys), (), _SUN_URL, random_uid=False)
