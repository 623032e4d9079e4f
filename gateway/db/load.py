"""Loading what keys hold: one query per table for a whole batch."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, tuple_

from gateway.command import Key, KeyKind
from gateway.db import rows as r
from gateway.db.tables import TABLE_OF, chips, house, money, party, photos, taps
from wallet.entitlement import KINDS_WITH_MEMORY, Spending
from wallet.resort import Resort

R = TypeVar("R")
_CHUNK = 5000
"""Ids per statement; SQLite takes 32,766 and PostgreSQL 65,535 parameters."""

PHOTO_POINT_RECENT = timedelta(minutes=20)
"""What counts as recent at a photo point: more than twice as long as a tap may be before its shot."""

SUN_TAPS_MAX = 200
"""As many of the last SUN messages of a chip are held against one another; of all before, its counter tells."""


def rows_where(connection: Connection, kind: type[R], *where: ColumnElement[bool]) -> list[R]:
    """Return the rows of one kind that fit every condition."""
    return [kind(*record) for record in connection.execute(select_rows(kind).where(*where))]


def select_rows(kind: type[Any]) -> Select[Any]:
    """Return a SELECT whose columns are the fields of the row class, in their order."""
    table = TABLE_OF[kind]
    return select(*(table.c[field.name] for field in fields(kind)))


def chunks(ids: Collection[Any]) -> Iterator[list[Any]]:
    """Give the ids, sorted, in lists that fit into a statement."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def current_resort_version(connection: Connection) -> int:
    """Return the version of the resort last loaded, 0 before the first."""
    newest = select(func.coalesce(func.max(house.resort_version.c.version), 0))
    return int(connection.execute(newest).scalar_one())


def resort_of_version(connection: Connection, version: int) -> Resort:
    """Return the resort as it was loaded as `version`."""
    column = house.resort_version.c
    found: Resort = connection.execute(select(column.body).where(column.version == version)).scalar_one()
    return found


def resolve(connection: Connection, keys: Iterable[Key]) -> set[Key]:
    """Return what the looked-up keys (a booking reference, a guest, a medium …) lead to."""
    found: set[Key] = set()
    by_kind: dict[KeyKind, set[str]] = {}
    for key in keys:
        by_kind.setdefault(key.kind, set()).add(key.id)
    for kind, ids in by_kind.items():
        column, owner, *leads_to = _LEADS[kind]
        for chunk in chunks(ids):
            owners = connection.execute(select(owner).where(column.in_(chunk))).scalars()
            found.update(Key(onward, name) for name in owners for onward in leads_to)
    return found


def load(connection: Connection, kind: KeyKind, ids: Collection[str], at: datetime) -> list[Any]:
    """Return the rows that hang on the keys of one kind; `at` is the batch's earliest instant."""
    loader = _LOADERS.get(kind)
    return [row for chunk in chunks(ids) for row in loader(connection, chunk, at)] if loader else []


def leads_on(kind: KeyKind, loaded: Iterable[Any]) -> set[Key]:
    """Return the further keys to which the rows loaded for keys of one kind lead by themselves."""
    found: set[Key] = set()
    for row in loaded:
        match row:
            case r.PartyRow() if kind is KeyKind.PARTY:
                found.add(Key(KeyKind.ACCOUNT, row.folio_account_id))
            case r.GuestRow() if kind is KeyKind.PARTY:
                found.add(Key(KeyKind.TOKEN, row.token_id))
            case r.MediumRow(token_id=token_id) if kind is KeyKind.CHIP:
                found.add(Key(KeyKind.TOKEN, token_id))
            case r.EntitlementRow(body=Spending(account_id=account_id)):
                # Also of a right that has ended: what was bought before may come home after.
                found.add(Key(KeyKind.ACCOUNT, account_id))
            case r.PhotoClaimRow():
                found.update(Key(KeyKind.PHOTO, photo_id) for photo_id in row.photo_ids)
    return found


def answers(connection: Connection, ids: Collection[str]) -> dict[str, r.CommandRow]:
    """Return the commands already carried out among `ids`, by id."""
    found = (rows_where(connection, r.CommandRow, house.command.c.id.in_(chunk)) for chunk in chunks(ids))
    return {row.id: row for rows in found for row in rows}


def documents(connection: Connection, after: str, limit: int, scope: str = "") -> list[r.TokenDocumentRow]:
    """Return the documents (of one venue, if `scope` names it) behind the token id `after`, in order of token id."""
    column = party.token_document.c
    statement = select_rows(r.TokenDocumentRow).where(column.token_id > after).order_by(column.token_id)
    if scope:
        statement = statement.where(column.scopes.contains(f"|{scope}|", autoescape=True))
    return [r.TokenDocumentRow(*record) for record in connection.execute(statement.limit(limit))]


def _party(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    members = select(party.guest.c.id).where(party.guest.c.party_id.in_(ids))
    yield from rows_where(connection, r.PartyRow, party.party.c.id.in_(ids))
    yield from rows_where(connection, r.GuestRow, party.guest.c.party_id.in_(ids))
    yield from rows_where(connection, r.PersonRow, party.person.c.guest_id.in_(members))
    yield from rows_where(connection, r.StayRow, party.stay.c.party_id.in_(ids))
    yield from rows_where(connection, r.SignInCodeRow, house.sign_in_code.c.party_id.in_(ids))


def _token(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    parties = select(party.token.c.party_id).where(party.token.c.id.in_(ids))
    use, right = party.tap_use.c, party.entitlement.c
    # gateway/services/documents.py chooses among these by the resort's own days; two calendar days are always enough.
    remembered = select(right.id).where(
        right.token_id.in_(ids), right.revoked_at.is_(None), right.kind.in_(sorted(KINDS_WITH_MEMORY))
    )
    recent = or_(use.day >= (at - timedelta(days=3)).date(), use.entitlement_id.in_(remembered))
    yield from rows_where(connection, r.TokenRow, party.token.c.id.in_(ids))
    yield from rows_where(connection, r.MediumRow, party.medium.c.token_id.in_(ids))
    yield from rows_where(connection, r.EntitlementRow, right.token_id.in_(ids))
    yield from rows_where(connection, r.TapUseRow, use.token_id.in_(ids), recent)
    yield from rows_where(connection, r.TokenDocumentRow, party.token_document.c.token_id.in_(ids))
    yield from rows_where(connection, r.EncodingRow, party.encoding.c.token_id.in_(ids))
    yield from rows_where(connection, r.HoldRow, money.hold.c.token_id.in_(ids), _PENDING)
    yield from rows_where(connection, r.GuestRow, party.guest.c.token_id.in_(ids))
    yield from rows_where(connection, r.PartyRow, party.party.c.id.in_(parties))


def _tap(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    yield from rows_where(connection, r.TapRow, taps.tap.c.id.in_(ids))
    yield from rows_where(connection, r.HoldRow, money.hold.c.id.in_(ids))


def _sun(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    tap = taps.tap.c
    latest_first = (tap.at.desc(), tap.id.desc())
    place = func.row_number().over(partition_by=tap.sun_chip, order_by=latest_first).label("place")
    placed = select(tap.id, place).where(tap.sun_chip.in_(ids)).subquery()
    last = select(placed.c.id).where(placed.c.place <= SUN_TAPS_MAX)
    yield from rows_where(connection, r.TapRow, tap.id.in_(last))


def _account(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    yield from rows_where(connection, r.AccountRow, money.account.c.id.in_(ids))
    yield from rows_where(connection, r.HoldRow, money.hold.c.account_id.in_(ids), _PENDING)


def _window(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    column = party.return_window.c
    wanted = [
        (name, datetime.fromisoformat(starts_at))
        for name, _, starts_at in (each.partition("|") for each in ids)
    ]
    yield from rows_where(
        connection, r.ReturnWindowRow, tuple_(column.attraction, column.starts_at).in_(wanted)
    )


def _night(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    column = party.room_night.c
    wanted = [
        (room_type, date.fromisoformat(night))
        for room_type, _, night in (each.rpartition("|") for each in ids)
    ]
    yield from rows_where(connection, r.RoomNightRow, tuple_(column.room_type, column.night).in_(wanted))


def _room(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    stay = party.stay.c
    open_stay = and_(stay.until_at > at, stay.ended_at.is_(None))
    yield from rows_where(connection, r.StayRow, stay.room_type.in_(ids), open_stay)


def _edge(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    yield from rows_where(connection, r.EdgeRow, taps.edge.c.id.in_(ids))
    yield from rows_where(connection, r.JournalHeadRow, taps.journal_head.c.edge.in_(ids))


def _journal(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    column = taps.tap.c
    for edge, epoch, first, last in (each.split("|") for each in ids):
        span = column.number.between(int(first), int(last))
        yield from rows_where(connection, r.TapRow, column.edge == edge, column.epoch == epoch, span)


def _photo_point(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    photo, tap = photos.photo.c, taps.tap.c
    for key in ids:
        point, *rest = key.split("|")
        if not rest:
            continue  # the point's own key: it is held, so that one command at a time links photos there
        touchpoint, from_text, until_text = rest
        from_at = datetime.fromisoformat(from_text) if from_text else at - PHOTO_POINT_RECENT
        taken = [photo.photo_point == point, photo.taken_at >= from_at]
        tapped = [tap.touchpoint == touchpoint, tap.at >= from_at, tap.decision == "approved"]
        if until_text:
            until_at = datetime.fromisoformat(until_text)
            taken.append(photo.taken_at <= until_at)
            tapped.append(tap.at <= until_at)
        yield from rows_where(connection, r.PhotoRow, *taken)
        yield from rows_where(connection, r.TapRow, *tapped)


def _photo(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    yield from rows_where(connection, r.PhotoRow, photos.photo.c.id.in_(ids))
    yield from rows_where(connection, r.PhotoLinkRow, photos.photo_link.c.photo_id.in_(ids))


def _set_aside(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    column = taps.journal_set_aside.c
    wanted = [(edge, epoch, int(number)) for edge, epoch, number in (each.split("|") for each in ids)]
    yield from rows_where(
        connection, r.SetAsideRow, tuple_(column.edge, column.epoch, column.number).in_(wanted)
    )


def _by(kind: type[Any], column: Any) -> Callable[[Connection, list[str], datetime], Iterable[Any]]:
    return lambda connection, ids, at: rows_where(connection, kind, column.in_(ids))


def _issuer(connection: Connection, ids: list[str], at: datetime) -> Iterator[Any]:
    yield from rows_where(connection, r.IssuerKeyRow)
    yield from rows_where(connection, r.ChipEpochRow)


_PENDING = money.hold.c.state == r.HoldState.PENDING

_LEADS: dict[KeyKind, tuple[Any, ...]] = {
    KeyKind.BOOKING: (party.party.c.booking_reference, party.party.c.id, KeyKind.PARTY),
    KeyKind.GUEST: (party.guest.c.id, party.guest.c.party_id, KeyKind.PARTY),
    KeyKind.MEDIUM: (party.medium.c.id, party.medium.c.token_id, KeyKind.TOKEN),
    KeyKind.ENTITLEMENT: (party.entitlement.c.id, party.entitlement.c.token_id, KeyKind.TOKEN),
    KeyKind.ENCODING: (party.encoding.c.id, party.encoding.c.token_id, KeyKind.TOKEN),
    KeyKind.PRINTED: (chips.chip.c.printed_id, chips.chip.c.uid, KeyKind.CHIP, KeyKind.STOCK),
    KeyKind.KNOWN_UID: (chips.chip.c.uid, chips.chip.c.batch, KeyKind.BATCH),
    KeyKind.KNOWN_PRINTED: (chips.chip.c.printed_id, chips.chip.c.batch, KeyKind.BATCH),
}
"""By which column each is found, which column names what it leads to, and the kinds of that."""

_LOADERS: dict[KeyKind, Callable[[Connection, list[str], datetime], Iterable[Any]]] = {
    KeyKind.STAFF: _by(r.StaffRow, house.staff.c.name),
    KeyKind.ISSUER: _issuer,
    KeyKind.SESSION: _by(r.SessionRow, house.session.c.token_hash),
    KeyKind.EDGE: _edge,
    KeyKind.JOURNAL: _journal,
    KeyKind.PARTY: _party,
    KeyKind.CHIP: _by(r.MediumRow, party.medium.c.chip_uid),
    KeyKind.TOKEN: _token,
    KeyKind.STOCK: _by(r.ChipRow, chips.chip.c.uid),
    KeyKind.BATCH: _by(r.ChipRow, chips.chip.c.batch),
    KeyKind.CODE: _by(r.TapRow, taps.tap.c.code_id),
    KeyKind.SUN: _sun,
    KeyKind.TAP: _tap,
    KeyKind.ACCOUNT: _account,
    KeyKind.WINDOW: _window,
    KeyKind.NIGHT: _night,
    KeyKind.ROOM: _room,
    KeyKind.PHOTO_POINT: _photo_point,
    KeyKind.CLAIM: _by(r.PhotoClaimRow, photos.photo_claim.c.code_hash),
    KeyKind.PHOTO: _photo,
    KeyKind.SET_ASIDE: _set_aside,
    KeyKind.CONFLICT: _by(r.ConflictRow, taps.conflict.c.id),
}
