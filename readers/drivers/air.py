"""The way to one chip, bounded: what nfcpy's tag classes see instead of the device itself."""

import threading
from collections.abc import Callable
from typing import Any

import nfc.clf

from readers.drivers.ats import complete_ats
from readers.drivers.base import ContactLost

STOP_GRACE_S = 0.1
LONGEST_ANSWER_S = 1.0
_RATS = 0xE0


class ChipSilent(Exception):
    """The chip did not answer on a link that loses nothing, so asking again is useless."""


class OutOfTime(Exception):
    """The chip used up the time of one operation; nfcpy itself would go on for ever."""


class BoundedAir:
    """Passes frames to the frontend while time is left.

    nfcpy loops without end on some answers (waiting time extensions, endless chaining, empty reads), so
    that the bound must sit where every loop comes by.
    """

    def __init__(
        self, frontend: Any, stop: threading.Event, monotonic: Callable[[], float], lossless: bool
    ) -> None:
        self._frontend = frontend
        self._monotonic = monotonic
        self._stop = stop
        self._lossless = lossless
        self._deadline = 0.0
        self.retries_allowed = True
        self.device_fault: OSError | None = None

    def allow(self, budget_s: float, retries: bool = False) -> None:
        """Give the next operation `budget_s` seconds; without `retries`, silence on udp is final."""
        self._deadline = self._monotonic() + budget_s
        self.retries_allowed = retries or not self._lossless

    def exchange(self, data: bytes, timeout: float) -> bytearray:
        """Return the chip's answer to one frame (what nfcpy calls)."""
        answer = self._transmit(data, min(timeout, LONGEST_ANSWER_S, self._left_s()))
        if data[0] == _RATS and len(data) == 2:
            return bytearray(complete_ats(bytes(answer)))
        return answer

    def sense(self, *targets: Any, **options: Any) -> Any:
        """Select a chip anew (what nfcpy calls after a NAK)."""
        self._left_s()
        return self._noting_faults(lambda: self._frontend.sense(*targets, **options))

    def chip_in_field(self) -> Any:
        """Return the Type A chip now in the field as RemoteTarget, or None; takes no part in the budget."""
        return self._noting_faults(lambda: self._frontend.sense(nfc.clf.RemoteTarget("106A")))

    @property
    def max_send_data_size(self) -> int:
        """Longest frame the device sends, in bytes."""
        return int(self._frontend.max_send_data_size)

    @property
    def max_recv_data_size(self) -> int:
        """Longest frame the device receives, in bytes."""
        return int(self._frontend.max_recv_data_size)

    def _transmit(self, data: bytes, timeout: float) -> bytearray:
        try:
            answer = self._noting_faults(lambda: self._frontend.exchange(data, timeout))
        except nfc.clf.TimeoutError as error:
            if self.retries_allowed:
                raise
            raise ChipSilent("The chip did not answer.") from error
        if not answer:
            raise nfc.clf.TransmissionError("empty answer")
        return bytearray(answer)

    def _left_s(self) -> float:
        now = self._monotonic()
        if self._stop.is_set():
            self._deadline = min(self._deadline, now + STOP_GRACE_S)
        if now >= self._deadline and self._stop.is_set():
            raise ContactLost("The reader was stopped in the middle.")
        if now >= self._deadline:
            raise OutOfTime("The chip kept the reader busy for too long.")
        return self._deadline - now

    def _noting_faults(self, call: Any) -> Any:
        try:
            return call()
        except OSError as error:
            self.device_fault = error
            raise
