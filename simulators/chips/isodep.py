"""The card's side of ISO-DEP (ISO/IEC 14443-4, chapter 7), apart from any application above it."""

from typing import Protocol

from simulators.chips.chip import ChipState

DEFAULT_ATS = bytes.fromhex("067777710280")  # FSC 128, FWI 7 (39 ms), as an NTAG 424 DNA
FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_FRAME_OVERHEAD = 3  # one byte PCB, two bytes CRC that the emulated link leaves out
_RATS, _PPSS_MASK, _PPSS = 0xE0, 0xF0, 0xD0
_DESELECT = 0xC2
_CHAINING, _BLOCK_NO = 0x10, 0x01
_MAX_COMMAND_BYTES = 4096


class Application(Protocol):
    """What answers the commands that ISO-DEP carries."""

    def power_up(self) -> None:
        """Forget all volatile state."""
        ...

    def process(self, command: bytes) -> bytes:
        """Return the response APDU to a command APDU."""
        ...


class IsoDepCard:
    """Blocks, block numbers, retransmission and chaining; hands whole APDUs to the application."""

    sens_res = b"\x44\x03"
    sel_res = 0x20

    def __init__(self, uid: bytes, application: Application, ats: bytes = DEFAULT_ATS) -> None:
        self.uid = uid
        self.application = application
        self.ats = ats
        self.power_up()

    def power_up(self) -> None:
        """Begin an RF session."""
        self.reselect()

    def reselect(self) -> None:
        """Wait for RATS: protocol and application begin anew, the UID stays."""
        self.state = ChipState.ACTIVE
        self._reader_frame = FRAME_SIZES[0]
        self._block_no = 1  # rule C
        self._activated = False
        self._incoming = bytearray()
        self._outgoing = b""
        self._last_block = b""
        self.application.power_up()

    def respond(self, command: bytes) -> bytes | None:
        """Return the answer to one block; None (silence) to what is no valid block."""
        if not command:
            return None
        if not self._activated:
            return self._activate(command)
        pcb = command[0]
        if pcb & 0xE2 == 0x02 and not pcb & 0x0C:
            return self._i_block(pcb, command[1:])
        if pcb & 0xE6 == 0xA2 and len(command) == 1 and not pcb & 0x08:
            return self._r_block(pcb)
        if command == bytes([_DESELECT]):
            self.state = ChipState.HALT
            return command
        if pcb & _PPSS_MASK == _PPSS and not self._last_block:
            return command[:1]  # PPS: bit rates mean nothing here
        return None

    def _activate(self, command: bytes) -> bytes | None:
        if command[0] != _RATS or len(command) != 2:
            return None
        self._activated = True
        self._reader_frame = FRAME_SIZES[min(command[1] >> 4, len(FRAME_SIZES) - 1)]
        return self.ats

    def _i_block(self, pcb: int, information: bytes) -> bytes | None:
        self._block_no ^= 1  # rule D
        self._incoming += information
        if len(self._incoming) > _MAX_COMMAND_BYTES:
            self._incoming.clear()
            return None
        if pcb & _CHAINING:
            return self._remember(bytes([0xA2 | self._block_no]))
        command = bytes(self._incoming)
        self._incoming.clear()
        self._outgoing = self.application.process(command)
        return self._next_block()

    def _r_block(self, pcb: int) -> bytes | None:
        if pcb & _BLOCK_NO == self._block_no:
            return self._last_block or None  # rule 11: the reader missed the last block
        if pcb & _CHAINING:  # in an R-block this bit says NAK; rule 12
            return bytes([0xA2 | self._block_no])
        if not self._outgoing:
            return None
        self._block_no ^= 1  # rules E and 13: the reader asks for the next link of the chain
        return self._next_block()

    def _next_block(self) -> bytes:
        size = self._reader_frame - _FRAME_OVERHEAD
        part, self._outgoing = self._outgoing[:size], self._outgoing[size:]
        pcb = 0x02 | self._block_no | (_CHAINING if self._outgoing else 0)
        return self._remember(bytes([pcb]) + part)

    def _remember(self, block: bytes) -> bytes:
        self._last_block = block
        return block
