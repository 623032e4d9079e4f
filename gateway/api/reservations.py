"""Bypass: return windows of a day, and a party's reservations."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from gateway.api.deps import Caller, GatewayHere, caller, role
from gateway.api.reach import check_token, check_tokens
from gateway.db import parties
from gateway.services.reservations import BookReservation, CancelReservation
from wallet.picks import window_end, window_starts
from wallet.reasons import Language, Reason, sentence
from wallet.resort import Attraction, Resort

router = APIRouter(tags=["reservations"])

GuestOrDesk = Annotated[Caller, Depends(caller("guest", "desk"))]


class ReservationWish(BaseModel):
    """One return window for guests of one party, all or nobody."""

    token_ids: list[str] = Field(min_length=1, max_length=20)
    attraction: str = Field(min_length=1, max_length=64)
    starts_at: AwareDatetime


@router.get("/attractions/windows", dependencies=[Depends(role("guest", "desk"))])
def windows(gateway: GatewayHere, day: date) -> dict[str, Any]:
    """The return windows of a resort day that are not over, and how many places are left in each."""
    resort, now = gateway.feed.resort(), gateway.clock.now()
    open_windows = [
        (attraction, starts_at)
        for attraction in resort.attractions
        for starts_at in window_starts(resort, attraction, day)
        if window_end(resort, starts_at) > now
    ]
    if not open_windows:
        return {"day": day, "windows": []}
    starts = [starts_at for _, starts_at in open_windows]
    with gateway.database.read() as connection:
        taken = parties.windows_between(connection, min(starts), window_end(resort, max(starts)))
    return {
        "day": day,
        "windows": [
            _window(resort, attraction, starts_at, taken.get((attraction.id, starts_at), 0))
            for attraction, starts_at in open_windows
        ],
    }


@router.post("/reservations")
async def book(
    body: ReservationWish, called: GuestOrDesk, lang: Annotated[Language, Query()] = Language.ENGLISH
) -> dict[str, Any]:
    """Book a return window. A refusal is an answer, with its reason."""
    await check_tokens(called.gateway, called.principal, body.token_ids)
    wish = BookReservation(tuple(body.token_ids), body.attraction, body.starts_at.astimezone(UTC))
    answer = await called.do("reservation.book", wish)
    return answer if answer["booked"] else _told(answer, lang)


@router.post("/reservations/{entitlement_id}/cancel")
async def cancel(entitlement_id: str, called: GuestOrDesk) -> dict[str, Any]:
    """Give a reservation back."""
    await check_token(called.gateway, called.principal, entitlement_id, parties.token_of_right, "reservation")
    return await called.do("reservation.cancel", CancelReservation(entitlement_id))


def _window(resort: Resort, attraction: Attraction, starts_at: datetime, taken: int) -> dict[str, Any]:
    return {
        "attraction": attraction.id,
        "name": attraction.name,
        "tier": attraction.tier,
        "starts_at": starts_at,
        "ends_at": window_end(resort, starts_at),
        "capacity": attraction.capacity_per_window,
        "left": max(0, attraction.capacity_per_window - taken),
    }


def _told(answer: dict[str, Any], language: Language) -> dict[str, Any]:
    """Return a refusal with its sentences in the language of whoever asks."""
    results = [
        result | {"sentence": sentence(Reason(result["reason"]), result["detail"], language)}
        for result in answer["results"]
    ]
    return answer | {"results": results, "sentence": results[0]["sentence"]}
