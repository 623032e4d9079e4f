"""The gateway's own view of a tap: the same rulebook over all it knows, as it stood at the tap. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from gateway.db.rows import EntitlementRow, HoldRow, HoldState, MediumRow, TapUseRow, TokenRow
from gateway.services.documents import document_of
from gateway.services.draft import Draft
from gateway.services.presented import other_with_code, sun_counter
from wallet.decide import decide
from wallet.reasons import Reason
from wallet.snapshot import facts_from
from wallet.tap import Decision, Tap
from wallet.token import Step, TokenDocument, Use


class ConflictKind(StrEnum):
    """How the gateway's view differs from what an edge approved."""

    REVOKED_MEDIUM = "revoked_medium"
    DOUBLE_USE = "double_use"
    PAST_LIMIT = "past_limit"
    DUPLICATE_TAP = "duplicate_tap"
    CODE_REPLAYED = "code_replayed"
    SUN_REPLAYED = "sun_replayed"
    CLONE_SUSPECTED = "clone_suspected"
    VIEW_DIFFERS = "view_differs"


_KIND_OF = {
    Reason.MEDIUM_REVOKED: ConflictKind.REVOKED_MEDIUM,
    Reason.MEDIUM_UNKNOWN: ConflictKind.REVOKED_MEDIUM,
    Reason.CODE_REPLAYED: ConflictKind.CODE_REPLAYED,
    Reason.SUN_REPLAYED: ConflictKind.SUN_REPLAYED,
    Reason.RESERVATION_REDEEMED: ConflictKind.DOUBLE_USE,
    Reason.ALREADY_INSIDE: ConflictKind.DOUBLE_USE,
    Reason.DAYS_USED_UP: ConflictKind.DOUBLE_USE,
    Reason.VEHICLES_ALL_INSIDE: ConflictKind.DOUBLE_USE,
    Reason.OVER_DAILY_LIMIT: ConflictKind.PAST_LIMIT,
    Reason.OVER_FOLIO_LIMIT: ConflictKind.PAST_LIMIT,
    Reason.SPENDING_OFF: ConflictKind.PAST_LIMIT,
}


def conflict_kind(reason: Reason) -> ConflictKind:
    """Return what kind of conflict it is when an edge approved and the gateway would refuse for `reason`."""
    return _KIND_OF.get(reason, ConflictKind.VIEW_DIFFERS)


def view(draft: Draft, tap: Tap, token_id: str, *, known_at: datetime, holds: bool = False) -> Decision:
    """Return the gateway's verdict on a tap.

    Args:
        known_at: the instant up to which the gateway knows everything, which is now.
        holds: whether amounts that are held for other taps count as spent: yes when a new hold is asked for.
    Raises:
        KeyError: the tap names a touchpoint that the resort has not.
    """
    touchpoint = draft.resort.touchpoint(tap.touchpoint)
    document = document_at(draft, token_id, tap.at)
    pending = _held(draft, token_id, tap) if holds else ()
    facts = facts_from(
        touchpoint,
        draft.resort,
        document,
        as_of=known_at,
        online=True,
        local_uses=pending,
        sun_counter=sun_counter(draft, tap),
        code_seen=other_with_code(draft, tap) is not None,
    )
    return decide(tap, facts)


def document_at(draft: Draft, token_id: str, at: datetime) -> TokenDocument | None:
    """Return the token's document with its rights as they stood at the instant `at`; None for an unknown token."""
    token = draft.get(TokenRow, token_id)
    if token is None:
        return None
    rights = draft.find(EntitlementRow, token_id=token_id)
    return document_of(
        token,
        draft.find(MediumRow, token_id=token_id),
        [replace(row, revoked_at=None) for row in rights if _stood(row, at)],
        draft.find(TapUseRow, token_id=token_id),
        version=0,
        at=at,
        resort=draft.resort,
    )


def _stood(right: EntitlementRow, at: datetime) -> bool:
    """Return whether a right had been given, and not yet taken away, at an instant."""
    return right.made_at <= at and (right.revoked_at is None or right.revoked_at > at)


def _held(draft: Draft, token_id: str, tap: Tap) -> Iterable[Use]:
    for hold in draft.find(HoldRow, token_id=token_id):
        if hold.state is HoldState.PENDING and hold.id != tap.tap_id:
            day = draft.resort.day_of(hold.at)
            yield Use(hold.id, "", Step.CHARGE, hold.at, day, hold.sale.outlet, hold.amount_minor)
