"""Holding keys still: advisory locks on PostgreSQL; on SQLite the one writer holds everything already."""

import hashlib
from collections.abc import Collection

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, text

NUMBERER = "numberer"
MIGRATION = "migration"

# A list that comes sorted is taken in its order, so that two batches never wait for each other in a circle.
_TAKE = text("SELECT pg_advisory_xact_lock(k) FROM unnest(:keys) AS k").bindparams(
    bindparam("keys", type_=ARRAY(BigInteger()))
)
_SHARE = text("SELECT pg_advisory_xact_lock_shared(:key)").bindparams(bindparam("key", type_=BigInteger()))


def number_of(name: str) -> int:
    """Return the 64-bit number that stands for `name` among the database's advisory locks."""
    return int.from_bytes(hashlib.sha256(f"passband:{name}".encode()).digest()[:8], "big", signed=True)


def hold(connection: Connection, names: Collection[str]) -> None:
    """Hold all `names` until the transaction ends, in one order that all processes share."""
    if connection.dialect.name == "postgresql" and names:
        connection.execute(_TAKE, {"keys": sorted(number_of(name) for name in names)})


def hold_shared(connection: Connection, name: str) -> None:
    """Hold `name` together with others who share it, until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_SHARE, {"key": number_of(name)})
