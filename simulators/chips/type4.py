"""A plain NFC Forum Type 4 chip: the NDEF application over ISO-DEP (NFC Forum Type 4 Tag 2.0)."""

from collections.abc import Callable

from simulators.chips.isodep import DEFAULT_ATS, IsoDepCard

NDEF_APPLICATION = bytes.fromhex("D2760000850101")
CC_FILE, NDEF_FILE = 0xE103, 0xE104
OK = b"\x90\x00"
WRONG_LENGTH, NOT_ALLOWED, NO_FILE_SELECTED = b"\x67\x00", b"\x69\x82", b"\x69\x86"
NOT_FOUND, NO_SPACE, WRONG_PARAMETERS = b"\x6a\x82", b"\x6a\x84", b"\x6a\x86"
WRONG_OFFSET, UNKNOWN_INS, UNKNOWN_CLA = b"\x6b\x00", b"\x6d\x00", b"\x6e\x00"
_MAX_LE, _MAX_LC = 0xFF, 0xFF


class NdefApplication:
    """Two files: the read-only capability container and the NDEF file (NLEN, then the message)."""

    def __init__(self, ndef_file: bytes = bytes(1024), read_only: bool = False) -> None:
        """Args: `ndef_file` is the whole file; NLEN 0 in its first two bytes means no message."""
        self.ndef_file = bytearray(ndef_file)
        self.read_only = read_only
        self.on_change: Callable[[], None] = lambda: None
        self.power_up()

    def power_up(self) -> None:
        """Forget what was selected."""
        self._application_selected = False
        self._file: int | None = None

    @property
    def capability_container(self) -> bytes:
        """The CC file: mapping version 2.0, the frame limits, where the NDEF file is and who may write it."""
        access = bytes([0x00, 0xFF if self.read_only else 0x00])
        control = NDEF_FILE.to_bytes(2) + len(self.ndef_file).to_bytes(2) + access
        return b"\x00\x0f\x20" + _MAX_LE.to_bytes(2) + _MAX_LC.to_bytes(2) + b"\x04\x06" + control

    def process(self, command: bytes) -> bytes:
        """Return the response APDU."""
        if len(command) < 4:
            return WRONG_LENGTH
        if command[0] != 0:
            return UNKNOWN_CLA
        ins, p1, p2 = command[1:4]
        if ins == 0xA4:
            return self._select(p1, p2, command[4:])
        if ins == 0xB0:
            return self._read_binary(p1 << 8 | p2, command[4:])
        if ins == 0xD6:
            return self._update_binary(p1 << 8 | p2, command[4:])
        return UNKNOWN_INS

    def _select(self, p1: int, p2: int, body: bytes) -> bytes:
        name = body[1 : 1 + body[0]] if body else b""
        if not name or len(name) != body[0]:
            return WRONG_LENGTH
        if p1 == 0x04 and p2 == 0x00:
            self._file = None
            self._application_selected = name == NDEF_APPLICATION
            return OK if self._application_selected else NOT_FOUND
        if p1 != 0x00 or p2 != 0x0C:
            return WRONG_PARAMETERS
        file = int.from_bytes(name)
        if not self._application_selected or len(name) != 2 or file not in (CC_FILE, NDEF_FILE):
            return NOT_FOUND
        self._file = file
        return OK

    def _read_binary(self, offset: int, body: bytes) -> bytes:
        if self._file is None:
            return NO_FILE_SELECTED
        if len(body) != 1:
            return WRONG_LENGTH
        content = self.capability_container if self._file == CC_FILE else bytes(self.ndef_file)
        if offset >= len(content):
            return WRONG_OFFSET
        return content[offset : offset + (body[0] or 256)] + OK

    def _update_binary(self, offset: int, body: bytes) -> bytes:
        if self._file is None:
            return NO_FILE_SELECTED
        if self._file == CC_FILE or self.read_only:
            return NOT_ALLOWED
        if not body or len(body) != 1 + body[0] or not body[0]:
            return WRONG_LENGTH
        if offset + body[0] > len(self.ndef_file):
            return NO_SPACE
        self.ndef_file[offset : offset + body[0]] = body[1:]
        self.on_change()
        return OK


class Type4Chip(IsoDepCard):
    """A Type 4 chip with nothing but the NDEF application."""

    def __init__(self, uid: bytes, ndef: NdefApplication | None = None, ats: bytes = DEFAULT_ATS) -> None:
        self.ndef = ndef or NdefApplication()
        super().__init__(uid, self.ndef, ats)
