"""Promise 6 where the gateway was away: what was owed at each sale made alone, added up anew from the journal.

What the edge itself counted is compared with that, never believed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from gateway.db import audit
from gateway.db.engine import Connection
from gateway.db.rows import TapRow
from gateway.verify.report import Promise, Report
from wallet.evidence import EdgeEvidence
from wallet.journal import EntryKind, JournalEntry
from wallet.resort import Policies
from wallet.tap import Approved, HoldAnswer, Sale, Tap

_Place = tuple[str, str, int]
"""Edge, epoch and number of a journal entry."""


@dataclass(frozen=True)
class _Alone:
    """A sale that no hold of the gateway covers."""

    entry: JournalEntry
    token_id: str
    total_minor: int


def check_offline_bounds(
    connection: Connection,
    report: Report,
    taps: list[TapRow],
    edges: tuple[EdgeEvidence, ...],
    policies_of: Mapping[int, Policies],
) -> None:
    """What an edge sold alone never passed the floor, nor what it and a token may owe until it is home.

    `policies_of` gives the policies per version of the resort: a sale is held to those it was made under.
    """
    finding = report[Promise.WITHIN_LIMITS]
    held = audit.hold_ids(connection)
    received = {(tap.edge, tap.epoch, tap.number): tap.received_at for tap in taps}
    received |= {(row.edge, row.epoch, row.number): row.at for row in audit.set_aside(connection)}
    heads = audit.journal_heads(connection)
    for edge in edges:
        out = _Out(edge, received, {key: row.number for key, row in heads.items()})
        for entry, tap, sale in _sales(edge):
            policies = policies_of.get(entry.resort_version)
            claims_hold = tap.hold is not None and tap.hold.answer is HoldAnswer.HELD
            if claims_hold and tap.tap_id in held:
                continue
            where = f"{edge.edge}: entry {entry.number}"
            finding.look(not claims_hold, f"{where} claims a hold that the ledger never made")
            alone = _Alone(entry, entry.token_id, sale.total_minor)
            edge_minor, token_minor = out.owed_before(alone)
            counted = (entry.edge_offline_minor, entry.token_offline_minor)
            finding.look(
                counted[0] >= edge_minor and counted[1] >= token_minor,
                f"{where} counted {counted[0]} (edge) and {counted[1]} (token) as owed before it, "
                f"its journal shows {edge_minor} and {token_minor}",
            )
            if policies is not None:
                _hold_to_caps(report, where, alone, edge_minor, token_minor, policies)
            out.add(alone)


def _hold_to_caps(
    report: Report, where: str, alone: _Alone, edge_minor: int, token_minor: int, policies: Policies
) -> None:
    total = alone.total_minor
    # What the edge counted is never less than what is shown; where it counted more, that is what it went by.
    owed_edge = max(edge_minor, alone.entry.edge_offline_minor) + total
    owed_token = max(token_minor, alone.entry.token_offline_minor) + total
    report[Promise.WITHIN_LIMITS].look(
        total <= policies.offline_floor_minor
        and owed_edge <= policies.offline_edge_cap_minor
        and owed_token <= policies.offline_token_cap_minor,
        f"{where} sold {total} alone, owing {owed_edge} (edge), {owed_token} (token)",
    )


def _sales(edge: EdgeEvidence) -> Iterator[tuple[JournalEntry, Tap, Sale]]:
    for seen in edge.entries:
        tap, approved = seen.entry.tap, isinstance(seen.entry.decision, Approved)
        if seen.entry.kind is EntryKind.TAP and approved and tap is not None and tap.sale is not None:
            yield seen.entry, tap, tap.sale


class _Out:
    """The sales of one edge that had certainly not come home when another was made.

    When an edge heard that its sales are home, its journal does not tell. The ledger tells when it took them, by
    its own clock; the least time between writing and taking bounds how far the edge's clock is behind. So what is
    added up here is never more than what was really out.
    """

    def __init__(
        self, edge: EdgeEvidence, received: Mapping[_Place, datetime], heads: Mapping[tuple[str, str], int]
    ) -> None:
        self._received = received
        self._heads = heads
        self._out: list[_Alone] = []
        entries = [seen.entry for seen in edge.entries]
        delays = [received[place] - each.at for each in entries if (place := _place(each)) in received]
        self._behind = min(delays, default=timedelta(0))
        # A gateway restored from an older copy knows less of the feed than before, and took entries a second
        # time: when they first came home is forgotten.
        steps = pairwise(entries)
        drops = [(later.epoch, later.number) for one, later in steps if later.position < one.position]
        self._forgotten_until = drops[-1] if drops else None

    def owed_before(self, sale: _Alone) -> tuple[int, int]:
        """Return what was owed before this sale, in minor units: by the edge, and by the sale's token."""
        self._out = [each for each in self._out if self._was_out(each.entry, sale.entry)]
        return (
            sum(each.total_minor for each in self._out),
            sum(each.total_minor for each in self._out if each.token_id == sale.token_id),
        )

    def add(self, sale: _Alone) -> None:
        """Count a sale as out, unless it is one of those of which nothing can be told."""
        entry = sale.entry
        forgotten = self._forgotten_until
        if forgotten is None or entry.epoch != forgotten[0] or entry.number >= forgotten[1]:
            self._out.append(sale)

    def _was_out(self, earlier: JournalEntry, later: JournalEntry) -> bool:
        home_at, later_home_at = self._received.get(_place(earlier)), self._received.get(_place(later))
        if home_at is None:
            return earlier.number > self._heads.get((earlier.edge, earlier.epoch), 0)
        in_one_batch = home_at == later_home_at and home_at > later.at
        return in_one_batch or home_at - self._behind > later.at


def _place(entry: JournalEntry) -> _Place:
    return entry.edge, entry.epoch, entry.number
