"""A small resort's day that keeps every promise, written down once, to be copied and then broken in one place."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import rows_where
from gateway.db.types import Packed
from gateway.verify.promises import verify
from gateway.verify.report import Promise, Report
from readers.audit import evidence
from readers.store import journal
from tests.support.parity_resort import BASE
from tests.support.parity_steps import Touch, happen
from tests.support.parity_world import VENUES, Alter, ParityWorld, medium_id, parity_world
from wallet.evidence import EdgeEvidence
from wallet.journal import GENESIS, JournalEntry, chain, encode_entry
from wallet.medium import Medium, MediumKind, MediumState

CARD = Medium(medium_id(0, 1), MediumKind.CARD, MediumState.ACTIVE, "0401")
DATABASE = "gateway.db"
_WAY_S = 180
"""From one venue to the next: nobody takes these guests for copies."""


def live_a_day(folder: Path, url: str) -> None:
    """Let guests tap at every kind of touchpoint, revoke a card, and bring everything home."""
    with parity_world(url, folder) as world:
        world.do("test.alter", Alter(0, media=(CARD,)))
        for venue in VENUES:
            world.pull(venue, 500)
        _tap(world, "door-101", 0)
        _tap(world, "door-101", 0, medium=1)
        for token in (0, 1):
            _tap(world, "lane-in", token)
            world.wait(_WAY_S)
            _tap(world, "gate-in", token)
            world.wait(60)
            _tap(world, "comet-entrance", token)
            _tap(world, "comet-merge", token)
            world.wait(_WAY_S)
            _tap(world, "till", token, reachable=token == 0)
        _tap(world, "plaza", 2)
        _tap(world, "gate-in", 3)
        revoked = replace(CARD, state=MediumState.REVOKED, revoked_at=world.clock.now())
        world.do("test.alter", Alter(0, media=(revoked,)))
        world.pull("hotel", 500)
        world.wait(120)
        _tap(world, "door-101", 0, medium=1)
        world.settle()


def _tap(world: ParityWorld, touchpoint: str, token: int, medium: int = 0, *, reachable: bool = True) -> None:
    venue = BASE.touchpoint(touchpoint).venue
    points = [each.id for each in BASE.touchpoints if each.venue == venue]
    happen(world, Touch(venue, points.index(touchpoint), token, medium, reachable=reachable))


@dataclass
class Day:
    """A copy of the day: the gateway's database, and what each edge has to show."""

    folder: Path
    database: Database
    evidence: dict[str, EdgeEvidence]

    def sql(self, statement: str, **values: Any) -> None:
        """Reach past every rule into the database; the checks and triggers that would stop it are switched off."""
        with self.database.write() as connection:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in triggers.scalars().all():
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
            connection.exec_driver_sql(statement, values)

    def rows(self, kind: type[Any]) -> list[Any]:
        with self.database.read() as connection:
            return rows_where(connection, kind)

    def tap(self, touchpoint: str, decision: str = "approved") -> r.TapRow:
        found: list[r.TapRow] = self.rows(r.TapRow)
        return next(row for row in found if row.touchpoint == touchpoint and row.decision == decision)

    def had_written(self, venue: str, change: Callable[[JournalEntry], JournalEntry]) -> None:
        """Let the edge have written other entries from the first day on, well chained, and sent home like that."""
        with sqlite3.connect(self.folder / venue / "edge.sqlite") as store:
            head = GENESIS
            for line in journal.everything(store):
                entry = replace(change(line.entry), previous=head)
                head, body = chain(head, entry), encode_entry(entry)
                where = (entry.epoch, entry.number)
                tap_id = entry.tap.tap_id if entry.tap else None
                store.execute(
                    "UPDATE journal SET body = ?, head = ?, tap_id = ? WHERE epoch = ? AND number = ?",
                    (body, head, tap_id, *where),
                )
                if entry.tap is not None:
                    packed = Packed(JournalEntry).process_bind_param(entry, None)
                    self.sql(
                        "UPDATE tap SET entry = :entry WHERE id = :id", entry=packed, id=entry.tap.tap_id
                    )
            store.execute("UPDATE epoch SET head = ?, acknowledged_head = ?", (head, head))
        store.close()
        self.sql("UPDATE journal_head SET head = :head WHERE edge = :edge", head=head, edge=venue)
        self.look_again()

    def store(self, venue: str, statement: str, *values: object) -> None:
        """Reach into an edge's file."""
        with sqlite3.connect(self.folder / venue / "edge.sqlite") as store:
            store.execute("DROP INDEX journal_tap")
            store.execute(statement, values)
        store.close()
        self.look_again()

    def look_again(self) -> None:
        """Read what the edges have to show anew."""
        self.evidence = read_evidence(self.folder)

    def verify(self) -> Report:
        return verify(self.database, tuple(self.evidence.values()))

    def broken(self) -> dict[Promise, list[str]]:
        """Return the promises that are found broken, with their rows."""
        return {each.promise: each.broken for each in self.verify().findings.values() if each.result is False}


def read_evidence(folder: Path) -> dict[str, EdgeEvidence]:
    """Return what the edges in `folder` have to show."""
    return {venue: evidence(venue, venue, folder / venue, folder / venue / "lamp.jsonl") for venue in VENUES}


def had(tap_id: str, **changes: object) -> Callable[[JournalEntry], JournalEntry]:
    """Return what makes the entry of a tap another one."""

    def change(entry: JournalEntry) -> JournalEntry:
        return replace(entry, **changes) if entry.tap and entry.tap.tap_id == tap_id else entry

    return change
