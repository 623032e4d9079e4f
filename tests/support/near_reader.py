"""A reader without a radio link: nfcpy's stack over chips in the same process, on a clock that nobody waits for.

Silence, pauses and budgets cost no time here, so that thousands of hostile chips pass in seconds.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import nfc
import nfc.clf

from readers.drivers.base import ChipFault, Contact, ContactLost
from readers.drivers.nfcpy_driver import NfcpyDriver

EXCHANGE_S = 0.005
LOOK_S = 0.04
UNSELECTED_S = 5.0
"""A chip that the reader has not handed over by then never will be."""


class NearChip(Protocol):
    """What is held to the reader. `respond` may also raise whatever a device library raises."""

    uid: bytes
    sens_res: bytes
    sel_res: int

    def power_up(self) -> None: ...
    def respond(self, command: bytes) -> bytes | None: ...


class TurnedClock(threading.Event):
    """The driver's stop event and its clock: waiting turns the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now_s += timeout or 0.0
        return self.is_set()


class NearReader:
    """Serves one chip after the other in the caller's own thread; `outcomes` tells what came of each."""

    def __init__(self, chips: Iterator[NearChip], path: str = "udp:127.0.0.1:1") -> None:
        """Args: `path` ("usb:…" or "udp:…") decides whether silence is final."""
        self._chips = chips
        self._chip: NearChip | None = None
        self._since_s = 0.0
        self._done = True
        self.clock = TurnedClock()
        self.outcomes: list[object] = []
        self.opened = 0
        self.look: Callable[[], None] = lambda: None
        self.driver = NfcpyDriver(path, lambda: self.clock.now_s, self._open)

    def serve(self) -> None:
        """Serve until there is no chip left."""
        self.driver.serve(self._handle, self.clock)

    def _handle(self, contact: Contact) -> None:
        try:
            self.outcomes.append(contact.read_credential())
        except (ChipFault, ContactLost) as error:
            self.outcomes.append(error)
        except Exception as error:  # anything else is a driver's bug, and the test shall see it
            self.outcomes.append(AssertionError(f"leaked {error!r}"))
        finally:
            self._done = True

    def _open(self, path: str) -> Any:
        frontend = nfc.ContactlessFrontend()
        frontend.device = self
        self.opened += 1
        return frontend

    # what nfcpy asks of a device

    def sense_tta(self, target: Any) -> Any:
        """Select the chip now in the field; the next one comes as soon as one is done with."""
        self.clock.now_s += LOOK_S
        self.look()
        if not self._done and self.clock.now_s - self._since_s > UNSELECTED_S:
            self.outcomes.append("never selected")
            self._done = True
        if self._done:
            self._chip, self._done, self._since_s = next(self._chips, None), False, self.clock.now_s
        if self._chip is None:
            self.clock.set()
            return None
        self._chip.power_up()
        return nfc.clf.RemoteTarget(
            "106A",
            sens_res=bytearray(self._chip.sens_res),
            sel_res=bytearray([self._chip.sel_res]),
            sdd_res=bytearray(self._chip.uid),
        )

    def send_cmd_recv_rsp(self, target: Any, data: bytes | None, timeout: float) -> bytearray:
        """Give a command to the chip; its silence turns the clock by the whole time-out."""
        self.clock.now_s += EXCHANGE_S
        answer = self._chip.respond(bytes(data)) if self._chip is not None and data is not None else None
        if answer is None:
            self.clock.now_s += max(0.0, timeout)
            raise nfc.clf.TimeoutError("no answer")
        return bytearray(answer)

    def get_max_send_data_size(self, target: Any) -> int:
        """The size that nfcpy's udp device tells."""
        return 290

    get_max_recv_data_size = get_max_send_data_size

    def mute(self) -> None:
        """There is no field to switch off."""

    close = mute
