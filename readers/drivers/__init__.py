"""Reader devices behind one interface: nfcpy's, scanners, simulated ones."""

from collections.abc import Callable

from readers.drivers.base import Driver
from readers.drivers.nfcpy_driver import NfcpyDriver
from readers.drivers.scanner import ScannerDriver
from readers.drivers.simulated import SimulatedDriver

NFCPY_SCHEMES = ("udp", "usb", "tty", "com")


def open_driver(path: str, monotonic: Callable[[], float]) -> Driver:
    """Return the driver for a device path. The device itself is opened by `serve`, and reopened when lost.

    Args:
        path: `udp:127.0.0.1:54321`, `usb:054c:06c3`, `tty:S0:pn532` (all as in nfcpy),
            `scanner:/dev/ttyACM0`, `scanner:socket://127.0.0.1:7001` (as in pyserial) or `simulated:`.
        monotonic: the machine's own monotonic clock, in seconds; simulation time would end reads half-way.

    Raises:
        ValueError: no driver knows such a path.
    """
    scheme, _, rest = path.partition(":")
    if scheme in NFCPY_SCHEMES:
        return NfcpyDriver(path, monotonic)
    if scheme == "scanner" and rest:
        return ScannerDriver(rest, monotonic)
    if path == "simulated:":
        return SimulatedDriver(monotonic)
    raise ValueError(f"No driver knows the reader path {path!r}; it begins with udp, usb, tty or scanner.")
