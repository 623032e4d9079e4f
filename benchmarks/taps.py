"""Measure taps of bands with keys at an edge: from the chip's first answer to who it is, and on to the light.

`passband bench taps [--taps N] [--readers N]`. The chips live in a process of their own, made by the encoder's own
code, and the readers in this one, with the edge's own store, custody, rulebook, journal and outputs. So the CPU figures
are the edge's alone; both processes share the monotonic clock.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.drivers import free_ports, side_by_side, spread
from gateway.resort_toml import read_resort
from readers.chips.personalise import personalise
from readers.clock import SystemClock, SystemEntropy
from readers.custody import SealedCustody
from readers.drivers import open_driver
from readers.drivers.base import Contact
from readers.drivers.simulated import SimulatedChip, SimulatedContact
from readers.outputs import LampLog, Outputs, Sight
from readers.sealing import Seal
from readers.settings import ReaderSettings
from readers.store import Store
from readers.tapping import Tapping
from readers.tills import Tills
from readers.transport.base import Anchors, ChipKeySet, ChipPlan
from readers.trust import Trust
from readers.writer import Verdict, Writer
from simulators.chips.field import Field
from simulators.chips.ntag424 import Ntag424, Ntag424Application
from simulators.chips.ntag424_memory import Memory
from simulators.demo.plan import RESORT_FILE
from wallet.chips.keys import KeySlot, chip_key
from wallet.credential import Credential, medium_tag, sign
from wallet.entitlement import RoomKey
from wallet.ids import uuid7
from wallet.medium import Medium, MediumKind, MediumState
from wallet.snapshot import WIRE_VERSION, Snapshot
from wallet.tap import Hold, HoldAnswer, Tap
from wallet.token import TokenDocument

DOOR, ROOM = "door-101", "101"
BANDS_PER_READER = 20
ISSUER_ID = "0badcafe"
STEADY_S = 0.35
"""Between single arrivals: a band that hides its UID can't be told from the last one before that has left."""


@dataclass(frozen=True)
class Resort:
    """The secrets of the measured resort, the same in both processes."""

    seed: bytes
    began_at: datetime
    random_uid: bool

    @property
    def issuer(self) -> Ed25519PrivateKey:
        """The key that signs credentials."""
        return Ed25519PrivateKey.from_private_bytes(self.seed[:32])

    def master(self, slot: KeySlot) -> bytes:
        """Return a slot's master."""
        return chip_key(self.seed[32:48], KeySlot.ENCODER, slot.value.encode().ljust(7, b"\x00"))

    def guest_id(self, reader: int, number: int, noun: int) -> str:
        """Return the id of a guest's token (noun 1), party (2) or medium (3)."""
        return uuid7(self.began_at, bytes([noun, reader]) + number.to_bytes(8))

    def band(self, reader: int, number: int) -> Memory:
        """Return a chip as an encoder leaves it."""
        uid = bytes([4, reader]) + number.to_bytes(5)
        claims = Credential(
            self.guest_id(reader, number, 1),
            medium_tag(self.guest_id(reader, number, 3)),
            uid.hex(),
            self.began_at,
            self.began_at + timedelta(days=7),
            1,
            ISSUER_ID,
            chip_keys=True,
        )
        keys = {slot: chip_key(self.master(slot), slot, uid).hex() for slot in KeySlot}
        plan = ChipPlan(ChipKeySet(1, keys), (), "https://resort.example/tap", self.random_uid)
        memory = Memory(uid)
        chip = SimulatedChip(uid, commands=Ntag424Application(memory, os.urandom))
        personalise(SimulatedContact(chip), plan, sign(claims, self.issuer), SystemEntropy())
        return memory

    def document(self, reader: int, number: int) -> TokenDocument:
        """Return what the edge knows of a band's guest."""
        uid = bytes([4, reader]) + number.to_bytes(5)
        medium_id = self.guest_id(reader, number, 3)
        medium = Medium(medium_id, MediumKind.BAND, MediumState.ACTIVE, uid.hex())
        key = RoomKey("right", (ROOM,), self.began_at, self.began_at + timedelta(days=5))
        token_id, party_id = (self.guest_id(reader, number, noun) for noun in (1, 2))
        return TokenDocument(token_id, 1, party_id, (medium,), (key,))


class Listening(Ntag424):
    """A band that notes when it first answered a command of this presentation."""

    first_answer_s = 0.0

    def respond(self, command: bytes) -> bytes | None:
        """Answer one frame."""
        answer = super().respond(command)
        if not self.first_answer_s:
            self.first_answer_s = time.monotonic()
        return answer


def hold_bands(resort: Resort, port: int, reader: int, taps: int, pause_s: float, link: Connection) -> None:
    """Hold one band after the other to a reader, each until its light was shown; then send what was seen."""
    bands = [resort.band(reader, number) for number in range(BANDS_PER_READER)]
    link.send("ready")
    link.recv()
    place, wrong = Field(port), 0
    unread: Counter[str] = Counter()
    verified_ms: list[float] = []
    lit_ms: list[float] = []
    for number in range(taps):
        band = Listening(bands[number % BANDS_PER_READER])
        arrived_s = time.monotonic()
        place.present(band)
        token_id, fault, verified_s, lit_s = link.recv()
        if fault:
            unread[fault] += 1
        else:
            wrong += token_id != resort.guest_id(reader, number % BANDS_PER_READER, 1)
        verified_ms.append(1000 * (verified_s - band.first_answer_s))
        lit_ms.append(1000 * (lit_s - arrived_s))
        place.remove()
        if pause_s:
            # A step beside the poll's own, so that arrivals fall anywhere between two polls.
            time.sleep(pause_s + number % 17 * 0.003)
    link.send((wrong, unread, verified_ms, lit_ms))


def bands_process(
    resort: Resort, ports: list[int], taps: int, pause_s: float, links: list[Connection]
) -> None:
    """Run one presenter per reader."""
    readers = enumerate(zip(ports, links, strict=True))
    side_by_side(
        hold_bands, [(resort, port, number, taps, pause_s, link) for number, (port, link) in readers]
    )


@dataclass
class Moments(threading.local):
    """When this reader's present tap was verified and lit."""

    verified_s: float = 0.0
    lit_s: float = 0.0
    token_id: str = ""
    fault: str = ""


class NotedWriter(Writer):
    """The edge's writer, which notes when a verified tap reaches it."""

    moments: Moments

    def decide(self, tap: Tap) -> Verdict:
        """Decide as ever."""
        self.moments.verified_s = time.monotonic()
        credential, fault = tap.presented.credential, tap.presented.fault
        self.moments.token_id = credential.token_id if credential else ""
        self.moments.fault = fault.value if fault else ""
        return super().decide(tap)


class NotedLight:
    """A lamp that notes when it was lit."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    def show(self, sight: Sight) -> None:
        """Note it."""
        self._moments.lit_s = time.monotonic()


class Edge:
    """An edge's way of a tap without a network: it knows its guests, holds the doors' master, journals each tap."""

    def __init__(self, resort: Resort, directory: Path, reader_count: int) -> None:
        clock, entropy = SystemClock(), SystemEntropy()
        data = read_resort(RESORT_FILE.read_text(encoding="utf-8"))
        public = resort.issuer.public_key().public_bytes_raw().hex()
        anchors = Anchors(
            "bench",
            data.touchpoint(DOOR).venue,
            {ISSUER_ID: public},
            reader_keys={1: resort.master(KeySlot.READER).hex()},
            chip_masters={KeySlot.DOOR: {1: resort.master(KeySlot.DOOR).hex()}},
        )
        seal = Seal(resort.issuer)
        self.store = Store(
            directory / "edge.sqlite", "bench", uuid7(clock.now(), bytes(10)), clock.now(), seal
        )
        documents = tuple(
            sorted(
                (
                    resort.document(reader, number)
                    for reader in range(reader_count)
                    for number in range(BANDS_PER_READER)
                ),
                key=lambda each: each.token_id,
            )
        )
        self.store.put_page(Snapshot(WIRE_VERSION, 1, clock.now(), data, documents), first=True)
        custody = SealedCustody(directory, seal, self.store)
        custody.learn(anchors)
        self.moments = Moments()
        self._writer = NotedWriter(self.store, clock, online=lambda: True, journalled=lambda: None)
        self._writer.moments = self.moments
        lamps = Outputs("bench", [LampLog(directory / "lamps.jsonl"), NotedLight(self.moments)])
        self._tapping = Tapping(
            writer=self._writer,
            trust=Trust(anchors),
            custody=custody,
            slot_at=lambda _: KeySlot.DOOR,
            tills=Tills(clock, resort=self.store.resort, paid=self.store.of_sale, sale_wait_s=1.0),
            outputs=lamps,
            hold=lambda _: Hold(HoldAnswer.UNREACHABLE),
            clock=clock,
            entropy=entropy,
            pin_wait_s=1.0,
        )
        self._writer.start()

    def handler(self, reader: int, link: Connection) -> Callable[[Contact], None]:
        """Return what a reader does with a band."""
        settings = ReaderSettings(f"reader-{reader}", DOOR, "udp:")

        def handle(contact: Contact) -> None:
            self._tapping.take(settings, contact)
            moments = self.moments
            link.send((moments.token_id, moments.fault, moments.verified_s, moments.lit_s))

        return handle

    def close(self) -> None:
        """End the writer and close the file."""
        self._writer.stop()
        self.store.close()


def measure(reader_count: int, taps_each: int, pause_s: float, *, random_uid: bool) -> dict[str, Any]:
    """Tap `taps_each` bands at each reader; return what was seen and what it cost."""
    context = multiprocessing.get_context("spawn")
    resort = Resort(os.urandom(48), datetime.now(UTC) - timedelta(hours=1), random_uid)
    ports = free_ports(reader_count)
    pipes = [context.Pipe() for _ in ports]
    far = [each for _, each in pipes]
    bands = context.Process(target=bands_process, args=(resort, ports, taps_each, pause_s, far))
    bands.start()
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as directory:
        edge = Edge(resort, Path(directory), reader_count)
        for near, _ in pipes:
            near.recv()
        readers = [
            threading.Thread(
                target=open_driver(f"udp:127.0.0.1:{port}", time.monotonic).serve,
                args=(edge.handler(number, near), stop),
            )
            for number, (port, (near, _)) in enumerate(zip(ports, pipes, strict=True))
        ]
        for reader in readers:
            reader.start()
        began_s, cpu_began_s = time.monotonic(), time.process_time()
        for near, _ in pipes:
            near.send("go")
        seen = [near.recv() for near, _ in pipes]
        elapsed_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_began_s
        stop.set()
        for reader in readers:
            reader.join()
        bands.join()
        journalled = edge.store.mark().number - 1
        edge.close()
    taps = reader_count * taps_each
    return {
        "readers": reader_count,
        "taps": taps,
        "random_uid": random_uid,
        "journalled": journalled,
        "wrong_identities": sum(wrong for wrong, *_ in seen),
        "unread": dict(sum((unread for _, unread, *_ in seen), Counter())),
        "taps_per_s": round(taps / elapsed_s, 1),
        "cpu_ms_per_tap": round(1000 * cpu_s / taps, 2),
        "first_answer_to_identity_ms": spread([each for *_, verified, _ in seen for each in verified]),
        "arrival_to_light_ms": spread([each for *_, lit in seen for each in lit]),
    }


def main(argv: list[str]) -> int:
    """Run both measurements; exit status 1 when an identity was wrong or a tap is missing in the journal."""
    parser = argparse.ArgumentParser(prog="passband bench taps", description=__doc__)
    parser.add_argument(
        "--taps", type=int, default=5000, help="taps of the flat-out run, all readers together"
    )
    parser.add_argument("--arrivals", type=int, default=200, help="single arrivals measured for latency")
    parser.add_argument("--readers", type=int, default=10, help="readers of the flat-out run")
    options = parser.parse_args(argv)
    report = {
        "single arrivals": measure(1, options.arrivals, STEADY_S, random_uid=True),
        "flat out": measure(options.readers, max(1, options.taps // options.readers), 0.0, random_uid=False),
    }
    print(json.dumps(report, indent=2))
    whole = all(
        each["journalled"] == each["taps"] and not each["wrong_identities"] for each in report.values()
    )
    return 0 if whole else 1
