"""The edge's store: facts for a tap, the journal of verdicts, and the feed as far as it is known."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from readers.sealing import Seal
from readers.store import chips, confirmations, documents, effects, journal, shown
from readers.store.database import Database
from readers.store.documents import Known
from readers.store.journal import Line, Mark
from wallet.chips.keys import ChipKey, KeySlot
from wallet.journal import EntryKind, JournalEntry
from wallet.resort import Policies, Resort
from wallet.snapshot import FeedBatch, Snapshot, facts_from
from wallet.tap import RULEBOOK_VERSION, Decision, Facts, Tap

DATABASE_FILE = "edge.sqlite"
"""What an edge's file is called in its directory."""


class Rested(Struct, frozen=True):
    """The facts of a tap, and what of the store they rested on."""

    facts: Facts
    token_id: str
    known: Known


class Writing:
    """One transaction that decides and records taps; each sees what those before it did."""

    def __init__(self, db: sqlite3.Connection, edge: str, resort: Resort | None) -> None:
        self._db = db
        self._edge = edge
        self.resort = resort
        self.known = documents.known(db)

    def facts(self, tap: Tap, *, online: bool) -> Rested | None:
        """Return the facts of the tap, None while the resort or the touchpoint is not known here.

        Raises:
            msgspec.MsgspecError: the document is of a later version than this program.
        """
        if self.resort is None:
            return None
        try:
            touchpoint = self.resort.touchpoint(tap.touchpoint)
        except KeyError:
            return None
        token_id = self._token_of(tap)
        sun = tap.presented.sun
        edge_minor, token_minor = effects.offline_minor(self._db, token_id) if tap.sale else (0, 0)
        document = documents.document(self._db, token_id) if token_id else None
        local_tries = effects.pin_tries(self._db, token_id) if token_id else 0
        facts = facts_from(
            touchpoint,
            self.resort,
            document,
            as_of=self.known.as_of,
            online=online,
            local_uses=effects.uses(self._db, token_id) if token_id else (),
            local_pin_tries=max(local_tries, -document.pin_tries if document else 0),
            edge_offline_minor=edge_minor,
            token_offline_minor=token_minor,
            sun_counter=shown.sun_counter(self._db, sun.chip_uid, tap.tap_id) if sun else -1,
            code_seen=shown.is_code_seen(self._db, tap.presented, tap.tap_id),
        )
        return Rested(facts, token_id, self.known)

    def verdict(self, tap_id: str) -> Decision | None:
        """Return the verdict already journalled for a tap."""
        entry = journal.of_tap(self._db, tap_id)
        return entry.decision if entry else None

    def append(
        self,
        kind: EntryKind,
        at: datetime,
        *,
        tap: Tap | None = None,
        decision: Decision | None = None,
        rested: Rested | None = None,
        online: bool = False,
    ) -> JournalEntry:
        """Write the next entry and what it does, and return it."""
        mark = journal.mark(self._db)
        token = rested.facts.token if rested else None
        entry = JournalEntry(
            edge=self._edge,
            epoch=mark.epoch,
            number=mark.number + 1,
            kind=kind,
            at=at,
            rulebook=RULEBOOK_VERSION,
            position=self.known.position,
            previous=mark.head,
            tap=tap,
            token_id=self._token_of(tap) if tap else "",
            decision=decision,
            as_of=self.known.as_of,
            document_version=token.version if token else 0,
            resort_version=self.resort.version if self.resort else 0,
            pin_tries=rested.facts.pin_tries if rested else 0,
            online=online,
            edge_offline_minor=rested.facts.edge_offline_minor if rested else 0,
            token_offline_minor=rested.facts.token_offline_minor if rested else 0,
        )
        journal.append(self._db, entry)
        effects.record(self._db, entry, rested.facts.pin_tries if rested else 0)
        if tap is not None:
            shown.record(self._db, tap, self.resort.policies if self.resort else Policies())
        return entry

    def _token_of(self, tap: Tap) -> str:
        """Return the token id that the tap showed or whose chip it was, empty when it showed none to be trusted."""
        if tap.presented.credential is not None:
            return tap.presented.credential.token_id
        return chips.token_of(self._db, tap.presented.sun.chip_uid) if tap.presented.sun else ""


class Store:
    """One edge's file. Any thread may call; writes follow one another."""

    def __init__(self, path: Path, edge: str, new_epoch: str, at: datetime, seal: Seal | None = None) -> None:
        """Open or make the file, follow the journal's end and journal the start.

        Args:
            path: the file; its directory exists.
            edge: this edge's id.
            new_epoch: the id of the epoch to begin if the file is new: a number is never used twice.
            at: the instant of this start.
            seal: closes the keys of single chips; without one, none are kept.
        Raises:
            StoreDamaged: the journal doesn't hold.
            StoreUnwritable: nothing can be written.
        """
        self._edge = edge
        self._seal = seal
        self._database = Database(path)
        with self._database.writing() as db:
            if db.execute("SELECT count(*) FROM epoch").fetchone()[0] == 0:
                journal.begin_epoch(db, new_epoch)
            journal.check(db)
            self._resort = documents.resort(db)
            Writing(db, edge, self._resort).append(EntryKind.STARTED, at)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Run the block in one transaction, durable when the block has ended.

        Raises:
            StoreUnwritable: nothing of it was kept.
        """
        with self._database.writing() as db:
            yield Writing(db, self._edge, self._fresh_resort(db))

    def put_page(self, page: Snapshot, *, first: bool) -> None:
        """Apply one page of a snapshot, `first` or a further one of the same run."""
        with self._database.writing() as db:
            if first:
                documents.begin_snapshot(db)
                effects.begin_snapshot(db, page.position)
            documents.put_page(db, page)
            self._put_keys(db, page.chip_keys)
            self._settle(db, (each.token_id for each in page.documents))
        if first:
            # A restored gateway may give a version's number to another resort.
            self._resort = None

    def open_snapshot(self) -> None:
        """Keep that a snapshot is needed, until one is complete: no feed goes on, taps do by what is known.

        Raises:
            StoreUnwritable: it was not kept.
        """
        with self._database.writing() as db:
            documents.open_snapshot(db)

    def put_batch(self, batch: FeedBatch) -> None:
        """Apply a batch as a whole, or nothing of it.

        Raises:
            OutOfStep: it doesn't begin where this edge stands.
        """
        with self._database.writing() as db:
            documents.put_batch(db, batch)
            self._put_keys(db, batch.chip_keys)
            self._settle(db, (each.token_id for each in batch.changes))

    def chip_keys(self, chip_uid: str, slot: KeySlot) -> tuple[tuple[int, bytes], ...]:
        """Return epoch and key of a chip's slot, the newest epoch first.

        Raises:
            SealBroken: one of them was not sealed by this edge.
        """
        if self._seal is None:
            return ()
        with self._database.reading() as db:
            return chips.keys(db, chip_uid, slot, self._seal)

    def put_chip_keys(self, keys: Iterable[ChipKey]) -> None:
        """Keep these keys beside those known before."""
        with self._database.writing() as db:
            self._put_keys(db, keys)

    def forget_chip_keys(self) -> None:
        """Drop all of them; the next snapshot brings them again, and nothing is decided by facts before it."""
        with self._database.writing() as db:
            chips.forget_keys(db)

    def acknowledge(self, epoch: str, number: int, head: str, position: int = 0) -> bool:
        """Take the gateway's word that it has the epoch up to `number`, and return whether the chain agrees.

        A mark before the one known is taken too: a restored gateway asks for entries again, and until it has them no
        document of its tells what they did.

        Args:
            position: the feed position up to which the gateway tells what they did, 0 when it did not say.
        """
        with self._database.writing() as db:
            if journal.head_at(db, epoch, number) != head:
                return False
            before = journal.acknowledged(db, epoch)
            journal.set_acknowledged(db, epoch, number, head)
            if number < before:
                # One more than was acknowledged: that one was in doubt.
                for entry in journal.between(db, epoch, number, before + 1):
                    effects.record(db, entry, entry.pin_tries)
            effects.settle_acknowledged(db, epoch, number, position)
            return True

    def doubt(self) -> None:
        """Take the last entry for unacknowledged: sent again, it has the gateway tell what it really has."""
        with self._database.writing() as db:
            mark = journal.mark(db)
            before = journal.head_at(db, mark.epoch, mark.number - 1) if mark.backlog == 0 else None
            if before is not None:
                journal.set_acknowledged(db, mark.epoch, mark.number - 1, before)

    def unacknowledged(self, limit: int) -> tuple[Line, ...]:
        """Return up to `limit` entries that the gateway has not acknowledged, in order."""
        with self._database.reading() as db:
            mark = journal.mark(db)
            return journal.after(db, mark.epoch, mark.acknowledged, limit)

    def mark(self) -> Mark:
        """Return where the journal stands."""
        with self._database.reading() as db:
            return journal.mark(db)

    def known(self) -> Known:
        """Return how far the feed is known."""
        with self._database.reading() as db:
            return documents.known(db)

    def resort(self) -> Resort | None:
        """Return the resort as last told."""
        with self._database.reading() as db:
            return self._fresh_resort(db)

    def last_taps(self, limit: int) -> tuple[JournalEntry, ...]:
        """Return the entries of the last taps, the latest first."""
        with self._database.reading() as db:
            return journal.last(db, limit)

    def of_sale(self, sale_id: str) -> JournalEntry | None:
        """Return the last verdict on a sale."""
        with self._database.reading() as db:
            return journal.of_sale(db, sale_id)

    def owed_confirmations(self) -> dict[str, str]:
        """Return the encodings written here of which the gateway has not heard, in order: their id → medium id."""
        with self._database.reading() as db:
            return confirmations.owed(db)

    def owe_confirmation(self, encoding_id: str, medium_id: str) -> None:
        """Keep that an encoding was written for a medium and read back, until the gateway has heard of it.

        Raises:
            StoreUnwritable: it was not kept.
        """
        with self._database.writing() as db:
            confirmations.owe(db, encoding_id, medium_id)

    def settle_confirmation(self, encoding_id: str) -> None:
        """Let go of an encoding: the gateway has answered.

        Raises:
            StoreUnwritable: it is still kept.
        """
        with self._database.writing() as db:
            confirmations.settle(db, encoding_id)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _fresh_resort(self, db: sqlite3.Connection) -> Resort | None:
        # A large resort takes milliseconds to decode: once per version, not once per tap.
        version = documents.resort_version(db)
        resort = self._resort
        if version and (resort is None or resort.version != version):
            resort = self._resort = documents.resort(db)
        return resort

    def _put_keys(self, db: sqlite3.Connection, keys: Iterable[ChipKey]) -> None:
        if self._seal is not None:
            chips.put_keys(db, keys, self._seal)

    def _settle(self, db: sqlite3.Connection, tokens: Iterator[str]) -> None:
        effects.settle_covered(db)
        kept = effects.tokens_with_effects(db)
        if kept:
            for token_id in kept.intersection(tokens):
                effects.settle_token(db, token_id)


def drop_chip_keys(path: Path) -> None:
    """Drop the keys of single chips from an edge's file while the edge does not run."""
    database = Database(path)
    try:
        with database.writing() as db:
            chips.forget_keys(db)
    finally:
        database.close()
