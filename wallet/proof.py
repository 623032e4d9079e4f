"""How far a reader could tell that a credential belongs to what was presented."""

from enum import StrEnum

from msgspec import Struct


class Proof(StrEnum):
    """What was proven, and by what.

    CHIP_UID: the chip told the UID that the credential was signed for; any chip whose UID can be set may do so.
    CHIP_KEY: the chip proved that it holds its own key of this kind of touchpoint (EV2 authentication).
    SUN: the chip's own web address with a MAC and a counter that grows; it can be carried elsewhere unread.
    QR: a code that carries nothing but the credential; whoever sees it has it.
    DEVICE_KEY: a code that the guest's own phone signed just now.
    """

    CHIP_UID = "chip_uid"
    CHIP_KEY = "chip_key"
    SUN = "sun"
    QR = "qr"
    DEVICE_KEY = "device_key"


class SunRead(Struct, frozen=True):
    """One verified SUN message: the chip's UID (lower-case hex) and its read counter."""

    chip_uid: str
    counter: int
