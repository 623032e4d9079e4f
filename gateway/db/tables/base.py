"""The metadata all tables share, and the columns that recur."""

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String

from gateway.db.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identifier(name: str, *rest: Any, **options: Any) -> Column[str]:
    """Return a column for an id: a UUID or a name of the resort's TOML."""
    return Column(name, String(64), *rest, **{"nullable": False, **options})


def words(name: str, *rest: Any, **options: Any) -> Column[str]:
    """Return a column for text that is never null."""
    return Column(name, String(), *rest, **{"nullable": False, **options})


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for a UTC instant."""
    return Column(name, UtcDateTime(), nullable=nullable)


def minor(name: str, *rest: Any, **options: Any) -> Column[int]:
    """Return a column for an amount in minor units."""
    return Column(name, BigInteger(), *rest, **{"nullable": False, **options})
