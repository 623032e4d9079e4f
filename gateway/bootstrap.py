"""Puts a gateway together from its settings: the one place where the parts learn of each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Thread

from msgspec import Struct

from gateway.auth import Doorman, Passwords
from gateway.chip_keys import ChipKeys
from gateway.clock import Clock, Entropy, SystemEntropy
from gateway.command import Channel, Command, Envelope
from gateway.conveyor import Conveyor
from gateway.db import migrate
from gateway.db.engine import Database
from gateway.db.photos import StoredPhotos
from gateway.edge_keys import EdgeKeys
from gateway.feed import Feed
from gateway.issuer import Issuer, new_key, open_key
from gateway.metrics import Metrics
from gateway.services.keys import FirstChipEpoch, FirstIssuerKey
from gateway.services.registry import all_services
from gateway.settings import Settings
from gateway.sun_reading import SunReader
from gateway.tries import Failures, Visits
from gateway.vault import Vault
from gateway.waiting import Answer
from photopass.blobs import FolderBlobs
from photopass.service import Album
from wallet.ids import uuid7


@dataclass(frozen=True)
class Gateway:
    """Everything a route, a page or the command line may reach for."""

    settings: Settings
    clock: Clock
    entropy: Entropy
    vault: Vault
    database: Database
    feed: Feed
    conveyor: Conveyor
    issuer: Issuer
    chip_keys: ChipKeys
    edge_keys: EdgeKeys
    sun_reader: SunReader
    doorman: Doorman
    passwords: Passwords
    failures: Failures
    bookings: Visits
    sun_visits: Visits
    metrics: Metrics
    album: Album
    photo_records: StoredPhotos

    def new_id(self, at: datetime | None = None) -> str:
        """Return a new UUIDv7."""
        return uuid7(at or self.clock.now(), self.entropy.draw(10))

    def command(self, envelope: Envelope, body: Struct) -> Command[Struct]:
        """Return a command with entropy of its own."""
        return Command(envelope, body, self.entropy.draw(32))

    def do(
        self, name: str, body: Struct, *, actor: str = "system", channel: Channel = Channel.SYSTEM
    ) -> Answer:
        """Carry out a command of the house's own, under a new id, and wait for its answer."""
        at = self.clock.now()
        return self.conveyor.call(
            name, self.command(Envelope(self.new_id(at), actor, channel, None, at), body)
        )

    def start(self) -> None:
        """Bring the database up to date and begin to work.

        Raises:
            VaultFault: the master key is not the one that sealed the issuer keys.
        """
        migrate(self.settings.database)
        self.feed.start()
        self.conveyor.start()
        key_id, public, sealed = new_key(self.vault, self.entropy)
        self.do("issuer.first_key", FirstIssuerKey(key_id, public, sealed))
        self.do("chip_epoch.first", FirstChipEpoch())
        open_key(self.vault, self.issuer.current())
        # Bytes that a crash left without a record; a large folder takes its time, and nobody waits for it.
        Thread(target=self.album.sweep, name="photo sweep", daemon=True).start()

    def stop(self) -> None:
        """Carry out what waits, then end."""
        self.conveyor.stop()
        self.feed.stop()
        self.database.close()


def build(settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None) -> Gateway:
    """Return a gateway that has not started yet."""
    clock, entropy = clock or settings.clock(), entropy or SystemEntropy()
    vault = Vault(settings.master(entropy))
    database = Database(settings.database, pool_size=settings.pool_size)
    feed = Feed(database, clock)
    metrics = Metrics()
    conveyor = Conveyor(
        database,
        feed,
        all_services(),
        entropy,
        queue_max=settings.queue_max,
        batch_max=settings.batch_max,
        on_batch=metrics.batch,
    )
    metrics.watch(conveyor, feed)
    photo_records = StoredPhotos(database)
    issuer, chip_keys = Issuer(database, vault), ChipKeys(database, vault)
    return Gateway(
        settings=settings,
        clock=clock,
        entropy=entropy,
        vault=vault,
        database=database,
        feed=feed,
        conveyor=conveyor,
        issuer=issuer,
        chip_keys=chip_keys,
        edge_keys=EdgeKeys(database, chip_keys, issuer),
        sun_reader=SunReader(database, chip_keys, clock),
        doorman=Doorman(database),
        passwords=Passwords(),
        failures=Failures(settings.sign_in_failures, settings.sign_in_failures_per_address, clock.monotonic),
        bookings=Visits(settings.bookings_per_address, clock.monotonic),
        sun_visits=Visits(settings.band_readings_per_address, clock.monotonic),
        metrics=metrics,
        album=Album(FolderBlobs(settings.directory / "photos"), photo_records),
        photo_records=photo_records,
    )


@contextmanager
def running(
    settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None
) -> Iterator[Gateway]:
    """Give a started gateway without its HTTP, and stop it at the end."""
    gateway = build(settings, clock=clock, entropy=entropy)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
