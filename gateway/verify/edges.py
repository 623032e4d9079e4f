"""Promises that need the edges' side too: journals, lamps and documents beside the ledger."""

from collections import Counter, defaultdict
from datetime import timedelta

from gateway.db import audit
from gateway.db.engine import Connection
from gateway.db.rows import ConflictRow, TapRow
from gateway.services.documents import split
from gateway.verify.report import Promise, Report
from wallet.evidence import EdgeEvidence, Light
from wallet.journal import EntryKind
from wallet.resort import Policies
from wallet.tap import Approved, HoldAnswer

STOPS_WITHIN = timedelta(seconds=60)
"""A connected edge refuses a revoked medium after this at the latest."""


def check_lights(
    connection: Connection, report: Report, taps: dict[str, TapRow], edges: tuple[EdgeEvidence, ...]
) -> None:
    """Each green light has one approved entry in its edge's journal, and one tap in the ledger once it came home."""
    lost, once = report[Promise.NO_TAP_LOST], report[Promise.COUNTED_ONCE]
    aside = {(row.edge, row.epoch, row.number) for row in audit.set_aside(connection)}
    heads = audit.journal_heads(connection)
    for edge in edges:
        entries = defaultdict(list)
        for seen in edge.entries:
            lost.look(seen.chained, f"{edge.edge}: entry {seen.entry.number} does not continue its chain")
            if seen.entry.kind is EntryKind.TAP and seen.entry.tap is not None:
                entries[seen.entry.tap.tap_id].append(seen.entry)
        for tap_id, found in entries.items():
            once.look(len(found) == 1, f"{edge.edge}: tap {tap_id} stands {len(found)} times in the journal")
        for lamp in edge.lamps:
            if lamp.light is Light.GREEN:
                approved = [
                    each for each in entries.get(lamp.tap_id, ()) if isinstance(each.decision, Approved)
                ]
                lost.look(
                    len(approved) == 1, f"{edge.edge}: green light {lamp.tap_id} has {len(approved)} entries"
                )
        for tap_id, (entry, *_) in entries.items():
            head = heads.get((entry.edge, entry.epoch))
            if head is None or head.number < entry.number:
                # Still on its way: it is safe in the journal, which is what was promised so far, unless the
                # gateway said that it has it.
                lost.look(
                    entry.number > edge.acknowledged.get(entry.epoch, 0),
                    f"{edge.edge}: tap {tap_id} is acknowledged, but the ledger ends before it",
                )
                continue
            row, where = taps.get(tap_id), (entry.edge, entry.epoch, entry.number)
            home = row is not None and (row.edge, row.epoch, row.number) == where
            lost.look(
                home or where in aside, f"{edge.edge}: tap {tap_id} is acknowledged but not in the ledger"
            )


def check_counts(
    connection: Connection, report: Report, taps: list[TapRow], conflicts: list[ConflictRow]
) -> None:
    """Each tap that charged has one sale; nothing is charged without a tap."""
    finding = report[Promise.COUNTED_ONCE]
    sales = audit.sales_per_tap(connection)
    filed = {row.tap_id for row in conflicts}
    for tap in taps:
        expected = 1 if tap.decision == "approved" and tap.amount_minor else 0
        found = sales.pop(tap.id, 0)
        holds = found == expected or (found == 0 and tap.id in filed)
        finding.look(holds, f"tap {tap.id} made {found} sales where {expected} were due")
    for tap_id in sales:
        finding.look(False, f"a sale names tap {tap_id}, which is not in the ledger")


def check_revocations(
    connection: Connection, report: Report, taps: list[TapRow], conflicts: list[ConflictRow]
) -> None:
    """No connected edge approved a medium a minute after it was revoked; what an isolated one did is filed."""
    finding = report[Promise.REVOKED_STOPS]
    media, filed = audit.media(connection), {row.tap_id for row in conflicts}
    for tap in taps:
        medium = media.get(tap.medium_id or "")
        if medium is None or medium.revoked_at is None or tap.at < medium.revoked_at:
            continue
        if tap.decision != "approved":
            finding.look(True, "")
            continue
        late = tap.at - medium.revoked_at
        finding.look(
            tap.id in filed and not (tap.online and late > STOPS_WITHIN),
            f"tap {tap.id} was approved {late} after its medium was revoked"
            + (" at a connected edge" if tap.online else " and no conflict says so"),
        )


def check_offline_bounds(
    report: Report, edges: tuple[EdgeEvidence, ...], policies_of: dict[int, Policies]
) -> None:
    """What an edge approved alone never passed the floor, nor what it and a token may owe.

    `policies_of` gives the policies per version of the resort: a sale is held to those it was made under.
    """
    finding = report[Promise.WITHIN_LIMITS]
    for edge in edges:
        for seen in edge.entries:
            entry = seen.entry
            if entry.tap is None or entry.tap.sale is None or not isinstance(entry.decision, Approved):
                continue
            policies = policies_of.get(entry.resort_version)
            held = entry.tap.hold is not None and entry.tap.hold.answer is HoldAnswer.HELD
            if held or policies is None:
                continue
            total = entry.tap.sale.total_minor
            owed = (total, entry.edge_offline_minor + total, entry.token_offline_minor + total)
            finding.look(
                owed[0] <= policies.offline_floor_minor
                and owed[1] <= policies.offline_edge_cap_minor
                and owed[2] <= policies.offline_token_cap_minor,
                f"{edge.edge}: entry {entry.number} sold {total} alone, owing {owed[1]} (edge), {owed[2]} (token)",
            )


def check_converged(connection: Connection, report: Report, edges: tuple[EdgeEvidence, ...]) -> None:
    """An edge that knows the whole feed holds the very documents of its scope, in the gateway's version."""
    finding = report[Promise.CONVERGED]
    highest, given = audit.feed_gaps(connection)
    finding.look(highest == given, f"the feed has {given} positions up to {highest}")
    published = audit.documents_now(connection)
    for edge in edges:
        if edge.position < highest:
            continue
        due = {row.token_id: row.version for row in published if edge.venue in split(row.scopes)}
        for token_id in due.keys() | edge.documents.keys():
            here, there = edge.documents.get(token_id), due.get(token_id)
            finding.look(
                here == there, f"{edge.edge} holds version {here} of token {token_id}, the gateway {there}"
            )


def figures(
    report: Report, taps: list[TapRow], edges: tuple[EdgeEvidence, ...], conflicts: list[ConflictRow]
) -> None:
    """Count what people ask first: taps, verdicts, what was decided alone, what was lost or doubled."""
    by_id = Counter(tap.id for tap in taps)
    greens = Counter(lamp.tap_id for edge in edges for lamp in edge.lamps if lamp.light is Light.GREEN)
    waiting = {
        seen.entry.tap.tap_id
        for edge in edges
        for seen in edge.entries
        if seen.entry.tap and seen.entry.number > edge.acknowledged.get(seen.entry.epoch, 0)
    }
    report.figures |= {
        "taps": len(taps),
        "approved": sum(tap.decision == "approved" for tap in taps),
        "offline_taps": sum(not tap.online for tap in taps),
        "lost_taps": sum(tap_id not in by_id and tap_id not in waiting for tap_id in greens),
        "duplicated_taps": sum(count > 1 for count in by_id.values())
        + sum(count > 1 for count in greens.values()),
        "conflicts": len(conflicts),
        "waiting_taps": len(waiting - by_id.keys()),
    }
    report.refused |= dict(Counter(tap.reason or "" for tap in taps if tap.decision != "approved"))
