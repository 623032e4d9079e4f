"""Which keys an edge is told: the least that its own touchpoints need (docs/adr/0006-keys-of-a-chip.md)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from gateway.chip_keys import ChipKeys
from gateway.db.chips import chips_of
from gateway.db.engine import Database
from gateway.issuer import Issuer
from gateway.services.documents import takes_pins
from gateway.services.passes import CHIP_WITH_KEYS
from wallet.chips.keys import ChipKey, KeySlot, slot_of
from wallet.medium import MediumState
from wallet.resort import Resort
from wallet.snapshot import FeedBatch, Snapshot
from wallet.token import TokenDocument


def slots_of(resort: Resort, venue: str) -> frozenset[KeySlot]:
    """Return the slots whose keys the touchpoints of a venue prove chips by; an encoder's never leave like this."""
    slots = {slot_of(each.kind) for each in resort.touchpoints if each.venue == venue}
    return frozenset(slots - {KeySlot.ENCODER, KeySlot.READER})


def slots_with_master(resort: Resort, venue: str) -> frozenset[KeySlot]:
    """Return the slots where bands must pass that the edge has not heard of: it is told the master itself."""
    allowed = {
        KeySlot.GATE: resort.policies.unknown_at_gates,
        KeySlot.DOOR: resort.policies.unknown_at_doors,
    }
    return frozenset(slot for slot in slots_of(resort, venue) if allowed.get(slot, False))


@dataclass(frozen=True)
class EdgeTrust:
    """The keys of an edge as of now, in hex. `version` changes with them, and tells nothing of them."""

    version: str
    issuer_keys: dict[str, str]
    reader_keys: dict[int, str]
    chip_masters: dict[KeySlot, dict[int, str]]


class EdgeKeys:
    """Tells edges their keys."""

    def __init__(self, database: Database, chip_keys: ChipKeys, issuer: Issuer) -> None:
        self._database = database
        self._chip_keys = chip_keys
        self._issuer = issuer

    def trust(self, resort: Resort, venue: str) -> EdgeTrust:
        """Return what an edge of the venue trusts now."""
        issuer_keys, epochs = self._issuer.public_keys(), self._chip_keys.epochs()
        reads = any(each.venue == venue for each in resort.touchpoints)
        readers = {epoch: self._chip_keys.master(KeySlot.READER, epoch).hex() for epoch in epochs if reads}
        masters = self._chip_keys.masters(sorted(slots_with_master(resort, venue)), epochs)
        named = (
            sorted(issuer_keys.items()),
            sorted(readers),
            sorted(slots_of(resort, venue)),
            sorted(masters),
            takes_pins(resort, venue),
        )
        version = hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:16]
        return EdgeTrust(version, issuer_keys, readers, masters)

    def in_batch(self, batch: FeedBatch, resort: Resort, venue: str) -> FeedBatch:
        """Return the batch with the keys of the chips that its documents name, and the version of the edge's trust."""
        documents = (change.document for change in batch.changes if change.document is not None)
        keys = self._of_chips(documents, resort, venue)
        return replace(batch, chip_keys=keys, anchors=self.trust(resort, venue).version)

    def in_page(self, page: Snapshot, venue: str) -> Snapshot:
        """Return the page of a snapshot with the same."""
        keys = self._of_chips(page.documents, page.resort, venue)
        return replace(page, chip_keys=keys, anchors=self.trust(page.resort, venue).version)

    def _of_chips(
        self, documents: Iterable[TokenDocument], resort: Resort, venue: str
    ) -> tuple[ChipKey, ...]:
        """Return the keys of each live chip: of the epoch last read back from it and all since.

        A band that was re-keyed and pulled away before it was read back carries the keys of one in between.
        """
        slots = sorted(slots_of(resort, venue) - slots_with_master(resort, venue))
        uids = {
            medium.chip_uid
            for document in documents
            for medium in document.media
            if medium.chip_uid and medium.state is not MediumState.REVOKED
        }
        if not slots or not uids:
            return ()
        with self._database.read() as connection:
            chips = chips_of(connection, uids)
        live = self._chip_keys.epochs()
        return tuple(
            key
            for uid, chip in sorted(chips.items())
            if chip.kind == CHIP_WITH_KEYS
            for key in self._chip_keys.for_edge(uid, slots, [each for each in live if each >= chip.key_epoch])
        )
