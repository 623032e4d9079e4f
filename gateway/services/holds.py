"""Holds: an amount kept free on a guest's account under a tap's id until the edge's journal posts or voids it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import AccountRow, EntitlementRow, HoldRow, HoldState, JournalHeadRow, TapRow, TokenRow
from gateway.errors import Rejection
from gateway.services.charges import end_hold, past_limit_minor
from gateway.services.draft import Draft
from gateway.services.judgement import view
from gateway.services.presented import keys_of_presented
from gateway.working_set import WorkingSet
from wallet.entitlement import Spending
from wallet.reasons import Reason
from wallet.tap import Approved, Asks, Hold, HoldAnswer, Refused, Tap

HOLD_LASTS = timedelta(minutes=5)
"""After this a hold whose edge has journalled on without the tap is let go."""


class PlaceHold(Struct, frozen=True):
    """Hold the amount of the tap's sale. `token_id` is the one of the tap's verified credential."""

    edge: str
    tap: Tap
    token_id: str


class ExpireHold(Struct, frozen=True):
    """Let a hold go that the edge's journal has passed without its tap."""

    edge: str
    tap_id: str


class HoldPlace(Service[PlaceHold]):
    """Holds an amount, or says why not; asked again under the same tap it gives the same answer."""

    name = "hold.place"

    def keys(self, body: PlaceHold) -> frozenset[Key]:
        """The token (and so its account), the tap, and what was shown at it."""
        keys = {Key(KeyKind.TOKEN, body.token_id), Key(KeyKind.TAP, body.tap.tap_id)}
        return keys_of_presented([body.tap]) | keys

    def decide(self, state: WorkingSet, command: Command[PlaceHold]) -> Outcome:
        """Hold when the rulebook approves with every other hold counted, and the account has room."""
        body, at = command.body, command.envelope.at
        tap, draft = body.tap, Draft(state)
        if tap.sale is None:
            raise Rejection("no_sale", 422, "A hold needs the sale it is for.")
        known = draft.get(HoldRow, tap.tap_id)
        if known is not None and known.state is HoldState.PENDING:
            return _answer(Hold(HoldAnswer.HELD))
        if known is not None or draft.get(TapRow, tap.tap_id) is not None:
            # The verdict came home first: this request was under way for too long to hold anything now.
            return _answer(Hold(HoldAnswer.REFUSED, Refused(Reason.OFFLINE_ABOVE_FLOOR)))
        asked = msgspec.structs.replace(tap, hold=Hold(HoldAnswer.HELD))
        try:
            verdict = view(draft, asked, body.token_id, known_at=at, holds=True)
        except KeyError as missing:
            raise Rejection("unknown_touchpoint", 422, str(missing.args[0])) from None
        match verdict:
            case Refused():
                return _answer(Hold(HoldAnswer.REFUSED, verdict))
            case Asks():
                raise Rejection("pin_first", 422, "Ask for the PIN before asking for a hold.")
            case Approved(entitlement_id=entitlement_id):
                return _place(draft, command, entitlement_id)


class HoldExpire(Service[ExpireHold]):
    """Lets a hold go once its time is over and the edge's journal has moved past it without its tap."""

    name = "hold.expire"

    def keys(self, body: ExpireHold) -> frozenset[Key]:
        """The edge's journal, and the tap with its hold."""
        return frozenset({Key(KeyKind.EDGE, body.edge), Key(KeyKind.TAP, body.tap_id)})

    def expand(self, state: WorkingSet, body: ExpireHold) -> frozenset[Key]:
        """The account that the hold lies on."""
        return hold_accounts(state, [body.tap_id])

    def decide(self, state: WorkingSet, command: Command[ExpireHold]) -> Outcome:
        """Expire the hold if the journal covers it; otherwise leave everything as it is."""
        body, draft = command.body, Draft(state)
        hold = draft.get(HoldRow, body.tap_id)
        if hold is None or not _covered(draft.find(JournalHeadRow, edge=body.edge), hold.expires_at):
            return Outcome({"expired": False})
        ended = end_hold(draft, body.tap_id, HoldState.EXPIRED)
        return Outcome({"expired": ended is not None}, draft.rows)


def hold_accounts(state: WorkingSet, tap_ids: Iterable[str]) -> frozenset[Key]:
    """Return the accounts on which something is held for these taps: what a verdict posts or voids lies there."""
    found = (state.get(HoldRow, tap_id) for tap_id in tap_ids)
    return frozenset(Key(KeyKind.ACCOUNT, hold.account_id) for hold in found if hold is not None)


def _covered(heads: list[JournalHeadRow], expires_at: datetime) -> bool:
    return any(head.at > expires_at for head in heads)


def _place(draft: Draft, command: Command[PlaceHold], entitlement_id: str) -> Outcome:
    tap, token_id = command.body.tap, command.body.token_id
    right, token = draft.get(EntitlementRow, entitlement_id), draft.get(TokenRow, token_id)
    if tap.sale is None or token is None or right is None or not isinstance(right.body, Spending):
        raise AssertionError("a till approves a known guest's sale by a spending right alone")
    account = draft.get(AccountRow, right.body.account_id)
    if account is None:
        raise Rejection("no_account", 409, "The guest's account no longer exists.")
    held = replace(account, held_minor=account.held_minor + tap.sale.total_minor)
    if past_limit_minor(held) > 0:
        return _answer(Hold(HoldAnswer.REFUSED, Refused(Reason.OVER_FOLIO_LIMIT)))
    hold = HoldRow(
        id=tap.tap_id,
        account_id=account.id,
        token_id=token_id,
        currency=tap.sale.currency,
        amount_minor=tap.sale.total_minor,
        state=HoldState.PENDING,
        edge=command.body.edge,
        touchpoint=tap.touchpoint,
        at=tap.at,
        expires_at=command.envelope.at + HOLD_LASTS,
        sale=tap.sale,
    )
    body: dict[str, Any] = {
        "tap_id": hold.id,
        "account_id": account.id,
        "amount_minor": hold.amount_minor,
        "currency": hold.currency,
        "touchpoint": hold.touchpoint,
    }
    event = Event("hold.placed", body, party_id=token.party_id, token_id=token_id)
    return Outcome(msgspec.to_builtins(Hold(HoldAnswer.HELD)), (held, hold), (event,))


def _answer(hold: Hold) -> Outcome:
    return Outcome(msgspec.to_builtins(hold))
