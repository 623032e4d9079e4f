"""An edge's push and pull, with a store of their own, against a gateway that is a real server."""

import threading

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from readers.backoff import Backoff
from readers.clock import SystemClock, SystemEntropy
from readers.store import Store
from readers.sync import Puller, Pusher
from readers.transport.base import Anchors
from readers.transport.http import HttpTransport
from tests.support.edge_world import NOON, an_id
from tests.support.fake_gateway import FakeGateway
from wallet.journal import EntryKind

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


class Parts:
    """All that push and pull need."""

    def __init__(self, directory):
        self.gateway = FakeGateway()
        self.gateway.edge_key = KEY.public_key()
        self.clock = SystemClock()
        self.transport = HttpTransport(
            self.gateway.url, "edge-1", KEY, self.clock, SystemEntropy(), hold_deadline_s=1
        )
        self.store = Store(directory / "edge.sqlite", "edge-1", an_id(1, 99), NOON)
        self.pusher = Pusher(self.store, self.transport, "edge-1", self.backoff())
        self.renewed: list[Anchors] = []
        self.spoilt_anchors = False
        self.puller = self.new_puller()
        self.stop = threading.Event()
        self.threads: list[threading.Thread] = []

    def backoff(self):
        return Backoff(SystemEntropy(), first_s=0.02, max_s=0.1)

    def new_puller(self, trusted=None):
        return Puller(
            self.store,
            self.transport,
            self.clock,
            self.backoff(),
            feed_wait_s=0.3,
            renew=self.renew,
            gone=self.store.doubt,
            trusted=trusted,
        )

    def renew(self, anchors):
        self.renewed.append(anchors)
        if self.spoilt_anchors:
            raise ValueError("a key is none")

    def journal(self, count=1):
        with self.store.writing() as writing:
            for _ in range(count):
                writing.append(EntryKind.STARTED, NOON)
        self.pusher.wake()

    def run(self, *parts):
        for part in parts:
            thread = threading.Thread(target=part.run, args=(self.stop,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def close(self):
        self.stop.set()
        self.pusher.wake()
        for thread in self.threads:
            thread.join(10)
        self.transport.close()
        self.gateway.cut()
        self.store.close()
