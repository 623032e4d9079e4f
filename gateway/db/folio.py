"""The lines of a folio: every posting on it, with the transfer it is part of."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.db.tables import money


@dataclass(frozen=True, slots=True)
class FolioLine:
    """One posting on a folio; what the guest owes more is above zero."""

    at: datetime
    kind: str
    description: str
    outlet: str | None
    tender: str | None
    guest_id: str | None
    amount_minor: int
    transfer_id: str
    tap_id: str | None


def lines(connection: Connection, account_id: str) -> list[FolioLine]:
    """Return the lines of an account in order of time."""
    transfer, posting = money.transfer.c, money.posting.c
    statement = (
        select(
            transfer.at,
            transfer.kind,
            transfer.description,
            transfer.outlet,
            transfer.tender,
            transfer.guest_id,
            posting.amount_minor,
            transfer.id,
            transfer.tap_id,
        )
        .join(money.transfer, transfer.id == posting.transfer_id)
        .where(posting.account_id == account_id)
        .order_by(transfer.at, transfer.id, posting.number)
    )
    return [FolioLine(*record) for record in connection.execute(statement)]
