"""QR scanners that send each code as a line of text: on a serial port, or on a socket in the demo."""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import serial

from readers.drivers.base import (
    BadRecord,
    ChipKind,
    ChipReadOnly,
    ContactLost,
    DriverHealth,
    Handle,
    NoCommands,
)
from readers.drivers.endurance import hand_over, keep_open
from readers.drivers.health import HealthLog

LONGEST_LINE = 1024  # bytes; a credential of 500 bytes in base45
LOOK_AT_STOP_S = 0.1
BAUD_RATE = 115200
_LINE_ENDS = b"\r\n"
_PRINTABLE = range(0x20, 0x7F)


class LineFramer:
    """Cuts a stream of bytes into lines of bounded length."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._line = bytearray()
        self._overlong = False

    def feed(self, chunk: bytes) -> list[bytes | None]:
        """Return the lines that `chunk` completes, without line ends; None stands for an overlong one."""
        lines: list[bytes | None] = []
        for byte in chunk:
            if byte in _LINE_ENDS:
                if self._overlong:
                    lines.append(None)
                elif self._line:
                    lines.append(bytes(self._line))
                self._line.clear()
                self._overlong = False
            elif len(self._line) < self._longest:
                self._line.append(byte)
            else:
                self._overlong = True
        return lines


class QrContact:
    """One scanned code. It has no UID and cannot be written."""

    chip_kind = ChipKind.QR
    uid = b""
    is_random_uid = False

    def __init__(self, line: bytes | None) -> None:
        """Args: the scanned line, None when it was too long to be kept."""
        self._line = line
        self._over = False

    def end(self) -> None:
        """Make all further calls fail: the presentation is over."""
        self._over = True

    def exchange(self, apdu: bytes) -> bytes:
        """Refuse: a code takes no commands."""
        self._require_open()
        raise NoCommands("A QR code takes no commands.")

    def read_message(self) -> None:
        """Return None: a code is no NDEF message."""
        self._require_open()

    def read_credential(self) -> bytes:
        """Return the line's bytes; what they mean is the wallet's to say."""
        self._require_open()
        if self._line is None:
            raise BadRecord(f"The code is longer than {LONGEST_LINE} characters.")
        if any(byte not in _PRINTABLE for byte in self._line):
            raise BadRecord("The code holds bytes that no pass has.")
        return self._line

    def write_credential(self, data: bytes) -> None:
        """Refuse: a code is read only."""
        self._require_open()
        raise ChipReadOnly("A QR code cannot be written.")

    def _require_open(self) -> None:
        if self._over:
            raise ContactLost("The presentation is over.")


class ScannerDriver:
    """One scanner. Each line is one presentation; lines sent while `handle` works wait their turn."""

    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        """Args: `url` as in pyserial: `/dev/ttyACM0`, `socket://127.0.0.1:7001`."""
        self.url = url
        self._health = HealthLog(monotonic)

    def health(self) -> DriverHealth:
        """Return how the scanner is."""
        return self._health.snapshot()

    def serve(self, handle: Handle, stop: threading.Event) -> None:
        """Serve the scanner until `stop` is set."""
        keep_open(lambda: self._session(handle, stop), self._health, stop, self.url)

    def _session(self, handle: Handle, stop: threading.Event) -> None:
        framer = LineFramer()  # half a line before an unplugging is no beginning of the next
        with closing(serial.serial_for_url(self.url, baudrate=BAUD_RATE, timeout=LOOK_AT_STOP_S)) as port:
            self._health.up()
            while not stop.is_set():
                for line in framer.feed(_read_some(port)):
                    if stop.is_set():
                        return
                    contact = QrContact(line)
                    hand_over(handle, contact, self._health, self.url)
                    contact.end()
                    self._health.vacated()


def _read_some(port: Any) -> bytes:
    """Return what has arrived, at least one byte or nothing after the port's timeout."""
    return bytes(port.read(max(1, port.in_waiting)))
