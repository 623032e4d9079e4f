"""All ten promises in one report."""

from gateway.db import audit
from gateway.db.engine import Database
from gateway.services.judgement import ConflictKind
from gateway.verify import edges as at_edges
from gateway.verify import ledger
from gateway.verify.offline import check_offline_bounds
from gateway.verify.report import Report
from gateway.verify.verdicts import check_verdicts
from wallet.evidence import EdgeEvidence


def verify(database: Database, evidence: tuple[EdgeEvidence, ...]) -> Report:
    """Return what holds and what does not; what the evidence does not show is said to be not checkable."""
    report = Report()
    with database.read() as connection:
        taps = audit.all_taps(connection)
        filed = audit.conflicts(connection)
        # That a band may be a copy does not say that a right was used twice, or a revoked one let through.
        conflicts = [row for row in filed if row.kind != ConflictKind.CLONE_SUSPECTED.value]
        ledger.check_tokens(connection, report)
        ledger.check_books(connection, report)
        ledger.check_windows(connection, report)
        ledger.check_refusals(report, taps)
        at_edges.check_counts(connection, report, taps, conflicts)
        at_edges.check_given(connection, report, evidence)
        resorts = audit.resorts_by_position(connection)
        by_version = {each.version: each for _, each in resorts}
        at_edges.check_revocations(connection, report, taps, conflicts, by_version)
        if resorts:
            resort = resorts[-1][1]
            policies = {version: each.policies for version, each in by_version.items()}
            ledger.check_limits(connection, report, resort, conflicts)
            ledger.check_double_uses(connection, report, resort, conflicts)
            check_offline_bounds(connection, report, taps, evidence, policies)
        if evidence:
            at_edges.check_lights(connection, report, {tap.id: tap for tap in taps}, evidence)
            at_edges.check_converged(connection, report, evidence)
            check_verdicts(connection, report, evidence)
        at_edges.figures(report, taps, evidence, filed)
    return report
