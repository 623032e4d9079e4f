"""The timeline of a party: everything that happened, on every channel, with the exact reason of each refusal."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query

from gateway.api.deps import GatewayHere, role
from gateway.api.reach import party_in_reach
from gateway.auth import Principal
from gateway.db import feed, parties
from gateway.db.feed import FeedEntry
from gateway.db.rows import PersonRow
from gateway.services.timeline import Teller
from wallet.reasons import Language

router = APIRouter(tags=["timeline"])


@router.get("/parties/{party_id}/timeline")
def timeline(
    party_id: str,
    gateway: GatewayHere,
    principal: Annotated[Principal, Depends(role("guest", "desk"))],
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    guest: Annotated[str | None, Query(max_length=64)] = None,
    lang: Language = Language.ENGLISH,
) -> dict[str, Any]:
    """Entries behind `after`, in order; with `guest`, those of one guest."""
    party_in_reach(gateway, principal, party_id)
    with gateway.database.read() as connection:
        people = parties.names(connection, [party_id])
        only = None if guest is None else _token_of(people, guest)
        entries = feed.entries_of_party(connection, party_id, after, limit, only)
    names = {token_id: person.given_name for token_id, person in people.items() if person.given_name}
    teller = Teller(gateway.feed.resort(), names, lang)
    return {
        "entries": [_entry(entry, teller) for entry in entries],
        "next": entries[-1].position if entries else after,
    }


def _token_of(people: dict[str, PersonRow], guest_id: str) -> str:
    """Return the guest's token; a guest who is not of this party has no entries."""
    return next((token_id for token_id, person in people.items() if person.guest_id == guest_id), "")


def _entry(entry: FeedEntry, teller: Teller) -> dict[str, Any]:
    body = msgspec.json.decode(entry.body)
    # A tap happened when it was tapped, however late it came home.
    happened_at = body.get("at", entry.at) if entry.kind.startswith(("tap.", "pin.")) else entry.at
    return {
        "position": entry.position,
        "at": happened_at,
        "recorded_at": entry.at,
        "kind": entry.kind,
        "sentence": teller.tell(entry.kind, entry.token_id, body),
        "reason": body.get("reason"),
        "actor": entry.actor,
        "channel": entry.channel,
        "case": entry.case_id,
        "token_id": entry.token_id,
        "body": body,
    }
