"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Integer, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_TEXT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

Serial = BigInteger().with_variant(Integer, "sqlite")
"""A number the database counts up; SQLite counts only a plain INTEGER."""


Bytewise = String().with_variant(String(collation="C"), "postgresql")
"""Text compared byte by byte, so that an index finds a beginning; SQLite compares no other way."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant: TIMESTAMPTZ on PostgreSQL; on SQLite text of fixed width, in the order of time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database itself knows."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what is stored; a naive instant is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant is stored in UTC; give the datetime a time zone")
        value = value.astimezone(UTC)
        return value.strftime(_TEXT_FORMAT) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the aware instant."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.strptime(value, _TEXT_FORMAT).replace(tzinfo=UTC)
        stored: datetime = value
        return stored.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A member of a StrEnum, stored as its value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the value; a word that is not of the enumeration is refused."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        """Return the member."""
        return None if value is None else self.words(value)


class Packed(TypeDecorator[Any]):
    """A msgspec type stored as JSON text; equal values give equal text."""

    impl = Text
    cache_ok = False  # the decoder below is not hashable; statements with it are cached by column anyway

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self._decoder = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the JSON text."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the value."""
        return None if value is None else self._decoder.decode(value)
