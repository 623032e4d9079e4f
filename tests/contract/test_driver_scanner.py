"""What a scanner survives: unplugging, junk and codes without end."""

import queue
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from readers.drivers.base import BadRecord, ChipReadOnly, Contact
from readers.drivers.scanner import LONGEST_LINE, LineFramer, ScannerDriver

PATIENCE_S = 10.0


class Bench:
    """A scanner driver at work, and the device's end of its socket."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(PATIENCE_S)
        self.address = self.server.getsockname()
        self.driver = ScannerDriver(f"socket://127.0.0.1:{self.address[1]}", time.monotonic)
        self.seen: queue.Queue[object] = queue.Queue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.driver.serve, args=(self._handle, self.stop), daemon=True)
        self.thread.start()
        self.plug_in()

    def plug_in(self) -> None:
        """Take the driver's connection, and wait until it is open: pyserial drops what arrives before."""
        self.device = self.server.accept()[0]
        while self.driver.health().state != "up":
            assert not self.stop.wait(0.005)

    def _handle(self, contact: Contact) -> None:
        try:
            self.seen.put(contact.read_credential())
        except BadRecord as error:
            self.seen.put(error)
        with pytest.raises(ChipReadOnly):
            contact.write_credential(b"x")

    def scan(self, data: bytes) -> object:
        self.device.sendall(data)
        return self.seen.get(timeout=PATIENCE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.stop.set()
    bench.thread.join(PATIENCE_S)
    bench.device.close()
    bench.server.close()
    assert not bench.thread.is_alive()


def test_an_unplugged_scanner_is_taken_up_again(bench: Bench) -> None:
    assert bench.scan(b"FIRST\r\n") == b"FIRST"
    bench.device.sendall(b"HALF A CO")
    bench.device.close()
    while bench.driver.health().state == "up":
        assert not bench.stop.wait(0.005)
    bench.plug_in()
    assert bench.scan(b"SECOND\r\n") == b"SECOND"
    health = bench.driver.health()
    assert (health.state, health.faults, health.presentations) == ("up", 1, 2)
    assert health.last_error


def test_a_scanner_absent_for_a_while_is_waited_for(bench: Bench) -> None:
    bench.server.close()
    bench.device.close()
    deadline = time.monotonic() + PATIENCE_S
    while bench.driver.health().faults < 3:
        assert time.monotonic() < deadline
        bench.stop.wait(0.02)
    assert bench.driver.health().state == "down"
    bench.server = socket.create_server(bench.address)
    bench.server.settimeout(PATIENCE_S)
    bench.plug_in()
    assert bench.scan(b"BACK\n") == b"BACK"


def test_junk_is_one_bad_code_and_the_next_one_is_read(bench: Bench) -> None:
    assert isinstance(bench.scan(bytes(range(128, 256)) + b"\n"), BadRecord)
    assert isinstance(bench.scan(b"A" * 50_000 + b"\n"), BadRecord)
    assert bench.scan(b"\r\n\n\rGOOD\r") == b"GOOD"
    assert bench.driver.health().faults == 0


def test_codes_that_arrive_together_are_told_apart(bench: Bench) -> None:
    assert bench.scan(b"ONE\r\nTWO\nTHREE\r") == b"ONE"
    assert bench.seen.get(timeout=PATIENCE_S) == b"TWO"
    assert bench.seen.get(timeout=PATIENCE_S) == b"THREE"


@pytest.mark.parametrize("step", [1, 2, 7, 5000])
def test_lines_are_the_same_however_they_arrive(step: int) -> None:
    stream = b"A\r\n\r\n" + b"B" * LONGEST_LINE + b"\n" + b"C" * (LONGEST_LINE + 1) + b"\nD\rE"
    framer = LineFramer()
    lines = [line for at in range(0, len(stream), step) for line in framer.feed(stream[at : at + step])]
    assert lines == [b"A", b"B" * LONGEST_LINE, None, b"D"]
