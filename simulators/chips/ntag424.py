"""An NTAG 424 DNA as its data sheet describes it (NXP NT4H2421Gx rev 3.0), with AES secure messaging.

Departures: LRP is not offered, the originality keys do not exist and the signature is not NXP's, and a command that
ISO-DEP chains is written as a whole or not at all.
"""

import secrets
from collections.abc import Callable

from simulators.chips.isodep import DEFAULT_ATS, IsoDepCard
from simulators.chips.ntag424_authentication import (
    AUTHENTICATE_FIRST,
    AUTHENTICATE_NON_FIRST,
    Authentication,
)
from simulators.chips.ntag424_commands import GET_VERSION, NativeCommands
from simulators.chips.ntag424_context import Context
from simulators.chips.ntag424_iso import IsoCommands
from simulators.chips.ntag424_memory import Memory
from simulators.chips.ntag424_session import Challenge
from simulators.chips.ntag424_status import IsoStatus, Refusal, Status, require

NEXT_FRAME = 0xAF
RANDOM_UID_TAG = 0x08
_ATQA_DOUBLE, _ATQA_SINGLE = b"\x44\x03", b"\x04\x03"
_RANDOM_UID_BYTES = 3

RandomSource = Callable[[int], bytes]


class Ntag424Application:
    """Everything above ISO-DEP: takes command APDUs, gives response APDUs, and never fails."""

    def __init__(self, memory: Memory, random: RandomSource) -> None:
        self.context = Context(memory, random)
        self._iso = IsoCommands(self.context)
        self._native = NativeCommands(self.context)
        self._authentication = Authentication(self.context)
        self._pending: Challenge | list[bytes] | None = None

    def power_up(self) -> None:
        """Forget session, selection and what was half done."""
        self.context.power_up()
        self._pending = None

    def process(self, command: bytes) -> bytes:
        """Return the response APDU."""
        if len(command) < 4:
            return self._refuse(IsoStatus.WRONG_LENGTH)
        cla, ins, p1, p2 = command[:4]
        try:
            if cla == 0x00:
                self.context.note(ins)
                self._abort_pending(IsoStatus.CONDITIONS)
                return self._iso.process(ins, p1, p2, command[4:]) + IsoStatus.OK.word
            require(cla == 0x90, IsoStatus.UNKNOWN_CLA)
            self.context.note(ins)
            require(not p1 and not p2, Status.PARAMETER_ERROR)
            return self._process_native(ins, _body(command))
        except Refusal as refusal:
            return self._refuse(refusal.status)

    def _process_native(self, ins: int, body: bytes) -> bytes:
        if ins == NEXT_FRAME:
            return self._next_frame(body)
        self._abort_pending(Status.COMMAND_ABORTED)
        if ins == AUTHENTICATE_FIRST:
            return self._challenge(self._authentication.first(body))
        if ins == AUTHENTICATE_NON_FIRST:
            return self._challenge(self._authentication.non_first(body))
        if ins == GET_VERSION:
            frame, *self._pending = self._native.version_frames(body)
            return frame
        handler = self._native.handlers.get(ins)
        if handler is None:
            raise Refusal(Status.ILLEGAL_COMMAND)
        return handler(body)

    def _challenge(self, challenge: Challenge) -> bytes:
        self._pending = challenge
        return challenge.sent() + Status.ADDITIONAL_FRAME.word

    def _next_frame(self, body: bytes) -> bytes:
        pending, self._pending = self._pending, None
        if isinstance(pending, Challenge):
            return self._authentication.finish(pending, body) + Status.OK.word
        if pending is None:
            raise Refusal(Status.ILLEGAL_COMMAND)
        require(not body, Status.LENGTH_ERROR)
        frame, *rest = pending
        self._pending = rest or None
        return frame

    def _abort_pending(self, status: Status | IsoStatus) -> None:
        if self._pending is not None:
            raise Refusal(status)

    def _refuse(self, status: Status | IsoStatus) -> bytes:
        self._pending = None
        self.context.failed()
        return status.word


class Ntag424(IsoDepCard):
    """The chip in a field. `uid` is what selection shows; `memory.uid` is the chip's own."""

    def __init__(
        self, memory: Memory, random: RandomSource = secrets.token_bytes, ats: bytes = DEFAULT_ATS
    ) -> None:
        """Args: `random` gives so many random bytes, for RndB, TI, paddings and random UIDs, in this order of use."""
        if len(memory.uid) != 7:
            raise ValueError(f"An NTAG 424 DNA has a UID of 7 bytes, not {len(memory.uid)}.")
        self.memory = memory
        self._random = random
        self._application = Ntag424Application(memory, random)
        super().__init__(memory.uid, self._application, ats)

    @property
    def on_change(self) -> Callable[[], None]:
        """What is called after each change of the memory, before the answer."""
        return self._application.context.on_change

    @on_change.setter
    def on_change(self, called: Callable[[], None]) -> None:
        self._application.context.on_change = called

    def power_up(self) -> None:
        """Begin an RF session; in random-UID mode with a new single-size UID 08 xx xx xx (8.1, 10.5.1)."""
        if self.memory.configuration.random_uid:
            self.uid = bytes([RANDOM_UID_TAG]) + self._random(_RANDOM_UID_BYTES)
            self.sens_res = _ATQA_SINGLE
        else:
            self.uid, self.sens_res = self.memory.uid, _ATQA_DOUBLE
        super().power_up()


def _body(command: bytes) -> bytes:
    """Return the data of a wrapped command: CLA INS P1 P2 [Lc data] Le (8.4)."""
    if len(command) <= 5:
        require(len(command) == 5 and command[4] == 0, Status.LENGTH_ERROR)
        return b""
    length = command[4]
    require(length > 0 and len(command) == 6 + length and command[-1] == 0, Status.LENGTH_ERROR)
    return command[5:-1]
