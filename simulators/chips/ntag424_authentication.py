"""AuthenticateEV2First and NonFirst of an NTAG 424 DNA, and the counting of failures (NT4H2421Gx, 9 and 10.4)."""

from simulators.chips.ntag424_context import Context
from simulators.chips.ntag424_memory import AppKey
from simulators.chips.ntag424_session import CAPABILITY_BYTES, Challenge, first, non_first
from simulators.chips.ntag424_status import Refusal, Status, require

AUTHENTICATE_FIRST, AUTHENTICATE_NON_FIRST = 0x71, 0x77
FAILURES_BEFORE_DELAY = 50
"""How many failures in a row a key stands before the chip delays (AN12196 7.4)."""
_MAX_FAILURES_IN_A_ROW = 255


class Authentication:
    """Both parts of an authentication. LRP is not offered: a reader that asks for it is answered in AES (table 19)."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def first(self, body: bytes) -> Challenge:
        """Begin a transaction; raises Refusal."""
        require(len(body) >= 2 and len(body) == 2 + body[1], Status.LENGTH_ERROR)
        key = self._usable(body[0])
        theirs = body[2 : 2 + CAPABILITY_BYTES].ljust(CAPABILITY_BYTES, b"\x00")
        ours = self._context.memory.configuration.pd_capabilities
        self._context.session = None
        return first(body[0], key.value, ours + theirs, self._context.random)

    def non_first(self, body: bytes) -> Challenge:
        """Go on with a transaction under another key; raises Refusal."""
        require(len(body) == 1, Status.LENGTH_ERROR)
        session = self._context.session
        if session is None:
            raise Refusal(Status.PERMISSION_DENIED)
        key = self._usable(body[0])
        self._context.session = None
        return non_first(body[0], key.value, session, self._context.random)

    def finish(self, challenge: Challenge, body: bytes) -> bytes:
        """Check the reader's proof, open the session and return the chip's; raises Refusal, having counted it."""
        key = self._context.memory.keys[challenge.key_no]
        try:
            session, proof = challenge.answer(body)
        except Refusal as refusal:
            if refusal.status is Status.AUTHENTICATION_ERROR:
                self._count_failure(key)
            raise
        if key.failures or key.in_a_row:
            key.failures = max(0, key.failures - self._context.memory.configuration.failure_decrement)
            key.in_a_row = key.delay_left = 0
            self._context.on_change()
        self._context.session = session
        return proof

    def _usable(self, number: int) -> AppKey:
        """Return the key unless it is locked or the chip delays."""
        key, configuration = self._context.key(number), self._context.memory.configuration
        locked = configuration.count_failures and key.failures >= configuration.failure_limit
        require(not locked, Status.PERMISSION_DENIED)
        if key.delay_left:
            key.delay_left -= 1
            self._context.on_change()
            raise Refusal(Status.AUTHENTICATION_DELAY)
        return key

    def _count_failure(self, key: AppKey) -> None:
        if not self._context.memory.configuration.count_failures:
            return
        key.failures += 1
        key.in_a_row = min(key.in_a_row + 1, _MAX_FAILURES_IN_A_ROW)
        key.delay_left = max(0, key.in_a_row - FAILURES_BEFORE_DELAY + 1)
        self._context.on_change()
