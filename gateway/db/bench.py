"""Questions of the workbench: what guests carry, and how many taps there were."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from gateway.db.tables import party, taps
from wallet.token import TokenDocument

CARRIED_MAX = 80


@dataclass(frozen=True, slots=True)
class Carried:
    """A medium and whose it is; `nickname` is empty for a guest who was forgotten."""

    medium_id: str
    token_id: str
    kind: str
    state: str
    chip_uid: str
    nickname: str
    booking_reference: str = ""
    lead: bool = False
    child: bool = False
    party_state: str = ""
    document: TokenDocument | None = None
    """What the edges were last told of the token."""


def carried(connection: Connection) -> list[Carried]:
    """Return the media issued last, in order of issue."""
    medium, guest, person = party.medium.c, party.guest.c, party.person.c
    booked, document = party.party.c, party.token_document.c
    statement = (
        select(
            medium.id,
            medium.token_id,
            medium.kind,
            medium.state,
            medium.chip_uid,
            person.given_name,
            booked.booking_reference,
            guest.lead,
            guest.child,
            booked.state.label("party_state"),
            document.body,
        )
        .join_from(party.medium, party.guest, guest.token_id == medium.token_id)
        .join(party.person, person.guest_id == guest.id)
        .join(party.party, booked.id == guest.party_id)
        .outerjoin(party.token_document, document.token_id == medium.token_id)
        .order_by(medium.issued_at.desc(), medium.id.desc())
        .limit(CARRIED_MAX)
    )
    return [
        Carried(
            row.id,
            row.token_id,
            row.kind.value,
            row.state.value,
            row.chip_uid,
            row.given_name,
            row.booking_reference,
            row.lead,
            row.child,
            row.party_state.value,
            row.body,
        )
        for row in reversed(connection.execute(statement).all())
    ]


def tally(connection: Connection) -> dict[str, int]:
    """Return how many taps came home, by the verdict the guest saw."""
    column = taps.tap.c.decision
    counted = connection.execute(select(column, func.count()).group_by(column))
    return {decision: int(count) for decision, count in counted.all()}
