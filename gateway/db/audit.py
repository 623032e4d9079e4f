"""What verification asks of the database: rows that would break a promise, and the past that verdicts rested on."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, FromClause, func, select

from gateway.db import rows as r
from gateway.db.load import chunks, rows_where
from gateway.db.tables import house, money, party, taps
from wallet.medium import MediumState
from wallet.resort import Resort
from wallet.token import Step, TokenDocument


def guests_without_one_token(connection: Connection) -> list[tuple[str, int]]:
    """Return (guest id, tokens) of each guest who has not exactly one token."""
    guest, token = party.guest.c, party.token.c
    statement = (
        select(guest.id, func.count(token.id))
        .select_from(party.guest.outerjoin(party.token, token.guest_id == guest.id))
        .group_by(guest.id)
        .having(func.count(token.id) != 1)
    )
    return [(guest_id, count) for guest_id, count in connection.execute(statement)]


def shared_chips(connection: Connection) -> list[tuple[str, int]]:
    """Return (chip UID, tokens) of each chip that is an active medium of more than one token."""
    medium = party.medium.c
    tokens = func.count(medium.token_id.distinct())
    statement = (
        select(medium.chip_uid, tokens)
        .where(medium.state == MediumState.ACTIVE, medium.revoked_at.is_(None), medium.chip_uid != "")
        .group_by(medium.chip_uid)
        .having(tokens > 1)
    )
    return [(uid, count) for uid, count in connection.execute(statement)]


def guests(connection: Connection) -> int:
    """Return how many guests there are."""
    return _count(connection, party.guest)


def unbalanced_transfers(connection: Connection) -> list[tuple[str, str, int]]:
    """Return (transfer, currency, sum) of each transfer whose postings do not sum to zero, or has none."""
    transfer, posting = money.transfer.c, money.posting.c
    total = func.coalesce(func.sum(posting.amount_minor), 0)
    statement = (
        select(transfer.id, transfer.currency, total, func.count(posting.number))
        .select_from(
            money.transfer.outerjoin(
                money.posting, (posting.transfer_id == transfer.id) & (posting.currency == transfer.currency)
            )
        )
        .group_by(transfer.id, transfer.currency)
        .having((total != 0) | (func.count(posting.number) < 2))
    )
    return [(name, currency, int(amount)) for name, currency, amount, _ in connection.execute(statement)]


def transfers(connection: Connection) -> int:
    """Return how many transfers there are."""
    return _count(connection, money.transfer)


def unbalanced_accounts(connection: Connection) -> list[tuple[str, int, int]]:
    """Return (account, balance kept, sum of its postings) where the two differ."""
    account, posting = money.account.c, money.posting.c
    total = func.coalesce(func.sum(posting.amount_minor), 0)
    statement = (
        select(account.id, account.balance_minor, total)
        .select_from(money.account.outerjoin(money.posting, posting.account_id == account.id))
        .group_by(account.id, account.balance_minor)
        .having(account.balance_minor != total)
    )
    return [(name, kept, int(summed)) for name, kept, summed in connection.execute(statement)]


def accounts(connection: Connection) -> list[r.AccountRow]:
    """Return every account that keeps a balance."""
    return rows_where(connection, r.AccountRow)


def pending_held(connection: Connection) -> dict[str, int]:
    """Return the sum of the pending holds per account."""
    hold = money.hold.c
    statement = select(hold.account_id, func.sum(hold.amount_minor)).where(hold.state == r.HoldState.PENDING)
    return {name: int(total) for name, total in connection.execute(statement.group_by(hold.account_id))}


def windows(connection: Connection) -> list[r.ReturnWindowRow]:
    """Return every return window that was ever booked."""
    return rows_where(connection, r.ReturnWindowRow)


def room_nights(connection: Connection) -> list[r.RoomNightRow]:
    """Return every night of a room type that was ever booked."""
    return rows_where(connection, r.RoomNightRow)


def parties(connection: Connection) -> list[r.PartyRow]:
    """Return every party, departed and cancelled ones too."""
    return rows_where(connection, r.PartyRow)


def rights_of_kind(connection: Connection, kind: str) -> list[r.EntitlementRow]:
    """Return every entitlement of a kind, revoked ones too."""
    return rows_where(connection, r.EntitlementRow, party.entitlement.c.kind == kind)


def media(connection: Connection) -> dict[str, r.MediumRow]:
    """Return every medium by id."""
    return {row.id: row for row in rows_where(connection, r.MediumRow)}


def all_taps(connection: Connection) -> list[r.TapRow]:
    """Return every tap."""
    return rows_where(connection, r.TapRow)


def sales_per_tap(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return of each tap that was charged for: how many sales, and their sum in minor units."""
    transfer = money.transfer.c
    statement = select(transfer.tap_id, func.count(), func.sum(transfer.amount_minor)).where(
        transfer.tap_id.is_not(None), transfer.kind == "sale"
    )
    found = connection.execute(statement.group_by(transfer.tap_id))
    return {tap_id: (count, int(total)) for tap_id, count, total in found if tap_id}


def hold_ids(connection: Connection) -> frozenset[str]:
    """Return the tap of every hold that was ever made, whatever became of it."""
    return frozenset(connection.execute(select(money.hold.c.id)).scalars())


def enrolled_edges(connection: Connection) -> list[r.EdgeRow]:
    """Return the edges that may take taps."""
    return rows_where(connection, r.EdgeRow, taps.edge.c.state == r.EdgeState.ENROLLED)


def announced(connection: Connection, kind: str) -> list[tuple[str | None, dict[str, Any]]]:
    """Return (party, body) of every feed entry of a kind that people may read: what guests were told."""
    entry = house.feed_entry.c
    statement = select(entry.party_id, entry.body).where(entry.kind == kind).order_by(entry.id)
    return [(party_id, msgspec.json.decode(body)) for party_id, body in connection.execute(statement)]


def charges(connection: Connection) -> list[r.TapUseRow]:
    """Return every charge that a tap made."""
    return rows_where(connection, r.TapUseRow, party.tap_use.c.step == Step.CHARGE)


def uses_of_step(connection: Connection, step: Step) -> list[r.TapUseRow]:
    """Return every use of one step."""
    return rows_where(connection, r.TapUseRow, party.tap_use.c.step == step)


def conflicts(connection: Connection) -> list[r.ConflictRow]:
    """Return every conflict."""
    return rows_where(connection, r.ConflictRow)


def set_aside(connection: Connection) -> list[r.SetAsideRow]:
    """Return the journal entries that were ever set aside."""
    return rows_where(connection, r.SetAsideRow)


def journal_heads(connection: Connection) -> dict[tuple[str, str], r.JournalHeadRow]:
    """Return how far each edge's journal is known, by edge and epoch."""
    return {(row.edge, row.epoch): row for row in rows_where(connection, r.JournalHeadRow)}


def documents_now(connection: Connection) -> list[r.TokenDocumentRow]:
    """Return the document last published of every token."""
    return rows_where(connection, r.TokenDocumentRow)


def published_documents(
    connection: Connection, token_ids: Collection[str]
) -> dict[tuple[str, int], tuple[TokenDocument, datetime]]:
    """Return every document ever published of these tokens, by token and version, and when."""
    entry = house.feed_entry.c
    found: dict[tuple[str, int], tuple[TokenDocument, datetime]] = {}
    for chunk in chunks(token_ids):
        statement = select(entry.body, entry.at).where(entry.kind == "token", entry.token_id.in_(chunk))
        for body, at in connection.execute(statement):
            document = msgspec.json.decode(body, type=TokenDocument)
            found[document.token_id, document.version] = document, at
    return found


def resorts_by_position(connection: Connection) -> list[tuple[int, Resort]]:
    """Return every version of the resort with the feed position that announced it, in order."""
    entry = house.feed_entry.c
    versions = {row.version: row.body for row in rows_where(connection, r.ResortVersionRow)}
    statement = select(entry.position, entry.body).where(entry.kind == "resort").order_by(entry.position)
    announced = [
        (position, msgspec.json.decode(body)["version"]) for position, body in connection.execute(statement)
    ]
    return [(position, versions[version]) for position, version in announced if position is not None]


def feed_gaps(connection: Connection) -> tuple[int, int]:
    """Return (highest position, how many positions are given); equal when the feed is dense."""
    position = house.feed_entry.c.position
    highest, given = connection.execute(
        select(func.coalesce(func.max(position), 0), func.count(position))
    ).one()
    return int(highest), int(given)


def _count(connection: Connection, table: FromClause) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
