"""The feed's rows: numbering what has been committed, and reading by position."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, update

from gateway.db import locks
from gateway.db.tables import house

_ENTRY = house.feed_entry
_COLUMNS = (
    _ENTRY.c.position,
    _ENTRY.c.kind,
    _ENTRY.c.party_id,
    _ENTRY.c.token_id,
    _ENTRY.c.body,
    _ENTRY.c.scopes,
    _ENTRY.c.scopes_after,
    _ENTRY.c.command_id,
    _ENTRY.c.command_name,
    _ENTRY.c.actor,
    _ENTRY.c.channel,
    _ENTRY.c.case_id,
    _ENTRY.c.at,
)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry of the feed at its position; `body` is JSON text."""

    position: int
    kind: str
    party_id: str | None
    token_id: str | None
    body: str
    scopes: str
    scopes_after: str
    command_id: str
    command_name: str
    actor: str
    channel: str
    case_id: str | None
    at: datetime


def has_unnumbered(connection: Connection) -> bool:
    """Return whether a committed entry waits for its position."""
    return (
        connection.execute(select(_ENTRY.c.id).where(_ENTRY.c.position.is_(None)).limit(1)).first()
        is not None
    )


def number(connection: Connection) -> int:
    """Give the committed entries without a position the next dense ones, in order of id; return the head.

    Positions follow the order in which entries are seen committed: one that commits late gets a later position, so a
    reader that has everything up to a position has it for ever. One numberer works at a time, in any process.
    """
    locks.hold(connection, [locks.NUMBERER])
    first = head(connection)
    waiting = connection.execute(select(_ENTRY.c.id).where(_ENTRY.c.position.is_(None)).order_by(_ENTRY.c.id))
    given = [
        {"entry": entry, "next": first + place} for place, entry in enumerate(waiting.scalars(), start=1)
    ]
    if given:
        statement = update(_ENTRY).where(_ENTRY.c.id == bindparam("entry")).values(position=bindparam("next"))
        connection.execute(statement, given)
    return first + len(given)


def head(connection: Connection) -> int:
    """Return the highest position given, 0 for an empty feed."""
    return int(connection.execute(select(func.coalesce(func.max(_ENTRY.c.position), 0))).scalar_one())


def scopes_after(connection: Connection, position: int, limit: int) -> list[tuple[int, str, str]]:
    """Return (position, kind, scopes) of the entries behind `position`, in order."""
    statement = select(_ENTRY.c.position, _ENTRY.c.kind, _ENTRY.c.scopes).where(_ENTRY.c.position > position)
    records = connection.execute(statement.order_by(_ENTRY.c.position).limit(limit))
    return [(position, kind, scopes) for position, kind, scopes in records]


def entries(connection: Connection, after: int, limit: int) -> list[FeedEntry]:
    """Return entries of every kind behind `after`, in order."""
    return _read(connection, _behind(after, limit))


def entries_of_party(
    connection: Connection, party_id: str, after: int, limit: int, token_id: str | None = None
) -> list[FeedEntry]:
    """Return what happened to one party (to one of its tokens) behind `after`, without the documents for edges."""
    statement = _behind(after, limit).where(_ENTRY.c.party_id == party_id, _ENTRY.c.kind != "token")
    if token_id is not None:
        statement = statement.where(_ENTRY.c.token_id == token_id)
    return _read(connection, statement)


def entries_for_scope(
    connection: Connection, scope: str, after: int, upto: int, limit: int
) -> list[FeedEntry]:
    """Return the documents and resorts in (after, upto] that concern one venue, in order."""
    concerns = (_ENTRY.c.kind == "token") & _ENTRY.c.scopes.contains(f"|{scope}|", autoescape=True)
    wanted = concerns | (_ENTRY.c.kind == "resort")
    return _read(connection, _behind(after, limit).where(_ENTRY.c.position <= upto, wanted))


def instant_at(connection: Connection, position: int) -> datetime | None:
    """Return the instant of the entry at `position`, None when there is none.

    Whatever stands behind it was committed after it: entries of one numbering follow in order of id, which is the order
    of writing, and those of a later one were not yet committed when it was numbered.
    """
    found: datetime | None = connection.execute(
        select(_ENTRY.c.at).where(_ENTRY.c.position == position)
    ).scalar_one_or_none()
    return found


def mark_at(connection: Connection, position: int) -> str:
    """Return what tells the entry at `position` from any that another life of this database had there; "" for none.

    Two lives share their entries up to the copy that the second was restored from. Behind it even the same command,
    carried out again at the same position, was asked at another instant.
    """
    columns = (_ENTRY.c.kind, _ENTRY.c.token_id, _ENTRY.c.command_id, _ENTRY.c.at)
    found = connection.execute(select(*columns).where(_ENTRY.c.position == position)).first()
    if found is None:
        return ""
    kind, token_id, command_id, at = found
    text = "\n".join((str(position), kind, token_id or "", command_id, at.isoformat()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _behind(after: int, limit: int) -> Select[Any]:
    return select(*_COLUMNS).where(_ENTRY.c.position > after).order_by(_ENTRY.c.position).limit(limit)


def _read(connection: Connection, statement: Select[Any]) -> list[FeedEntry]:
    return [FeedEntry(*record) for record in connection.execute(statement)]
