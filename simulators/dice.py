"""Seeded choices: the same seed gives the same names, chips and command ids."""

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from wallet.ids import uuid7

_Thing = TypeVar("_Thing")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
# NXP's manufacturer code is the first byte of each of its UIDs (ISO/IEC 7816-6).
_NXP = b"\x04"


class Dice:
    """Everything random in one simulation. Each answer depends on the seed and its name alone, not on order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def command_id(self, step: str) -> str:
        """Return the idempotency key of a step: the same however often the step is tried."""
        return uuid7(_EPOCH, self._bytes("command", step)[:10])

    def chip_uid(self, name: str) -> str:
        """Return a chip's UID, 7 bytes in lower-case hex."""
        return (_NXP + self._bytes("chip", name)[:6]).hex()

    def secret(self, name: str) -> bytes:
        """Return 32 bytes of which a thing of the simulation makes its key."""
        return self._bytes("secret", name)

    def pin(self, name: str) -> str:
        """Return a PIN of four digits."""
        return f"{int.from_bytes(self._bytes('pin', name)[:4]) % 10_000:04}"

    def choose(self, name: str, things: Sequence[_Thing], count: int) -> list[_Thing]:
        """Return `count` different ones of `things`."""
        return self.stream(name).sample(things, count)

    def stream(self, name: str) -> random.Random:
        """Return a generator of its own for one purpose."""
        return random.Random(self._bytes("stream", name))

    def _bytes(self, *what: str) -> bytes:
        return hashlib.sha256("\x1f".join(("passband simulation", str(self.seed), *what)).encode()).digest()
