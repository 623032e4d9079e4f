"""The service of one venue's edge: its readers, its writer, push, pull and its own small web."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from readers.background import Background
from readers.backoff import Backoff
from readers.clock import Clock, Entropy, new_id
from readers.custody import SealedCustody
from readers.drivers import open_driver
from readers.drivers.base import Contact, Driver
from readers.encoder import Encoder
from readers.outputs import Console, LampLog, Output, Outputs
from readers.sealing import Seal
from readers.settings import ReaderSettings, Settings, SettingsFault
from readers.status import ReaderStatus, Status, journal_fault, keys_alarm, lease_of, troubles_of
from readers.store import DATABASE_FILE, Store
from readers.sync import Presence, Puller, Pusher
from readers.tapping import Tapping
from readers.tills import Tills
from readers.transport.base import Anchors
from readers.transport.http import HttpEncodingDesk, HttpTransport, SignedClient
from readers.trust import Trust, load_anchors, load_key, save_anchors
from readers.writer import Writer
from wallet.chips.keys import KeySlot, slot_of
from wallet.reasons import Reason
from wallet.resort import TouchpointKind

log = logging.getLogger(__name__)

_JOIN_S = 5.0
_ENCODER_LOOK_S = 2.0

OpenDriver = Callable[[str, Callable[[], float]], Driver]


class Edge:
    """Puts the parts of an edge together and runs them until it is told to stop."""

    def __init__(
        self, settings: Settings, clock: Clock, entropy: Entropy, drivers: OpenDriver = open_driver
    ) -> None:
        """Open everything; nothing runs yet.

        Raises:
            SettingsFault: not enrolled, a reader path that no driver knows, or another edge runs here.
            StoreDamaged: the journal doesn't hold.
            StoreUnwritable: the directory takes no file.
        """
        edge = settings.edge
        self.settings = settings
        self._clock = clock
        key, anchors = load_key(edge.directory), load_anchors(edge.directory)
        self._lock = _only_here(edge.directory)
        self._drivers = [(reader, _driver(drivers, reader, clock)) for reader in settings.readers]
        seal = Seal(key)
        self.store = Store(edge.directory / DATABASE_FILE, edge.id, new_id(clock, entropy), clock.now(), seal)
        self._trust = Trust(anchors)
        self._custody = SealedCustody(edge.directory, seal, self.store)
        self._transport = HttpTransport(
            edge.gateway_url, edge.id, key, clock, entropy, hold_deadline_s=edge.hold_deadline_s
        )
        desk_client = SignedClient(edge.gateway_url, edge.id, key, clock, entropy)

        def backoff() -> Backoff:
            return Backoff(entropy, max_s=settings.backoff_max_s)

        self._background = Background(backoff)
        self._presence = Presence(self._transport, clock, edge.online_s)
        self._pusher = Pusher(self.store, self._transport, edge.id, backoff())
        self._puller = Puller(
            self.store,
            self._transport,
            clock,
            backoff(),
            feed_wait_s=edge.feed_wait_s,
            renew=self._renew,
            gone=self._doubt,
            trusted=anchors,
        )
        self._encoder = Encoder(
            HttpEncodingDesk(desk_client, entropy),
            self._trust,
            self._custody,
            entropy,
            backoff(),
            wait_s=edge.feed_wait_s,
        )
        self.tills = Tills(
            clock, resort=self.store.resort, paid=self.store.of_sale, sale_wait_s=edge.sale_wait_s
        )
        self._lamp_log = LampLog(edge.lamp_log) if edge.lamp_log else None
        lamps: list[Output] = [Console()] if self._lamp_log is None else [self._lamp_log, Console()]
        self._writer = Writer(self.store, clock, online=self._presence.online, journalled=self._pusher.wake)
        self._outputs = Outputs(edge.id, lamps)
        self.tapping = Tapping(
            writer=self._writer,
            trust=self._trust,
            custody=self._custody,
            slot_at=self._slot_at,
            tills=self.tills,
            outputs=self._outputs,
            hold=self._transport.hold,
            clock=clock,
            entropy=entropy,
            pin_wait_s=edge.pin_wait_s,
        )

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; then finish the taps in hand and end."""
        self._writer.start()
        self._background.start("push", self._pusher.run, stop)
        self._background.start("pull", self._puller.run, stop)
        self._background.start("encode", self._serve_encoders, stop)
        readers = [
            _thread(f"reader-{reader.id}", driver.serve, self._handler(reader), stop)
            for reader, driver in self._drivers
        ]
        log.info("edge %s serves %d readers", self.settings.edge.id, len(readers))
        stop.wait()
        self.tills.close()
        for thread in readers:
            thread.join(self.settings.edge.hold_deadline_s + _JOIN_S)
        self._writer.stop()
        self._pusher.wake()
        if self._background.join(_JOIN_S):
            self.store.close()
        if self._lamp_log is not None:
            self._lamp_log.close()
        os.close(self._lock)

    def status(self) -> Status:
        """Return how the edge is now."""
        edge = self.settings.edge
        known, mark = self.store.known(), self.store.mark()
        readers = tuple(self._reader_status(reader, driver) for reader, driver in self._drivers)
        alarms = (
            self._writer.alarm,
            self._pusher.alarm,
            self._puller.alarm,
            self._outputs.last_error,
            self._custody.alarm,
            keys_alarm(readers),
            *self._background.alarms,
        )
        troubles = (self._puller.last_error, self._pusher.last_error, self._encoder.last_error)
        status = Status(
            edge=edge.id,
            venue=edge.venue,
            online=self._presence.online(),
            as_of=known.as_of,
            position=known.position,
            backlog=mark.backlog,
            epoch=mark.epoch,
            number=mark.number,
            acknowledged=mark.acknowledged,
            readers=readers,
            clock=self._clock.now(),
            alarms=tuple(filter(None, alarms)),
            last_errors=tuple(dict.fromkeys(filter(None, troubles))),
            lease_s=lease_of(self.store.resort(), (reader.touchpoint for reader in self.settings.readers)),
        )
        fault = journal_fault(edge.directory / DATABASE_FILE)
        return msgspec.structs.replace(status, troubles=troubles_of(status, fault))

    def _reader_status(self, reader: ReaderSettings, driver: Driver) -> ReaderStatus:
        health = driver.health()
        return ReaderStatus(
            id=reader.id,
            touchpoint=reader.touchpoint,
            path=reader.path,
            state=health.state,
            last_error=health.last_error,
            encodings=self._encoder.waiting(reader.touchpoint),
            not_genuine=self.tapping.faults(reader.id, Reason.CHIP_NOT_PROVEN),
            keys_unknown=self.tapping.faults(reader.id, Reason.CHIP_KEY_UNKNOWN),
        )

    def _handler(self, reader: ReaderSettings) -> Callable[[Contact], None]:
        def handle(contact: Contact) -> None:
            if self._is_encoder(reader):
                encoded = self._encoder.take(reader.touchpoint, contact)
                log.info("%s: %s", reader.touchpoint, encoded.sentence)
            else:
                self.tapping.take(reader, contact)

        return handle

    def _is_encoder(self, reader: ReaderSettings) -> bool:
        resort = self.store.resort()
        if resort is None:
            return False
        return any(
            each.id == reader.touchpoint and each.kind is TouchpointKind.ENCODER
            for each in resort.touchpoints
        )

    def _slot_at(self, touchpoint: str) -> KeySlot | None:
        resort = self.store.resort()
        try:
            return slot_of(resort.touchpoint(touchpoint).kind) if resort else None
        except KeyError:
            return None

    def _serve_encoders(self, stop: threading.Event) -> None:
        # What a touchpoint is, the resort's data tell; at the first start they arrive with the snapshot.
        while not stop.is_set():
            if any(self._is_encoder(reader) for reader in self.settings.readers):
                self._encoder.run(stop)
            stop.wait(_ENCODER_LOOK_S)

    def _renew(self, anchors: Anchors) -> None:
        self._custody.learn(anchors)
        if anchors != self._trust.anchors:
            self._trust.renew(anchors)
            save_anchors(self.settings.edge.directory, anchors)

    def _doubt(self) -> None:
        self.store.doubt()
        self._pusher.wake()


def _driver(drivers: OpenDriver, reader: ReaderSettings, clock: Clock) -> Driver:
    try:
        return drivers(reader.path, clock.elapsed_s)
    except ValueError as error:
        raise SettingsFault(f"readers.path of {reader.id}: {error}") from None


def _only_here(directory: Path) -> int:
    descriptor = os.open(directory / "edge.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SettingsFault(f"another edge runs in {directory}; stop it, or set edge.directory") from None
    return descriptor


def _thread(name: str, target: Callable[..., None], *words: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=words, name=name, daemon=True)
    thread.start()
    return thread
