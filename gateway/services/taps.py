"""One journal entry at the gateway: the tap as the guest saw it, its uses, its money, and where we differ. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from gateway.command import Command, Event
from gateway.db.rows import (
    AccountRow,
    ConflictRow,
    EdgeRow,
    EntitlementRow,
    HoldState,
    MediumRow,
    TapRow,
    TapUseRow,
    TokenRow,
)
from gateway.services.charges import charge, end_hold, past_limit_minor
from gateway.services.draft import Draft
from gateway.services.encodings import activate, is_keyed
from gateway.services.judgement import ConflictKind, conflict_kind, view
from gateway.services.presented import (
    is_of,
    is_storable,
    medium_of,
    note,
    other_with_code,
    other_with_sun,
    token_on_chip,
)
from wallet.decide import GRANT_PREFIX
from wallet.entitlement import Spending
from wallet.journal import EntryKind, JournalEntry
from wallet.ledger import LedgerFault
from wallet.medium import MediumState
from wallet.money import AMOUNT_MINOR_MAX
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.resort import Touchpoint
from wallet.tap import Approved, Decision, Flag, PinCheck, Refused, Tap
from wallet.token import Step, Use


class EntryFault(ValueError):
    """The entry cannot be applied; the sentence says why."""


ENTRY_FAULTS = (EntryFault, LedgerFault, KeyError, ValueError, OverflowError)
"""What an entry may be set aside for: something it names does not exist here, or a figure in it makes no sense."""

_TEXT_MAX = 64
"""As many characters as the database keeps of an id or a name."""

_IDS_PER_ENTRY = 4
_TRANSFER, _FOLIO_CONFLICT, _CONFLICT, _CLONE = range(_IDS_PER_ENTRY)
"""What the ids of one entry are for: a sale may pass the folio's limit and the guest's own, by a copied band."""


class TapHome:
    """Applies one entry to the draft. `index` tells the entries of one command apart, so that each gets its own ids."""

    def __init__(self, draft: Draft, command: Command[Any], index: int, entry: JournalEntry) -> None:
        self._draft = draft
        self._command = command
        self._index = index
        self._entry = entry
        self._token = (
            draft.get(TokenRow, entry.token_id) if entry.token_id else token_on_chip(draft, entry.tap)
        )
        self._events: list[Event] = []

    def apply(self) -> list[Event]:
        """Put the rows and return the events.

        Raises:
            any of ENTRY_FAULTS: the entry is to be set aside.
        """
        entry = self._entry
        match entry.kind:
            case EntryKind.STARTED:
                self._tell("edge.started", {"epoch": entry.epoch})
            case EntryKind.PIN_TRY:
                self._pin_try()
            case EntryKind.TAP:
                self._tap(entry.tap, entry.decision)
        return self._events

    # --- a tap --------------------------------------------------------------------------------------------------------

    def _tap(self, tap: Tap | None, decision: Decision | None) -> None:
        if tap is None or not isinstance(decision, Approved | Refused):
            raise EntryFault("the entry has no tap with a final verdict")
        _check_storable(tap, decision)
        known = self._draft.get(TapRow, tap.tap_id)
        if known is not None:
            other = {"other_edge": known.edge, "other_number": known.number}
            self._file(_CONFLICT, ConflictKind.DUPLICATE_TAP, tap, 0, other)
            return
        touchpoint = self._touchpoint(tap)
        if self._entry.token_id and self._token is None and isinstance(decision, Approved):
            raise EntryFault(f"there is no token {self._entry.token_id} here")
        amount_minor = tap.sale.total_minor if tap.sale else 0
        self._draft.put(self._tap_row(tap, decision, amount_minor))
        said: dict[str, Any] = {
            "tap_id": tap.tap_id,
            "touchpoint": touchpoint.id,
            "kind": touchpoint.kind.value,
            "place": touchpoint.place,
            "reader": tap.reader,
            "offline": not self._entry.online,
            "amount_minor": amount_minor,
            "currency": tap.sale.currency if tap.sale else "",
        }
        if isinstance(decision, Approved):
            said |= {
                "entitlement_id": decision.entitlement_id,
                "flags": [flag.value for flag in decision.flags],
            }
            self._tell("tap.approved", said)
            self._approved(tap, decision)
        else:
            said |= {"reason": decision.reason.value, "detail": decision.detail}
            self._tell("tap.refused", said)
            end_hold(self._draft, tap.tap_id, HoldState.VOIDED)
        # Last: what this tap showed does not stand in its own way.
        note(self._draft, tap)

    def _touchpoint(self, tap: Tap) -> Touchpoint:
        """Return where the tap happened: an edge speaks for its own venue alone."""
        touchpoint, edge = (
            self._draft.resort.touchpoint(tap.touchpoint),
            self._draft.get(EdgeRow, self._entry.edge),
        )
        if edge is None or edge.venue != touchpoint.venue:
            raise EntryFault(f"{touchpoint.id} is not a touchpoint of this edge's venue")
        return touchpoint

    def _approved(self, tap: Tap, decision: Approved) -> None:
        if self._token is None or not is_of(self._draft, tap, self._token.id):
            raise EntryFault("an approved tap names no token, or another one than what was presented")
        if tap.pin is PinCheck.RIGHT and self._token.pin_tries:
            self._draft.put(replace(self._token, pin_tries=0))
        self._activate_written(tap)
        view_here = view(self._draft, tap, self._token.id, known_at=self._command.envelope.at)
        uses = self._uses(decision, view_here)
        for use in uses:
            self._draft.put(
                TapUseRow(
                    tap_id=tap.tap_id,
                    entitlement_id=use.entitlement_id,
                    token_id=self._token.id,
                    step=use.step,
                    at=use.at,
                    day=use.day,
                    place=use.place,
                    amount_minor=use.amount_minor,
                )
            )
        charged = self._charge(tap, uses)
        if isinstance(view_here, Refused):
            rested_on = {"our_reason": view_here.reason.value, "our_detail": view_here.detail}
            detail = rested_on | self._other_use(view_here, uses) | self._other_showing(view_here, tap)
            self._file(_CONFLICT, conflict_kind(view_here.reason), tap, charged, detail)
        self._suspect(tap, decision, view_here)

    def _activate_written(self, tap: Tap) -> None:
        """A band whose encoder could not confirm it shows by its first tap that it was written.

        One with keys does not: what it shows apart from them any chip may show, and an edge may make up.
        """
        medium, shown = self._draft.get(MediumRow, self._medium_id(tap) or ""), tap.presented
        if medium is None or medium.state is not MediumState.PENDING or shown.credential is None:
            return
        keyed = shown.credential.chip_keys or is_keyed(self._draft, medium)
        if shown.proof is Proof.CHIP_UID and not keyed:
            activate(self._draft, medium, self._command)
            self._tell("medium.activated", {"medium_id": medium.id, "kind": medium.kind.value})

    def _uses(self, decision: Approved, view_here: Decision) -> tuple[Use, ...]:
        """Return the uses to record: those of the edge, by the right we know in place of one read off the band."""
        if not decision.entitlement_id.startswith(GRANT_PREFIX):
            return tuple(use for use in decision.uses if self._draft.get(EntitlementRow, use.entitlement_id))
        return view_here.uses if isinstance(view_here, Approved) else ()

    def _charge(self, tap: Tap, uses: tuple[Use, ...]) -> int:
        """Charge the sale and post its hold; return the amount charged."""
        charges = [use for use in uses if use.step is Step.CHARGE]
        if not charges or tap.sale is None or self._token is None:
            end_hold(self._draft, tap.tap_id, HoldState.VOIDED)
            return 0
        if sum(use.amount_minor for use in charges) != tap.sale.total_minor:
            # The limit is counted by the use and the bill by the sale: an edge that tells two amounts is not believed.
            raise EntryFault("the use and the sale tell different amounts")
        end_hold(self._draft, tap.tap_id, HoldState.POSTED)
        right = self._draft.get(EntitlementRow, charges[0].entitlement_id)
        if right is None or not isinstance(right.body, Spending):
            raise EntryFault("the sale names a right that is no right to spend")
        transfer = charge(
            self._draft,
            tap.sale,
            right.body.account_id,
            transfer_id=self._new_id(_TRANSFER),
            tap_id=tap.tap_id,
            token=self._token,
            at=tap.at,
            command_id=self._command.envelope.id,
        )
        self._tell("transfer.posted", msgspec.to_builtins(transfer))
        account = self._draft.get(AccountRow, right.body.account_id)
        over_minor = past_limit_minor(account) if account else 0
        if over_minor:
            detail = {"our_reason": Reason.OVER_FOLIO_LIMIT.value, "account_id": right.body.account_id}
            past_minor = min(over_minor, tap.sale.total_minor)
            self._file(_FOLIO_CONFLICT, ConflictKind.PAST_LIMIT, tap, past_minor, detail)
        return tap.sale.total_minor

    def _suspect(self, tap: Tap, decision: Approved, view_here: Decision) -> None:
        """File what looks like a copy: the guest was elsewhere a moment before or after, by the edge's view or ours."""
        ours = view_here.flags if isinstance(view_here, Approved) else ()
        if Flag.IMPOSSIBLE_TRAVEL not in (*decision.flags, *ours):
            return
        uses = self._draft.find(TapUseRow, token_id=self._token_id)
        others = [use for use in uses if use.tap_id != tap.tap_id]
        near = min(others, key=lambda use: (abs(use.at - tap.at), use.tap_id), default=None)
        detail: dict[str, Any] = {"medium_id": self._medium_id(tap), "proof": tap.presented.proof.value}
        if near is not None:
            detail |= {"other_tap": near.tap_id, "other_at": near.at.isoformat(), "other_place": near.place}
        self._file(_CLONE, ConflictKind.CLONE_SUSPECTED, tap, 0, detail)

    def _other_showing(self, refused: Refused, tap: Tap) -> dict[str, Any]:
        """Return the other side of a replay: the tap that showed the same code, or the same reading of the chip."""
        match conflict_kind(refused.reason):
            case ConflictKind.CODE_REPLAYED:
                other = other_with_code(self._draft, tap)
            case ConflictKind.SUN_REPLAYED:
                other = other_with_sun(self._draft, tap)
            case _:
                other = None
        if other is None:
            return {}
        at = other.at.isoformat()
        return {
            "other_tap": other.id,
            "other_at": at,
            "other_place": other.touchpoint,
            "other_edge": other.edge,
        }

    def _other_use(self, refused: Refused, uses: tuple[Use, ...]) -> dict[str, Any]:
        """Return the other side of a double use: the latest other tap that used the same right."""
        ours = {use.entitlement_id for use in uses}
        others = [
            use
            for use in self._draft.find(TapUseRow, token_id=self._token_id)
            if use.entitlement_id in ours and self._entry.tap and use.tap_id != self._entry.tap.tap_id
        ]
        if conflict_kind(refused.reason) is not ConflictKind.DOUBLE_USE or not others:
            return {}
        other = max(others, key=lambda use: use.at)
        return {"other_tap": other.tap_id, "other_at": other.at.isoformat(), "other_place": other.place}

    # --- the rest -----------------------------------------------------------------------------------------------------

    def _pin_try(self) -> None:
        if self._token is None:
            raise EntryFault("a wrong PIN names no token known here")
        self._draft.put(replace(self._token, pin_tries=self._token.pin_tries + 1))
        self._tell("pin.wrong", {"tap_id": self._entry.tap.tap_id if self._entry.tap else ""})

    def _file(
        self, slot: int, kind: ConflictKind, tap: Tap, amount_minor: int, detail: dict[str, Any]
    ) -> None:
        """File a conflict with both sides: what the edge knew and how old that was, and what we know."""
        conflict_id = self._new_id(slot)
        edge_side = {
            "position": self._entry.position,
            "as_of": self._entry.as_of.isoformat() if self._entry.as_of else None,
            "online": self._entry.online,
            "touchpoint": tap.touchpoint,
        }
        row = ConflictRow(
            id=conflict_id,
            kind=kind.value,
            at=tap.at,
            tap_id=tap.tap_id,
            edge=self._entry.edge,
            token_id=self._token_id or None,
            party_id=self._token.party_id if self._token else None,
            detail={"edge": edge_side} | detail,
            amount_minor=amount_minor,
        )
        self._draft.put(row)
        said = {
            "conflict_id": conflict_id,
            "kind": kind.value,
            "tap_id": tap.tap_id,
            "amount_minor": amount_minor,
        }
        self._tell("conflict.filed", said | {"edge_side": edge_side} | detail)

    def _tap_row(self, tap: Tap, decision: Approved | Refused, amount_minor: int) -> TapRow:
        entry, approved = self._entry, decision if isinstance(decision, Approved) else None
        return TapRow(
            id=tap.tap_id,
            edge=entry.edge,
            epoch=entry.epoch,
            number=entry.number,
            touchpoint=tap.touchpoint,
            reader=tap.reader,
            at=tap.at,
            received_at=self._command.envelope.at,
            decision="approved" if approved else "refused",
            online=entry.online,
            entry=entry,
            token_id=self._token.id if self._token else None,
            party_id=self._token.party_id if self._token else None,
            medium_id=self._medium_id(tap),
            entitlement_id=approved.entitlement_id if approved else None,
            reason=None if isinstance(decision, Approved) else decision.reason.value,
            amount_minor=amount_minor,
            code_id=tap.presented.code_id or None,
            sun_chip=tap.presented.sun.chip_uid if tap.presented.sun else None,
        )

    def _medium_id(self, tap: Tap) -> str | None:
        medium = medium_of(self._draft, tap, self._token.id) if self._token is not None else None
        return medium.id if medium is not None else None

    @property
    def _token_id(self) -> str:
        return self._token.id if self._token is not None else self._entry.token_id

    def _tell(self, kind: str, body: dict[str, Any]) -> None:
        body = {"edge": self._entry.edge, "at": _text(self._entry.at)} | body
        party_id = self._token.party_id if self._token else None
        self._events.append(
            Event(kind, body, party_id=party_id, token_id=self._token.id if self._token else None)
        )

    def _new_id(self, n: int) -> str:
        return self._command.new_id(self._index * _IDS_PER_ENTRY + n)


def _check_storable(tap: Tap, decision: Approved | Refused) -> None:
    """Do nothing when every text and figure of the tap can be kept: what no database takes would block the journal.

    Raises:
        EntryFault: one cannot.
    """
    right = decision.entitlement_id if isinstance(decision, Approved) else ""
    for name, text in (("tap id", tap.tap_id), ("reader", tap.reader), ("right", right)):
        if len(text) > _TEXT_MAX or "\0" in text:
            raise EntryFault(f"the {name} is too long, or holds a character that cannot be stored")
    if not is_storable(tap):
        raise EntryFault("what was presented is such as no reader makes")
    if tap.sale is not None and not 0 <= tap.sale.total_minor <= AMOUNT_MINOR_MAX:
        raise EntryFault(f"{tap.sale.total_minor} is no total of a sale")


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
