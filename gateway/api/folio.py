"""The folio of a party: every line, and what is owed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.api.deps import GatewayHere, role
from gateway.api.parties import deposit_of
from gateway.api.reach import party_in_reach
from gateway.auth import Principal
from gateway.db import folio as stored
from gateway.db import parties
from gateway.db.engine import Connection

router = APIRouter(tags=["folio"])


@router.get("/parties/{party_id}/folio")
def folio(
    party_id: str, gateway: GatewayHere, principal: Annotated[Principal, Depends(role("guest", "desk"))]
) -> dict[str, Any]:
    """The folio's lines in order of time; above zero is what the guest owes more."""
    party_in_reach(gateway, principal, party_id)
    with gateway.database.read() as connection:
        return _folio(connection, party_id)


def _folio(connection: Connection, party_id: str) -> dict[str, Any]:
    view = parties.view(connection, party_id)
    assert view is not None, "a party in reach exists"
    called = {each.guest.id: each.person.given_name for each in view.guests if each.person}
    lines = [
        {
            "at": line.at,
            "kind": line.kind,
            "description": line.description,
            "outlet": line.outlet,
            "tender": line.tender,
            "guest_id": line.guest_id,
            "given_name": called.get(line.guest_id or "", ""),
            "amount_minor": line.amount_minor,
            "transfer_id": line.transfer_id,
            "tap_id": line.tap_id,
        }
        for line in stored.lines(connection, view.account.id)
    ]
    return {
        "party_id": party_id,
        "lines": lines,
        "balance_minor": view.account.balance_minor,
        "held_minor": view.account.held_minor,
        "limit_minor": view.account.limit_minor,
        **deposit_of(view),
        "currency": view.account.currency,
    }
