"""What a phone opened when it was held to a band: is it a reading of one of our chips, and a new one?

Who tells it is the chip: with the reader key its UID and counter are found, with the gate's key of that UID the MAC is
checked (AN12196, 3.4). The address can be passed on, so it counts once, and it opens nothing here.
"""

from enum import StrEnum

from gateway.chip_keys import ChipKeys
from gateway.clock import Clock
from gateway.db.chips import advance_sun, chips_of
from gateway.db.engine import Database
from wallet.chips.keys import KeySlot
from wallet.chips.ntag424 import PiccData
from wallet.chips.sun import SunMessage, authentic


class SunReading(StrEnum):
    """What an address turned out to be."""

    NEW = "new"
    USED = "used"
    FOREIGN = "foreign"


class SunReader:
    """Checks SUN addresses."""

    def __init__(self, database: Database, chip_keys: ChipKeys, clock: Clock) -> None:
        self._database = database
        self._chip_keys = chip_keys
        self._clock = clock

    def check(self, message: SunMessage | None) -> SunReading:
        """Return what the address is, and take note of the counter so that it is not new again."""
        shown = self._authentic(message) if message is not None else None
        if shown is None:
            return SunReading.FOREIGN
        uid = shown.uid.hex()
        if advance_sun(self._database, uid, shown.counter, self._clock.now()):
            return SunReading.NEW
        with self._database.read() as connection:
            return SunReading.USED if uid in chips_of(connection, [uid]) else SunReading.FOREIGN

    def _authentic(self, message: SunMessage) -> PiccData | None:
        keys, epochs = self._chip_keys, self._chip_keys.epochs()
        return authentic(
            message,
            [keys.master(KeySlot.READER, epoch) for epoch in epochs],
            lambda uid: (keys.key(KeySlot.GATE, epoch, uid.hex()) for epoch in epochs),
        )
