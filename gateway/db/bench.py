"""Questions of the workbench: what guests carry, and how many taps there were."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from gateway.db.load import chunks
from gateway.db.tables import party, taps

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


def carried(connection: Connection) -> list[Carried]:
    """Return the media issued last, in order of issue."""
    medium, guest, person = party.medium.c, party.guest.c, party.person.c
    statement = (
        select(medium.id, medium.token_id, medium.kind, medium.state, medium.chip_uid, person.given_name)
        .join_from(party.medium, party.guest, guest.token_id == medium.token_id)
        .join(party.person, person.guest_id == guest.id)
        .order_by(medium.issued_at.desc(), medium.id.desc())
        .limit(CARRIED_MAX)
    )
    return [
        Carried(row.id, row.token_id, row.kind.value, row.state.value, row.chip_uid, row.given_name)
        for row in reversed(connection.execute(statement).all())
    ]


def nicknames(connection: Connection, token_ids: Collection[str]) -> dict[str, str]:
    """Return the given names of the guests who have these tokens."""
    guest, person = party.guest.c, party.person.c
    joined = select(guest.token_id, person.given_name).join_from(
        party.guest, party.person, person.guest_id == guest.id
    )
    found: dict[str, str] = {}
    for some in chunks(token_ids):
        found |= {
            row.token_id: row.given_name for row in connection.execute(joined.where(guest.token_id.in_(some)))
        }
    return found


def tally(connection: Connection) -> dict[str, int]:
    """Return how many taps came home, by the verdict the guest saw."""
    column = taps.tap.c.decision
    counted = connection.execute(select(column, func.count()).group_by(column))
    return {decision: int(count) for decision, count in counted.all()}
