"""Bypass reservations: a party books together, all or nobody; each member cancels alone."""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service, window_key
from gateway.db.rows import EntitlementRow, PartyRow, ReturnWindowRow, TapUseRow
from gateway.errors import Rejection
from gateway.services.booked import has_nights, live_token, revoke
from gateway.services.documents import entitlement_row
from gateway.services.draft import Draft
from gateway.services.ids import Ids
from gateway.services.judgement import document_at
from gateway.services.windows import attraction_named, free_place, key_of, take_places, window_at
from gateway.working_set import WorkingSet
from wallet.entitlement import Bypass
from wallet.picks import refuse_booking
from wallet.reasons import Reason, sentence
from wallet.resort import Attraction
from wallet.tap import Refused


class BookReservation(Struct, frozen=True):
    """Book one return window for these tokens of one party."""

    token_ids: tuple[str, ...]
    attraction: str
    starts_at: datetime


class ReservationBook(Service[BookReservation]):
    """Books a return window for every token or for none. A refusal is an answer, with its reason."""

    name = "reservation.book"

    def keys(self, body: BookReservation) -> frozenset[Key]:
        """The tokens and the window."""
        tokens = {Key(KeyKind.TOKEN, token_id) for token_id in body.token_ids}
        return frozenset(tokens | {window_key(body.attraction, body.starts_at.astimezone(UTC))})

    def decide(self, state: WorkingSet, command: Command[BookReservation]) -> Outcome:
        """Look at each guest's own rules, then at the window's places."""
        body, draft = command.body, Draft(state)
        attraction = attraction_named(draft.resort, body.attraction)
        party = _party_of(draft, body.token_ids)
        window = window_at(draft, attraction, body.starts_at)
        refusals: dict[str, Refused] = {}
        for token_id in body.token_ids:
            refused = _refused(draft, party, token_id, attraction, window, command.envelope.at)
            if refused is not None:
                refusals[token_id] = refused
        left = window.capacity - window.taken
        if not refusals and len(body.token_ids) > left:
            full = Refused(Reason.WINDOW_FULL, {"left": str(left)})
            refusals = dict.fromkeys(body.token_ids, full)
        if refusals:
            return _refuse(party, window, refusals)
        return _book(draft, command, party, window)


class CancelReservation(Struct, frozen=True):
    """Give a reservation back."""

    entitlement_id: str


class ReservationCancel(Service[CancelReservation]):
    """Gives a reservation back and frees its place, unless it was used or its window is over."""

    name = "reservation.cancel"

    def keys(self, body: CancelReservation) -> frozenset[Key]:
        """The token that holds it."""
        return frozenset({Key(KeyKind.ENTITLEMENT, body.entitlement_id)})

    def expand(self, state: WorkingSet, body: CancelReservation) -> frozenset[Key]:
        """The window."""
        row = state.get(EntitlementRow, body.entitlement_id)
        return frozenset({key_of(row.body)} if row and isinstance(row.body, Bypass) else ())

    def decide(self, state: WorkingSet, command: Command[CancelReservation]) -> Outcome:
        """Revoke the right and free the place."""
        draft, at = Draft(state), command.envelope.at
        row = draft.get(EntitlementRow, command.body.entitlement_id)
        if row is None or not isinstance(row.body, Bypass):
            raise Rejection("not_found", 404, f"There is no reservation {command.body.entitlement_id!r}.")
        token, party = live_token(draft, row.token_id)
        if row.revoked_at is not None:
            raise Rejection("already_cancelled", 409, "This reservation was cancelled before.")
        if any(use.entitlement_id == row.id for use in draft.find(TapUseRow, token_id=token.id)):
            raise Rejection("already_used", 409, "This reservation was used already.")
        if at >= row.body.ends_at:
            raise Rejection("window_past", 409, "This return window has passed.")
        window = draft.get(ReturnWindowRow, row.body.attraction, row.body.starts_at)
        if window is not None:
            draft.put(free_place(window))
        revoke(draft, [row], at)
        said = _said(row.body)
        event = Event("reservation.cancelled", said, party_id=party.id, token_id=token.id)
        return Outcome({"cancelled": True, "token_id": token.id} | said, draft.rows, (event,))


def _party_of(draft: Draft, token_ids: tuple[str, ...]) -> PartyRow:
    if not token_ids or len(set(token_ids)) != len(token_ids):
        raise Rejection("token_ids", 422, "Name each guest once, and one at least.")
    parties = {party.id: party for _, party in (live_token(draft, token_id) for token_id in token_ids)}
    if len(parties) != 1:
        raise Rejection("one_party", 422, "Guests who book together are of one party.")
    return next(iter(parties.values()))


def _refused(
    draft: Draft,
    party: PartyRow,
    token_id: str,
    attraction: Attraction,
    window: ReturnWindowRow,
    at: datetime,
) -> Refused | None:
    document = document_at(draft, token_id, at)
    assert document is not None, "a live token has a document"
    stay_begins = party.arrival_day if has_nights(party) else None
    return refuse_booking(
        document, attraction, window.starts_at, at=at, stay_begins=stay_begins, resort=draft.resort
    )


def _refuse(party: PartyRow, window: ReturnWindowRow, refusals: dict[str, Refused]) -> Outcome:
    """The sentence for everyone is the one of the guest who is refused first, in the order they were named."""
    results: list[dict[str, Any]] = []
    events = []
    for token_id, refused in refusals.items():
        why: dict[str, Any] = {"reason": refused.reason.value, "detail": refused.detail}
        said = sentence(refused.reason, refused.detail)
        results.append({"token_id": token_id, "sentence": said} | why)
        told = {"attraction": window.attraction, "starts_at": window.starts_at.isoformat()} | why
        events.append(Event("reservation.refused", told, party_id=party.id, token_id=token_id))
    return Outcome({"booked": False, "results": results} | results[0], events=tuple(events))


def _book(
    draft: Draft, command: Command[BookReservation], party: PartyRow, window: ReturnWindowRow
) -> Outcome:
    ids, results, events = Ids(command), [], []
    for token_id in command.body.token_ids:
        right = Bypass(ids.next(), window.attraction, window.starts_at, window.ends_at)
        draft.put(entitlement_row(token_id, right, made_at=command.envelope.at, resort=draft.resort))
        results.append({"token_id": token_id, "entitlement_id": right.entitlement_id})
        events.append(Event("reservation.booked", _said(right), party_id=party.id, token_id=token_id))
    draft.put(take_places(window, len(results)))
    answer = {
        "booked": True,
        "results": results,
        "attraction": window.attraction,
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
    }
    return Outcome(answer, draft.rows, tuple(events))


def _said(right: Bypass) -> dict[str, Any]:
    return {
        "entitlement_id": right.entitlement_id,
        "attraction": right.attraction,
        "starts_at": right.starts_at.isoformat(),
        "ends_at": right.ends_at.isoformat(),
    }
