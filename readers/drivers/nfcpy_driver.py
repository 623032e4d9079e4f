"""Readers that nfcpy drives: `usb:` and `tty:` hardware, and `udp:` emulated fields, with the same code."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import nfc
import nfc.clf

from readers.drivers.activation import activate
from readers.drivers.air import BoundedAir
from readers.drivers.base import DriverHealth, Handle, is_random_uid
from readers.drivers.endurance import hand_over, keep_open
from readers.drivers.health import HealthLog
from readers.drivers.nfcpy_contact import NfcpyContact
from readers.drivers.udp_device import UdpDevice

log = logging.getLogger(__name__)

UDP_DEFAULT_PORT = 54321  # nfcpy's own
HARDWARE_PAUSE_S = 0.03
FIRST_LOOK_S = 0.005
LONGEST_LOOK_S = 0.08
DEPARTURE_S = 0.25
HELD_MEMORY_S = 3.0


class NfcpyDriver:
    """One reader. Looks for Type A chips, hands each to `handle` once, and waits until it has left."""

    def __init__(
        self,
        path: str,
        monotonic: Callable[[], float],
        open_frontend: Callable[[str], Any] | None = None,
    ) -> None:
        """Args: `path` as in nfcpy (`udp:127.0.0.1:54321`, `usb:054c`, `tty:S0:pn532`)."""
        self.path = path
        self._monotonic = monotonic
        self._open_frontend = open_frontend or self._open
        self._lossless = path.startswith("udp")
        # An emulated field waits inside each try; hardware answers at once that the field is empty.
        self._pause_s = 0.0 if self._lossless else HARDWARE_PAUSE_S
        self._health = HealthLog(monotonic)
        self._held: Any = None  # the chip in the field that was handed over already
        self._held_until = 0.0  # when a lost device forgets it

    def health(self) -> DriverHealth:
        """Return how the reader is."""
        return self._health.snapshot()

    def serve(self, handle: Handle, stop: threading.Event) -> None:
        """Serve the reader until `stop` is set."""
        keep_open(lambda: self._session(handle, stop), self._health, stop, self.path)

    def _open(self, path: str) -> Any:
        """Return an opened frontend; OSError when there is no such device."""
        if not self._lossless:
            return nfc.ContactlessFrontend(path)
        _, host, port = [*path.split(":"), "", ""][:3]
        frontend = nfc.ContactlessFrontend()
        frontend.device = UdpDevice((host or "localhost", int(port or UDP_DEFAULT_PORT)), self._monotonic)
        return frontend

    def _session(self, handle: Handle, stop: threading.Event) -> None:
        with closing(self._open_frontend(self.path)) as frontend:
            air = BoundedAir(frontend, stop, self._monotonic, self._lossless)
            target = air.chip_in_field()
            self._health.up()
            if self._held is not None and self._monotonic() < self._held_until:
                target = self._next_chip(air, self._held, stop)
            while not stop.is_set():
                if target is None:
                    stop.wait(self._pause_s)
                    target = air.chip_in_field()
                else:
                    target = self._present(air, target, handle, stop)

    def _present(self, air: BoundedAir, target: Any, handle: Handle, stop: threading.Event) -> Any:
        """Hand one chip over and wait for it to leave; return the next chip if it already is there."""
        tag, target = self._activated(air, target)
        if target is None:
            return None
        contact = NfcpyContact(air, tag, uid_of(target), lambda: same_chip(air.chip_in_field(), target))
        hand_over(handle, contact, self._health, self.path)
        contact.end()
        if air.device_fault is not None:
            raise air.device_fault
        # After "lost" the guest holds the chip there again, perhaps before it was missed: a new presentation.
        if contact.lost:
            self._health.vacated()
            return None
        return self._next_chip(air, target, stop)

    def _activated(self, air: BoundedAir, target: Any) -> tuple[Any, Any]:
        """Return tag and target: no tag for a chip that can't be talked to, no target for one that left."""
        for _ in range(2):
            try:
                return activate(air, target), target
            except OSError:
                raise
            except Exception as error:  # nfcpy raises anything on what a chip answers
                log.info("Reader %s: a chip did not activate: %s", self.path, error)
            target = same_chip(air.chip_in_field(), target)
            if target is None:
                return None, None
        return None, target

    def _next_chip(self, air: BoundedAir, target: Any, stop: threading.Event) -> Any:
        """Wait until the chip has left; return the one that took its place, None for an empty field.

        Each look switches the field off and on, so that a swapped chip can't hide behind the last one. A miss
        may be a chip at the field's edge, so that it has left only once a quarter of a second of looks has
        missed it. A device lost meanwhile and soon back goes on waiting: the same chip is no second tap.
        """
        look_s, missed_since = FIRST_LOOK_S, None
        self._held = target
        while not stop.wait(look_s):
            self._held_until = self._monotonic() + HELD_MEMORY_S
            found = air.chip_in_field()
            if found is None:
                missed_since = missed_since or self._monotonic()
                gone = self._monotonic() - missed_since >= DEPARTURE_S
            else:
                missed_since = None
                gone = same_chip(found, target) is None
            if gone:
                self._held = None
                self._health.vacated()
                return found
            look_s = FIRST_LOOK_S if found is None else min(2 * look_s, LONGEST_LOOK_S)
        return None


def uid_of(target: Any) -> bytes:
    """Return the UID that a RemoteTarget carries (Type 1 chips give theirs in RID_RES)."""
    if target.sdd_res:
        return bytes(target.sdd_res)
    return bytes(target.rid_res[2:6]) if target.rid_res else b""


def same_chip(found: Any, expected: Any) -> Any:
    """Return `found` when it is the expected chip, else None.

    A random UID changes whenever the field is switched: then any chip of the same make with a random UID
    counts as the same one, so that a phone left on the reader is not a new guest at each look.
    """
    if found is None:
        return None
    if is_random_uid(uid_of(found)) and is_random_uid(uid_of(expected)):
        same = (found.sens_res, found.sel_res) == (expected.sens_res, expected.sel_res)
    else:
        same = uid_of(found) == uid_of(expected)
    return found if same else None
