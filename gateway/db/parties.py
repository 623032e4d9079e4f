"""Questions about parties: who they are, what they hold, and finding one."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, or_, select, union

from gateway.db.load import rows_where, select_rows
from gateway.db.names import name_key, plain_reference
from gateway.db.rows import (
    AccountRow,
    EntitlementRow,
    GuestRow,
    MediumRow,
    PartyRow,
    PersonRow,
    StayRow,
    TapUseRow,
    TokenRow,
)
from gateway.db.tables import money, party

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class GuestView:
    """One guest with everything that hangs on the token."""

    guest: GuestRow
    person: PersonRow | None
    token: TokenRow
    media: tuple[MediumRow, ...]
    rights: tuple[EntitlementRow, ...]
    uses: tuple[TapUseRow, ...]


@dataclass(frozen=True, slots=True)
class PartyView:
    """A party as it stands: rights in force only."""

    party: PartyRow
    account: AccountRow
    stays: tuple[StayRow, ...]
    guests: tuple[GuestView, ...]


def party_named(connection: Connection, party_id: str) -> PartyRow | None:
    """Return the party."""
    return _one(rows_where(connection, PartyRow, party.party.c.id == party_id))


def token_named(connection: Connection, token_id: str) -> TokenRow | None:
    """Return the token."""
    return _one(rows_where(connection, TokenRow, party.token.c.id == token_id))


def tokens_named(connection: Connection, token_ids: Collection[str]) -> dict[str, TokenRow]:
    """Return the tokens among these, by id, with one query."""
    return {row.id: row for row in rows_where(connection, TokenRow, party.token.c.id.in_(token_ids))}


def token_of_medium(connection: Connection, medium_id: str) -> TokenRow | None:
    """Return the token that a medium carries."""
    carried = select(party.medium.c.token_id).where(party.medium.c.id == medium_id)
    return _one(rows_where(connection, TokenRow, party.token.c.id.in_(carried)))


def token_of_right(connection: Connection, entitlement_id: str) -> TokenRow | None:
    """Return the token that a right hangs on."""
    holder = select(party.entitlement.c.token_id).where(party.entitlement.c.id == entitlement_id)
    return _one(rows_where(connection, TokenRow, party.token.c.id.in_(holder)))


def media_of(connection: Connection, token_id: str) -> list[MediumRow]:
    """Return every medium of a token."""
    return rows_where(connection, MediumRow, party.medium.c.token_id == token_id)


def rights_of(connection: Connection, token_id: str) -> list[EntitlementRow]:
    """Return every right of a token that was not revoked."""
    column = party.entitlement.c
    return rows_where(connection, EntitlementRow, column.token_id == token_id, column.revoked_at.is_(None))


def uses_of_rights(connection: Connection, rights: Collection[EntitlementRow]) -> list[TapUseRow]:
    """Return every use of these rights."""
    return rows_where(
        connection, TapUseRow, party.tap_use.c.entitlement_id.in_([right.id for right in rights])
    )


def names(connection: Connection, party_ids: Collection[str]) -> dict[str, PersonRow]:
    """Return token id → person of all guests of these parties."""
    members = rows_where(connection, GuestRow, party.guest.c.party_id.in_(party_ids))
    wanted = [guest.id for guest in members]
    people = {
        row.guest_id: row for row in rows_where(connection, PersonRow, party.person.c.guest_id.in_(wanted))
    }
    return {guest.token_id: people[guest.id] for guest in members if guest.id in people}


def view(connection: Connection, party_id: str) -> PartyView | None:
    """Return the party with its guests, each with media and rights in force; a query per table."""
    row = party_named(connection, party_id)
    if row is None:
        return None
    right, tokens = party.entitlement.c, select(party.token.c.id).where(party.token.c.party_id == party_id)
    in_force = select(right.id).where(right.token_id.in_(tokens), right.revoked_at.is_(None))
    guests = rows_where(connection, GuestRow, party.guest.c.party_id == party_id)
    people = names(connection, [party_id])
    tokens_by_id = {
        each.id: each for each in rows_where(connection, TokenRow, party.token.c.party_id == party_id)
    }
    media = rows_where(connection, MediumRow, party.medium.c.token_id.in_(tokens))
    rights = rows_where(connection, EntitlementRow, right.id.in_(in_force))
    uses = rows_where(connection, TapUseRow, party.tap_use.c.entitlement_id.in_(in_force))
    (account,) = rows_where(connection, AccountRow, money.account.c.id == row.folio_account_id)
    stays = rows_where(connection, StayRow, party.stay.c.party_id == party_id)
    return PartyView(
        party=row,
        account=account,
        stays=tuple(sorted(stays, key=lambda stay: stay.from_at)),
        guests=tuple(
            GuestView(
                guest=guest,
                person=people.get(guest.token_id),
                token=tokens_by_id[guest.token_id],
                media=_of_token(media, guest.token_id),
                rights=_of_token(rights, guest.token_id),
                uses=_of_token(uses, guest.token_id),
            )
            for guest in sorted(guests, key=lambda guest: (not guest.lead, guest.id))
        ),
    )


def search(connection: Connection, text: str, limit: int) -> list[PartyRow]:
    """Return the parties that a booking reference, a token id, a chip's UID or the beginning of a name leads to."""
    plain = text.strip()
    if not plain:
        return []
    return [PartyRow(*record) for record in connection.execute(search_statement(plain).limit(limit))]


def search_statement(plain: str) -> Select[Any]:
    """Return the SELECT of the parties to which a text leads, those booked last first."""
    by_token = select(party.token.c.party_id).where(party.token.c.id == plain)
    by_chip = (
        select(party.token.c.party_id)
        .join(party.medium, party.medium.c.token_id == party.token.c.id)
        .where(party.medium.c.chip_uid == plain.lower().replace(":", ""), party.medium.c.chip_uid != "")
    )
    person, words = party.person.c, name_key(plain).split()
    by_name = (
        select(party.guest.c.party_id)
        .join(party.person, person.guest_id == party.guest.c.id)
        .where(*(or_(_begins(person.given_key, word), _begins(person.family_key, word)) for word in words))
    )
    by_party = (
        select(party.party.c.id).where(column == wanted)
        for column, wanted in (
            (party.party.c.booking_reference, plain_reference(plain)),
            (party.party.c.id, plain),
        )
    )
    # A union rather than one condition with OR: each part then has its own index, and nothing is read through.
    fitting = union(*by_party, by_token, by_chip, *([by_name] if words else []))
    found = select_rows(PartyRow).where(party.party.c.id.in_(fitting))
    return found.order_by(party.party.c.booked_at.desc(), party.party.c.id)


def windows_between(
    connection: Connection, from_at: datetime, until_at: datetime
) -> dict[tuple[str, datetime], int]:
    """Return (attraction, start) → places taken of the windows that begin in [from_at, until_at)."""
    column = party.return_window.c
    between = select(column.attraction, column.starts_at, column.taken).where(
        column.starts_at >= from_at, column.starts_at < until_at
    )
    return {(attraction, starts_at): taken for attraction, starts_at, taken in connection.execute(between)}


def _begins(column: Column[str], beginning: str) -> ColumnElement[bool]:
    """Return the condition that a bytewise column begins so, as a range that an index serves."""
    return and_(column >= beginning, column < beginning + "\U0010ffff")


def _of_token(rows: Iterable[R], token_id: str) -> tuple[R, ...]:
    # Every row here is of a token, whatever else it is.
    return tuple(row for row in rows if getattr(row, "token_id", None) == token_id)


def _one(rows: list[R]) -> R | None:
    return rows[0] if rows else None
