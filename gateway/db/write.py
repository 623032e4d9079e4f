"""Writing what a batch changed: for each table one set of inserts and one of updates, parents before children."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update
from sqlalchemy.sql import Executable

from gateway.db.rows import CommandRow, FeedEntryRow
from gateway.db.tables import PRIMARY_KEY, TABLE_OF, house, metadata

_ORDER = {table.name: number for number, table in enumerate(metadata.sorted_tables)}


def write_rows(connection: Connection, inserts: Sequence[Any], updates: Sequence[Any]) -> None:
    """Insert and update rows of any kinds; a row that should be new but exists fails the transaction."""
    for kind, rows in _by_table(inserts):
        connection.execute(insert(TABLE_OF[kind]), [values_of(row) for row in rows])
    for kind, rows in _by_table(updates):
        primary = PRIMARY_KEY[kind]
        values = [values_of(row) | {f"at_{name}": getattr(row, name) for name in primary} for row in rows]
        connection.execute(_update(TABLE_OF[kind], primary), values)


def write_commands(connection: Connection, commands: Sequence[CommandRow]) -> None:
    """Store the answers of commands; an id that exists fails the transaction."""
    if commands:
        connection.execute(insert(house.command), [values_of(row) for row in commands])


def write_feed(connection: Connection, entries: Sequence[FeedEntryRow]) -> None:
    """Write feed entries in their order; the numberer gives them positions."""
    if entries:
        connection.execute(insert(house.feed_entry), [values_of(entry) for entry in entries])


def values_of(row: Any) -> dict[str, Any]:
    """Return the row's fields by name."""
    return {name: getattr(row, name) for name in _FIELDS[type(row)]}


def _by_table(rows: Iterable[Any]) -> list[tuple[type[Any], list[Any]]]:
    kinds: dict[type[Any], list[Any]] = {}
    for row in rows:
        kinds.setdefault(type(row), []).append(row)
    for each in kinds.values():
        each.sort(key=lambda row: tuple(str(getattr(row, name)) for name in PRIMARY_KEY[type(row)]))
    return sorted(kinds.items(), key=lambda pair: _ORDER[TABLE_OF[pair[0]].name])


def _update(table: Table, primary: tuple[str, ...]) -> Executable:
    rest = [column.name for column in table.columns if column.name not in primary]
    statement = update(table).values({name: bindparam(name) for name in rest})
    for name in primary:
        statement = statement.where(table.c[name] == bindparam(f"at_{name}"))
    return statement


_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in (*TABLE_OF, FeedEntryRow)}
