"""Promises that the database alone can show: tokens, books, windows, limits, refusals."""

from collections import Counter, defaultdict
from datetime import date

from gateway.db import audit
from gateway.db.engine import Connection
from gateway.db.rows import ConflictRow, EntitlementRow, PartyState, TapRow
from gateway.services.judgement import ConflictKind
from gateway.services.nights import nights_of, nights_slept
from gateway.verify.report import Finding, Promise, Report
from wallet.entitlement import Bypass, Spending
from wallet.reasons import Language, Reason, sentence
from wallet.resort import Resort
from wallet.rules.bypass import spending_step
from wallet.tap import Approved, Refused
from wallet.token import Step


def check_tokens(connection: Connection, report: Report) -> None:
    """One guest, one token; a chip is an active medium of one token at most."""
    finding = report[Promise.ONE_TOKEN]
    finding.looked_at += audit.guests(connection)
    for guest_id, count in audit.guests_without_one_token(connection):
        finding.look(False, f"guest {guest_id} has {count} tokens")
    for chip_uid, count in audit.shared_chips(connection):
        finding.look(False, f"chip {chip_uid} is an active medium of {count} tokens")


def check_books(connection: Connection, report: Report) -> None:
    """Postings sum to zero per transfer and currency, balances equal their postings, holds are what is held."""
    finding = report[Promise.BOOKS_BALANCE]
    finding.looked_at += audit.transfers(connection)
    for transfer_id, currency, total in audit.unbalanced_transfers(connection):
        finding.look(False, f"transfer {transfer_id} is off by {total} minor units of {currency}")
    for account_id, kept, summed in audit.unbalanced_accounts(connection):
        finding.look(False, f"account {account_id} keeps {kept}, its postings sum to {summed}")
    held = audit.pending_held(connection)
    for account in audit.accounts(connection):
        pending = held.get(account.id, 0)
        finding.look(
            account.held_minor == pending,
            f"account {account.id} keeps {account.held_minor} as held, its pending holds sum to {pending}",
        )


def check_windows(connection: Connection, report: Report) -> None:
    """A window has as many places taken as it has reservations, and never more than its capacity.

    What guests were told is held against it: a booking that was confirmed is there, unless it was ended aloud.
    """
    finding = report[Promise.NOT_OVERSOLD]
    booked: Counter[tuple[str, str]] = Counter()
    rights = audit.rights_of_kind(connection, "bypass")
    _check_confirmed(connection, finding, {row.id: row for row in rights})
    for row in rights:
        if isinstance(row.body, Bypass) and row.revoked_at is None:
            booked[row.body.attraction, row.body.starts_at.isoformat()] += 1
    for window in audit.windows(connection):
        count = booked.pop((window.attraction, window.starts_at.isoformat()), 0)
        finding.look(
            count == window.taken <= window.capacity,
            f"window {window.attraction} {window.starts_at.isoformat()}: {count} reservations, "
            f"{window.taken} taken of {window.capacity}",
        )
    for (attraction, starts_at), count in booked.items():
        finding.look(False, f"{count} reservations for {attraction} {starts_at} have no window")


def check_nights(connection: Connection, report: Report, resort: Resort) -> None:
    """A night in the rooms of a type is taken as often as parties hold it, and never more often than there are rooms.

    Who departed may have slept there before nights were counted: those nights are over, and may count or not.
    """
    finding = report[Promise.NOT_OVERSOLD]
    held: Counter[tuple[str, date]] = Counter()
    slept: Counter[tuple[str, date]] = Counter()
    for party in audit.parties(connection):
        if party.state in (PartyState.BOOKED, PartyState.CHECKED_IN):
            held.update((party.room_type, night) for night in nights_of(party))
        slept.update((party.room_type, night) for night in nights_slept(party, resort))
    for row in audit.room_nights(connection):
        where = row.room_type, row.night
        count = held.pop(where, 0)
        finding.look(
            count <= row.taken <= min(count + slept[where], row.rooms),
            f"night {row.night} in a {row.room_type} room: {count} parties, {row.taken} taken of {row.rooms}",
        )
    for (room_type, night), count in held.items():
        finding.look(
            False, f"{count} parties hold the night {night} in a {room_type} room that is not counted"
        )


def _check_confirmed(connection: Connection, finding: Finding, rights: dict[str, EntitlementRow]) -> None:
    given_back = {body["entitlement_id"] for _, body in audit.announced(connection, "reservation.cancelled")}
    over = {
        party_id
        for kind in ("party.cancelled", "party.checked_out")
        for party_id, _ in audit.announced(connection, kind)
    }
    for party_id, told in audit.announced(connection, "reservation.booked"):
        row = rights.get(told["entitlement_id"])
        stands = (
            row is not None and isinstance(row.body, Bypass) and row.body.attraction == told["attraction"]
        )
        ended = row is not None and row.revoked_at is not None
        finding.look(
            stands and (not ended or told["entitlement_id"] in given_back or party_id in over),
            f"reservation {told['entitlement_id']} for {told['attraction']} {told['starts_at']} was confirmed "
            "and is lost",
        )


def check_limits(
    connection: Connection, report: Report, resort: Resort, conflicts: list[ConflictRow]
) -> None:
    """Nobody is past a limit unless it came home past it and was filed."""
    finding = report[Promise.WITHIN_LIMITS]
    filed = [row for row in conflicts if row.kind == ConflictKind.PAST_LIMIT.value]
    filed_parties = {row.party_id for row in filed}
    for account in audit.accounts(connection):
        if account.limit_minor is not None:
            over_minor = account.balance_minor + account.held_minor - account.limit_minor
            finding.look(
                over_minor <= 0 or account.party_id in filed_parties,
                f"account {account.id} stands {over_minor} past its limit and no conflict says so",
            )
    limits = {
        row.id: row.body.daily_limit_minor
        for row in audit.rights_of_kind(connection, "spending")
        if isinstance(row.body, Spending)
    }
    spent: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for use in audit.charges(connection):
        spent[use.token_id, use.entitlement_id, use.day.isoformat()] += use.amount_minor
    filed_tokens = {row.token_id for row in filed}
    for (token_id, entitlement_id, day), amount in spent.items():
        limit = limits.get(entitlement_id, 0)
        # The lead may lower a limit below what was spent by then, so only an amount no limit allowed is a breach.
        highest = max(limit, resort.policies.guest_daily_limit_minor)
        finding.look(
            amount <= highest or token_id in filed_tokens,
            f"token {token_id} spent {amount} on {day}, the limit is {highest} and no conflict says so",
        )


def check_refusals(report: Report, taps: list[TapRow]) -> None:
    """Each refusal has a reason of the catalogue, and a sentence without a gap in each language."""
    finding = report[Promise.REFUSALS_EXPLAINED]
    known = {reason.value for reason in Reason}
    for tap in taps:
        decision = tap.entry.decision
        if isinstance(decision, Approved) or decision is None:
            continue
        explained = isinstance(decision, Refused) and tap.reason in known
        if isinstance(decision, Refused) and explained:
            explained = all("…" not in sentence(decision.reason, decision.detail, each) for each in Language)
        finding.look(explained, f"tap {tap.id} was refused without a whole sentence ({tap.reason})")


def check_double_uses(
    connection: Connection, report: Report, resort: Resort, conflicts: list[ConflictRow]
) -> None:
    """A right that was spent twice has a conflict for each time beyond the first."""
    finding = report[Promise.CONVERGED]
    filed = {row.tap_id for row in conflicts}
    rights = {
        row.id: row.body for row in audit.rights_of_kind(connection, "bypass") if isinstance(row.body, Bypass)
    }
    spent: defaultdict[str, list[str]] = defaultdict(list)
    for step in (Step.ENTRANCE, Step.MERGE):
        for use in audit.uses_of_step(connection, step):
            right = rights.get(use.entitlement_id)
            if right is None or not resort.has_attraction(right.attraction):
                continue
            if spending_step(resort.attraction(right.attraction)) is step:
                spent[use.entitlement_id].append(use.tap_id)
    for entitlement_id, tap_ids in spent.items():
        unfiled = [tap_id for tap_id in tap_ids if tap_id not in filed]
        finding.look(
            len(unfiled) <= 1,
            f"reservation {entitlement_id} was redeemed by {unfiled} and no conflict says so",
        )
