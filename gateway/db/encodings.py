"""Questions about bands and cards that are being written."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from gateway.db.load import rows_where
from gateway.db.rows import EncodingCause, EncodingRow, EncodingState
from gateway.db.tables import party

_ENCODING = party.encoding.c
_OPEN = (EncodingState.WAITING, EncodingState.ISSUED)


def encoding_named(connection: Connection, encoding_id: str) -> EncodingRow | None:
    """Return the encoding."""
    found = rows_where(connection, EncodingRow, _ENCODING.id == encoding_id)
    return found[0] if found else None


def waiting_at(connection: Connection, encoders: Collection[str], since: datetime) -> list[EncodingRow]:
    """Return what these encoders have to write, asked for since then, first come first."""
    found = rows_where(
        connection,
        EncodingRow,
        _ENCODING.encoder.in_(encoders),
        _ENCODING.state.in_(_OPEN),
        # What is for one chip alone is found by that chip, not offered for the next one.
        _ENCODING.cause == EncodingCause.ASKED,
        _ENCODING.asked_at >= since,
    )
    return sorted(found, key=lambda job: (job.asked_at, job.id))


def waiting_for_party(connection: Connection, party_id: str, since: datetime) -> list[EncodingRow]:
    """Return what the desk asked for a party since then and encoders still have to write, first come first."""
    found = rows_where(
        connection,
        EncodingRow,
        _ENCODING.party_id == party_id,
        _ENCODING.state.in_(_OPEN),
        _ENCODING.cause == EncodingCause.ASKED,
        _ENCODING.asked_at >= since,
    )
    return sorted(found, key=lambda job: (job.asked_at, job.id))
