"""Measure readers on emulated fields, from chip to verified identity: `python -m benchmarks.drivers [--taps N]`.

The chips live in a process of their own, so that CPU figures are the readers' alone. `latency_ms` is from the moment a
chip begins to listen, `proof_ms` from its being selected, to who it is; both processes share the monotonic clock.
"""

import argparse
import json
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.bands import ENTROPY, ISSUER_KEYS, KINDS, GateKeys, chip_of, token_of
from readers.drivers import open_driver
from readers.drivers.base import Contact
from readers.presentation import present
from simulators.chips.field import Field
from wallet.chips.keys import KeySlot

PAUSE_S = 0.15  # between single arrivals: the reader has missed the last chip by then
IDLE_READERS = 12
IDLE_S = 10.0


def tap_chips(
    port: int, reader_no: int, taps: int, pause_s: float, kinds: tuple[str, ...], link: Connection
) -> None:
    """Hold one chip after the other to one reader, each until the reader reports that it was handled."""
    field = Field(port)
    for number in range(taps):
        kind, uid = kinds[number % len(kinds)], bytes([4, reader_no]) + number.to_bytes(5)
        chip = chip_of(kind, uid)
        arrived = time.monotonic()
        field.present(chip)
        link.send((arrived, kind, uid))
        link.recv()
        field.remove()
        if pause_s:
            # A step beside the poll's own, so that arrivals fall anywhere between two polls.
            time.sleep(pause_s + number % 17 * 0.003)


def side_by_side(target: Callable[..., None], calls: Iterable[tuple[Any, ...]]) -> None:
    """Run one thread per call, and return when all have ended."""
    threads = [threading.Thread(target=target, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def chip_process(
    ports: list[int], taps: int, pause_s: float, kinds: tuple[str, ...], links: list[Connection]
) -> None:
    """Run one chip presenter per field."""
    fields = enumerate(zip(ports, links, strict=True))
    side_by_side(tap_chips, [(port, no, taps, pause_s, kinds, link) for no, (port, link) in fields])


class Readers:
    """Some readers in this process, each with a link to its chip presenter."""

    def __init__(self, ports: list[int], links: list[Connection]) -> None:
        self.latencies_ms: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self.proofs_ms: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self._keys = GateKeys()
        self.wrong = 0
        self.handled = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(
                target=open_driver(f"udp:127.0.0.1:{port}", time.monotonic).serve,
                args=(self._handler(link), self._stop),
            )
            for port, link in zip(ports, links, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def _handler(self, link: Connection) -> Callable[[Contact], None]:
        def handle(contact: Contact) -> None:
            selected = time.monotonic()
            shown = present(contact, ISSUER_KEYS, self._keys, KeySlot.GATE, ENTROPY)
            done = time.monotonic()
            found = shown.credential.token_id if shown.credential else ""
            arrived, kind, expected = link.recv()
            with self._lock:
                self.handled += 1
                self.wrong += found != token_of(expected)
                self.latencies_ms[kind].append(1000 * (done - arrived))
                self.proofs_ms[kind].append(1000 * (done - selected))
            link.send(True)

        return handle

    def end(self) -> None:
        """Stop all readers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def free_ports(count: int) -> list[int]:
    """Return udp ports on loopback that are free now."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def run_taps(reader_count: int, taps_each: int, pause_s: float, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Tap `taps_each` chips on each reader; return what was seen and what it cost."""
    context = multiprocessing.get_context("spawn")
    ports = free_ports(reader_count)
    pipes = [context.Pipe() for _ in ports]
    far_ends = [far for _, far in pipes]
    chips = context.Process(target=chip_process, args=(ports, taps_each, pause_s, kinds, far_ends))
    readers = Readers(ports, [near for near, _ in pipes])
    chips.start()
    began, cpu_began = time.monotonic(), time.process_time()
    chips.join()
    elapsed_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    readers.end()
    return {
        "readers": reader_count,
        "taps": readers.handled,
        "wrong_identities": readers.wrong,
        "taps_per_s": round(readers.handled / elapsed_s, 1),
        "cpu_ms_per_tap": round(1000 * cpu_s / max(1, readers.handled), 2),
        "latency_ms": {kind: spread(values) for kind, values in readers.latencies_ms.items() if values},
        "proof_ms": {kind: spread(values) for kind, values in readers.proofs_ms.items() if values},
    }


def spread(values: list[float]) -> dict[str, float]:
    """Return median and 99th percentile, in the values' unit."""
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {"median": round(statistics.median(ordered), 1), "p99": round(p99, 1)}


def run_idle(reader_count: int, seconds: float) -> dict[str, Any]:
    """Let readers look at empty fields; return what share of one core they take together."""
    pipes = [multiprocessing.Pipe() for _ in range(reader_count)]
    readers = Readers(free_ports(reader_count), [near for near, _ in pipes])
    cpu_began = time.process_time()
    time.sleep(seconds)
    cpu_s = time.process_time() - cpu_began
    began = time.monotonic()
    readers.end()
    return {
        "readers": reader_count,
        "cpu_percent_of_one_core": round(100 * cpu_s / seconds, 1),
        "stop_all_s": round(time.monotonic() - began, 3),
    }


def main(argv: list[str]) -> int:
    """Run all measurements; exit status 1 when an identity was read wrong or a tap is missing."""
    parser = argparse.ArgumentParser(prog="passband bench drivers", description=__doc__)
    parser.add_argument(
        "--taps", type=int, default=5000, help="taps of the flat-out run, all readers together"
    )
    parser.add_argument("--arrivals", type=int, default=200, help="single arrivals measured for latency")
    parser.add_argument("--kind", choices=KINDS, help="tap chips of this kind only")
    parser.add_argument("--readers", type=int, default=10, help="readers of the flat-out run")
    options = parser.parse_args(argv)
    taps_each = max(1, options.taps // options.readers)
    kinds = (options.kind,) if options.kind else KINDS
    report = {
        "idle": run_idle(IDLE_READERS, IDLE_S),
        "single arrivals": run_taps(1, options.arrivals, PAUSE_S, kinds),
        "flat out": run_taps(options.readers, taps_each, 0.0, kinds),
    }
    print(json.dumps(report, indent=2))
    complete = report["flat out"]["taps"] == taps_each * options.readers
    return 0 if complete and not report["flat out"]["wrong_identities"] else 1
