"""The given names of guests and of staff, for pages where they stand beside each other."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from gateway.db.load import chunks
from gateway.db.tables import house, party


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


def staff_roles(connection: Connection, staff_ids: Collection[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return name and roles of members of staff, by their id."""
    staff = house.staff.c
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for some in chunks(staff_ids):
        records = connection.execute(select(staff.id, staff.name, staff.roles).where(staff.id.in_(some)))
        found |= {row.id: (row.name, tuple(row.roles)) for row in records}
    return found
