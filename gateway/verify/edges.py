"""Promises that need the edges' side too: journals, lamps and documents beside the ledger."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from gateway.db import audit
from gateway.db.engine import Connection
from gateway.db.rows import ConflictRow, TapRow
from gateway.services.documents import split
from gateway.services.judgement import ConflictKind
from gateway.verify.report import Promise, Report
from wallet.evidence import EdgeEvidence, Light
from wallet.journal import EntryKind, JournalEntry, chain
from wallet.resort import Resort, Touchpoint
from wallet.tap import Approved, Flag

STOPS_WITHIN = timedelta(seconds=60)
"""A connected edge refuses a revoked medium after this at the latest."""


NEED_JOURNALS = (Promise.NO_TAP_LOST, Promise.WITHIN_LIMITS, Promise.SAME_VERDICT, Promise.CONVERGED)
"""What nobody can say of an edge whose files are not there: the ledger knows only what came home."""


def check_given(connection: Connection, report: Report, edges: tuple[EdgeEvidence, ...]) -> None:
    """Say which edges' files, and which lamp logs, would be needed and are not there."""
    given = {edge.edge for edge in edges}
    for row in audit.enrolled_edges(connection):
        if row.id not in given:
            for promise in NEED_JOURNALS:
                report[promise].unseen.append(f"{row.id}: the files of this edge are not given")
    for edge in edges:
        if edge.lamps is None:
            report[Promise.NO_TAP_LOST].unseen.append(f"{edge.edge}: there is no lamp log")


def check_lights(
    connection: Connection, report: Report, taps: dict[str, TapRow], edges: tuple[EdgeEvidence, ...]
) -> None:
    """Each green light has one approved entry in its edge's journal, and one tap in the ledger once it came home."""
    lost, once = report[Promise.NO_TAP_LOST], report[Promise.COUNTED_ONCE]
    aside = {(row.edge, row.epoch, row.number) for row in audit.set_aside(connection)}
    heads = audit.journal_heads(connection)
    for edge in edges:
        for seen in edge.entries:
            lost.look(seen.chained, f"{edge.edge}: entry {seen.entry.number} does not continue its chain")
        entries = _by_tap(edge)
        for tap_id, found in entries.items():
            once.look(len(found) == 1, f"{edge.edge}: tap {tap_id} stands {len(found)} times in the journal")
        for lamp in edge.lamps or ():
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
    """Each journal entry is one tap, each tap that charged has one sale of its amount, and no sale lacks its tap.

    What was due is read from the entry as the edge chained it, not from what the ledger made of it.
    """
    finding = report[Promise.COUNTED_ONCE]
    sales = audit.sales_per_tap(connection)
    filed = {row.tap_id for row in conflicts}
    first: dict[tuple[str, str, int], str] = {}
    for tap in taps:
        place = (tap.edge, tap.epoch, tap.number)
        finding.look(
            first.setdefault(place, tap.id) == tap.id,
            f"taps {first[place]} and {tap.id} are both entry {tap.number} of {tap.edge}",
        )
        verdict, total_minor = _verdict(tap.entry)
        finding.look(
            (tap.decision, tap.amount_minor) == (verdict, total_minor),
            f"tap {tap.id} is told as {tap.decision} of {tap.amount_minor}, its entry says {verdict} of {total_minor}",
        )
        due_minor = total_minor if verdict == "approved" else 0
        expected = 1 if due_minor else 0
        found, charged_minor = sales.pop(tap.id, (0, 0))
        holds = (found, charged_minor) == (expected, due_minor) or (found == 0 and tap.id in filed)
        finding.look(
            holds,
            f"tap {tap.id} made {found} sales where {expected} were due"
            + (f", of {charged_minor} in place of {due_minor}" if found == expected else ""),
        )
    for tap_id in sales:
        finding.look(False, f"a sale names tap {tap_id}, which is not in the ledger")


def check_revocations(
    connection: Connection,
    report: Report,
    taps: list[TapRow],
    conflicts: list[ConflictRow],
    resorts: dict[int, Resort],
) -> None:
    """No connected edge approved a medium a minute after it was revoked; what an isolated one did is filed.

    Connected is an edge that says so, and one that knew (by the gateway's clock) what was long revoked. An isolated
    one stops when its lease ends. Ways out stop nobody; that a medium was let out on is flagged where it was known.
    """
    finding = report[Promise.REVOKED_STOPS]
    media, filed = audit.media(connection), {row.tap_id for row in conflicts}
    for tap in taps:
        medium = media.get(tap.medium_id or "")
        if medium is None or medium.revoked_at is None or tap.at < medium.revoked_at:
            continue
        if tap.decision != "approved":
            finding.look(True, "")
            continue
        why = _why_not(tap, medium.revoked_at, resorts.get(tap.entry.resort_version), filed=tap.id in filed)
        late = tap.at - medium.revoked_at
        finding.look(not why, f"tap {tap.id} was approved {late} after its medium was revoked{why}")


def _why_not(tap: TapRow, revoked_at: datetime, resort: Resort | None, *, filed: bool) -> str:
    """Return why a tap should not have been approved so late after the revocation; empty when it could be.

    Whom an edge let out on a medium that it had to know as revoked, it flags; no conflict is filed for that.
    """
    as_of, decision, touchpoint = tap.entry.as_of, tap.entry.decision, _touchpoint(tap, resort)
    knew = as_of is not None and as_of - revoked_at > STOPS_WITHIN
    connected = knew or (tap.online and tap.at - revoked_at > STOPS_WITHIN)
    if touchpoint is not None and touchpoint.is_way_out:
        let_out = isinstance(decision, Approved) and Flag.LET_OUT in decision.flags
        return "" if let_out or filed or not connected else " on its way out and is not flagged"
    if connected:
        return " at a connected edge"
    lease_s = resort.policies.lease_s(touchpoint) if resort and touchpoint else None
    if lease_s is not None and as_of is not None and tap.at - as_of > timedelta(seconds=lease_s):
        return f" by an edge alone since {as_of.isoformat()}"
    return "" if filed else " and no conflict says so"


def _touchpoint(tap: TapRow, resort: Resort | None) -> Touchpoint | None:
    try:
        return resort.touchpoint(tap.touchpoint) if resort else None
    except KeyError:
        return None


def check_converged(connection: Connection, report: Report, edges: tuple[EdgeEvidence, ...]) -> None:
    """An edge that knows the whole feed holds the very documents of its scope, in the gateway's version.

    One that is behind, with its journal or with the feed, is named: it can be compared once it has caught up.
    """
    finding = report[Promise.CONVERGED]
    highest, given = audit.feed_gaps(connection)
    finding.look(highest == given, f"the feed has {given} positions up to {highest}")
    published = audit.documents_now(connection)
    heads = audit.journal_heads(connection)
    for edge in edges:
        waiting = 0
        for entry in (seen.entry for seen in edge.entries):
            head = heads.get((entry.edge, entry.epoch))
            waiting += head is None or entry.number > head.number
            if head is not None and entry.number == head.number:
                same = chain(entry.previous, entry) == head.head
                finding.look(same, f"{edge.edge}: entry {entry.number} is not the one that the gateway took")
        if waiting:
            finding.unseen.append(f"{edge.edge} is behind: {waiting} journal entries are not home")
        if edge.position < highest:
            finding.unseen.append(f"{edge.edge} is behind: it knows position {edge.position} of {highest}")
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
    known = {tap.id for tap in taps}
    places = Counter((tap.edge, tap.epoch, tap.number) for tap in taps)
    journalled = Counter(tap_id for edge in edges for tap_id, found in _by_tap(edge).items() for _ in found)
    greens = Counter(lamp.tap_id for edge in edges for lamp in edge.lamps or () if lamp.light is Light.GREEN)
    filed = {row.tap_id for row in conflicts if row.kind == ConflictKind.DUPLICATE_TAP.value}
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
        "lost_taps": sum(tap_id not in known and tap_id not in waiting for tap_id in greens),
        # Two taps in the ledger for one entry of a journal, two entries or two green lights for one tap.
        "duplicated_taps": sum(count > 1 for count in places.values())
        + len(
            {tap_id for seen in (journalled, greens) for tap_id, count in seen.items() if count > 1} - filed
        ),
        "conflicts": len(conflicts),
        "waiting_taps": len(waiting - known),
    }
    report.refused |= dict(Counter(tap.reason or "" for tap in taps if tap.decision != "approved"))


def _by_tap(edge: EdgeEvidence) -> dict[str, list[JournalEntry]]:
    """Return the entries with a verdict in an edge's journal, by tap."""
    found: defaultdict[str, list[JournalEntry]] = defaultdict(list)
    for seen in edge.entries:
        if seen.entry.kind is EntryKind.TAP and seen.entry.tap is not None:
            found[seen.entry.tap.tap_id].append(seen.entry)
    return found


def _verdict(entry: JournalEntry) -> tuple[str, int]:
    """Return an entry's verdict as a word, and the total of its sale in minor units."""
    total_minor = entry.tap.sale.total_minor if entry.tap is not None and entry.tap.sale is not None else 0
    return "approved" if isinstance(entry.decision, Approved) else "refused", total_minor
