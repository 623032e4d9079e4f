"""The bytes over the air while a chip is in a field, and what they say, line by line."""

from collections import deque
from enum import StrEnum
from threading import Lock

from simulators.chips.ntag424_status import IsoStatus, Status

MAX_FRAMES = 2000
_NATIVE = {
    0x71: "AuthenticateEV2First",
    0x77: "AuthenticateEV2NonFirst",
    0xAF: "next frame",
    0x5F: "ChangeFileSettings",
    0xC4: "ChangeKey",
    0x51: "GetCardUID",
    0xF6: "GetFileCounters",
    0xF5: "GetFileSettings",
    0x64: "GetKeyVersion",
    0x60: "GetVersion",
    0xAD: "ReadData",
    0x8D: "WriteData",
    0x3C: "Read_Sig",
    0x5C: "SetConfiguration",
}
_ISO = {0xA4: "ISOSelectFile", 0xB0: "ISOReadBinary", 0xD6: "ISOUpdateBinary"}
_TYPE_2 = {
    0x30: "READ",
    0x3A: "FAST_READ",
    0xA2: "WRITE",
    0xA0: "COMPATIBILITY_WRITE",
    0x60: "GET_VERSION",
    0x1B: "PWD_AUTH",
    0x39: "READ_CNT",
    0x3C: "READ_SIG",
    0x50: "HLTA",
}
_RATS, _DESELECT = 0xE0, 0xC2
_CHAINING = 0x10


class Sender(StrEnum):
    """Who sent a frame."""

    READER = "reader"
    CHIP = "chip"


class AirLog:
    """The last frames of a presentation. Written by the field's thread, read by any."""

    def __init__(self, limit: int = MAX_FRAMES) -> None:
        self._frames: deque[tuple[Sender, bytes]] = deque(maxlen=limit)
        self._lock = Lock()

    def note(self, sender: Sender, frame: bytes) -> None:
        """Keep one frame."""
        with self._lock:
            self._frames.append((sender, frame))

    def clear(self) -> None:
        """Begin a new presentation."""
        with self._lock:
            self._frames.clear()

    def frames(self) -> list[tuple[Sender, bytes]]:
        """Return the frames, oldest first."""
        with self._lock:
            return list(self._frames)

    def lines(self) -> list[str]:
        """Return one line for each frame: who, the bytes in hex, and what they are."""
        meaning = _Meaning()
        return [
            f"{sender:>6}  {frame.hex(' ').upper()}  {meaning.of(sender, frame)}".rstrip()
            for sender, frame in self.frames()
        ]


class _Meaning:
    """Names frames, knowing whether ISO-DEP is up and a chain under way."""

    def __init__(self) -> None:
        self._iso_dep = False
        self._activating = False
        self._chained = False

    def of(self, sender: Sender, frame: bytes) -> str:
        if sender is Sender.READER and frame[:1] == bytes([_RATS]) and len(frame) == 2:
            self._iso_dep = self._activating = True
            self._chained = False
            return "RATS"
        if self._activating:
            self._activating = False
            return "ATS"
        if not self._iso_dep:
            return _TYPE_2.get(frame[0], "?") if sender is Sender.READER and frame else ""
        if not frame or frame[0] & 0xE2 != 0x02:
            return self._supervision(frame)
        more, begins = bool(frame[0] & _CHAINING), not self._chained
        self._chained = more
        if sender is Sender.READER:
            return self._command(frame[1:]) if begins else "(continued)"
        return "(more)" if more else self._status(frame[-2:])

    @staticmethod
    def _supervision(frame: bytes) -> str:
        if frame[:1] == bytes([_DESELECT]):
            return "DESELECT"
        if frame and frame[0] & 0xE6 == 0xA2:
            return "R(NAK)" if frame[0] & _CHAINING else "R(ACK)"
        return ""

    @staticmethod
    def _command(apdu: bytes) -> str:
        if len(apdu) < 2:
            return "?"
        return (_NATIVE if apdu[0] == 0x90 else _ISO).get(apdu[1], f"command {apdu[1]:02X}")

    @staticmethod
    def _status(word: bytes) -> str:
        try:
            known = Status(word[-1]) if word[:1] == b"\x91" else IsoStatus(int.from_bytes(word))
        except ValueError:
            return word.hex().upper()
        return f"{word.hex().upper()} {known.name}"
