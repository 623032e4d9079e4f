"""Questions about bands and cards that are being written."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from gateway.db.load import rows_where
from gateway.db.rows import EncodingRow, EncodingState
from gateway.db.tables import party

_ENCODING = party.encoding.c


def encoding_named(connection: Connection, encoding_id: str) -> EncodingRow | None:
    """Return the encoding."""
    found = rows_where(connection, EncodingRow, _ENCODING.id == encoding_id)
    return found[0] if found else None


def waiting_at(connection: Connection, encoders: Collection[str], since: datetime) -> list[EncodingRow]:
    """Return what these encoders have to write, asked for since then, first come first."""
    states = (EncodingState.WAITING, EncodingState.ISSUED)
    found = rows_where(
        connection,
        EncodingRow,
        _ENCODING.encoder.in_(encoders),
        _ENCODING.state.in_(states),
        _ENCODING.asked_at >= since,
    )
    return sorted(found, key=lambda job: (job.asked_at, job.id))
