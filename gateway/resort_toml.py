"""The resort's TOML: read with every mistake named by its line and what to do about it, and written back."""

import difflib
import tomllib
from datetime import time
from enum import EnumMeta, StrEnum
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from gateway.resort_rules import faults_of
from gateway.toml_lines import Lines, Path, parse
from wallet.money import format_amount, parse_amount
from wallet.resort import Resort

_HEAD = ("code", "name", "zone", "currency", "day_starts")
"""The fields of the resort itself, in the table [resort]; everything else is a table of its own."""

_MINOR = "_minor"


class Fault(Struct, frozen=True):
    """One mistake in a resort's file."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


class ResortFaults(Exception):
    """The file is no resort; `faults` are all the mistakes found, in order of their lines."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults), key=lambda fault: (fault.line, fault.sentence))
        super().__init__("\n".join(map(str, self.faults)))


def read_resort(text: str) -> Resort:
    """Return the resort written in a TOML text, as version 1; loading it gives it its real version.

    Amounts are decimal text in the resort's currency ("12.50"), without the `_minor` of the field they become.

    Raises:
        ResortFaults: every mistake with its line.
    """
    try:
        content, lines = parse(text)
    except tomllib.TOMLDecodeError as error:
        line = text.count("\n", 0, getattr(error, "pos", 0)) + 1
        raise ResortFaults([Fault(_line_in(str(error)) or line, f"This is not TOML: {error}.")]) from None
    except RecursionError:
        raise ResortFaults([Fault(1, "Lists or tables are nested deeper than any resort needs.")]) from None
    reader = _Reader(lines, _currency(content))
    resort = Resort(**reader.resort(content))
    # The rules look at what could be read too, so that one reading shows every mistake; what stands in for something
    # unreadable is not held against anyone.
    for path, sentence in faults_of(resort):
        # What belongs at a touchpoint follows from its kind, so without a kind nothing can be said of it.
        if not reader.broken & {path, (*path[:-1], "kind")}:
            reader.fault(path, sentence)
    if reader.faults:
        raise ResortFaults(reader.faults)
    return resort


def write_resort(resort: Resort) -> str:
    """Return the resort as TOML; reading it gives the same resort."""
    parts = [_table("[resort]", {name: getattr(resort, name) for name in _HEAD}, resort.currency)]
    for info in fields(Resort):
        if info.name in _HEAD or info.name == "version":
            continue
        value = getattr(resort, info.name)
        if isinstance(value, Struct):
            parts.append(_table(f"[{info.name}]", _told(value), resort.currency))
            continue
        for each in value:
            nested = {name: inner for name, inner in _told(each).items() if name == "items"}
            plain = {name: inner for name, inner in _told(each).items() if name not in nested}
            parts.append(_table(f"[[{info.name}]]", plain, resort.currency))
            for name, inner in nested.items():
                parts += [_table(f"[[{info.name}.{name}]]", _told(one), resort.currency) for one in inner]
    return "\n".join(parts)


class _Reader:
    """Turns tables into structs and collects what is wrong with them."""

    def __init__(self, lines: Lines, currency: str) -> None:
        self._lines = lines
        self._currency = currency
        self.faults: list[Fault] = []
        self.broken: set[Path] = set()

    def resort(self, content: dict[str, Any]) -> dict[str, Any]:
        infos = {info.name: info for info in fields(Resort)}
        tables = [name for name in infos if name not in _HEAD and name != "version"]
        self._unknown(content, ["resort", *tables], ())
        head = content.get("resort")
        if not isinstance(head, dict):
            self.fault((), "The table [resort] is missing. It needs code, name, zone and currency.")
            head = {}
        values = self._fields([infos[name] for name in _HEAD], head, ("resort",))
        for name in tables:
            if name in content:
                values[name] = self._value(infos[name].type, content[name], (name,), name)
        return values

    def fault(self, path: Path, sentence: str) -> None:
        self.faults.append(Fault(self._lines.of(path), sentence))

    def _broken(self, path: Path, kind: Any, sentence: str) -> Any:
        """Note a fault and return what stands in for the value, so that the rest can still be looked at."""
        self.fault(path, sentence)
        return self._stand_in(path, kind)

    def _stand_in(self, path: Path, kind: Any) -> Any:
        self.broken.add(path)
        if get_origin(kind) is tuple:
            return ()
        if issubclass(kind, Struct):
            return kind(
                **{
                    info.name: self._stand_in((*path, _outside(info.name)), info.type)
                    for info in fields(kind)
                }
            )
        return next(iter(kind)) if isinstance(kind, EnumMeta) else kind()

    def _struct(self, kind: type[Struct], table: Any, path: Path) -> Any:
        if not isinstance(table, dict):
            return self._broken(path, kind, f"{_last(path)} must be a table.")
        return kind(**self._fields(fields(kind), table, path))

    def _fields(self, infos: Any, table: dict[str, Any], path: Path) -> dict[str, Any]:
        names = {_outside(info.name): info for info in infos}
        self._unknown(table, list(names), path)
        values: dict[str, Any] = {}
        for name, info in names.items():
            if name in table:
                values[info.name] = self._value(info.type, table[name], (*path, name), info.name)
            elif _is_required(info):
                self.fault(path, f"{_last(path)} lacks `{name}`. Add it.")
                values[info.name] = self._stand_in((*path, name), info.type)
        return values

    def _value(self, kind: Any, value: Any, path: Path, field: str) -> Any:
        if get_origin(kind) is tuple:
            return self._list(get_args(kind)[0], value, path, field)
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self._struct(kind, value, path)
        if field.endswith(_MINOR):
            return self._amount(value, path)
        if isinstance(kind, EnumMeta):
            return self._word(kind, value, path)
        if not _fits(kind, value):
            return self._broken(path, kind, f"`{path[-1]}` must be {_called(kind)}, not {_shown(value)}.")
        return value

    def _list(self, kind: Any, value: Any, path: Path, field: str) -> Any:
        if not isinstance(value, list):
            self.broken.add(path)
            self.fault(path, f"`{path[-1]}` must be a list, not {_shown(value)}.")
            return ()
        return tuple(self._value(kind, each, (*path, number), field) for number, each in enumerate(value))

    def _amount(self, value: Any, path: Path) -> Any:
        if not isinstance(value, str):
            example = format_amount(1250, self._currency).partition(" ")[0]
            wanted = f'an amount in quotes like "{example}"'
            return self._broken(path, int, f"`{path[-1]}` must be {wanted}, not {_shown(value)}.")
        try:
            amount = parse_amount(value, self._currency)
        except ValueError as error:
            return self._broken(path, int, f"`{path[-1]}`: {error}.")
        if amount < 0:
            return self._broken(path, int, f"`{path[-1]}` is {value}. An amount here is zero or more.")
        return amount

    def _word(self, kind: Any, value: Any, path: Path) -> Any:
        words = [member.value for member in kind]
        if value in words:
            return kind(value)
        known = f"{_meant(str(value), words)} Known: {', '.join(words)}."
        return self._broken(path, kind, f"`{path[-1]}` is {_shown(value)}.{known}")

    def _unknown(self, table: dict[str, Any], names: list[str], path: Path) -> None:
        for name in table:
            if name not in names:
                where = _last(path) if path else "This file"
                self.fault((*path, name), f"{where} knows no `{name}`.{_meant(name, names)}")


def _currency(content: dict[str, Any]) -> str:
    head = content.get("resort")
    found = head.get("currency") if isinstance(head, dict) else None
    return found if isinstance(found, str) else "EUR"


def _outside(field: str) -> str:
    return field.removesuffix(_MINOR)


def _is_required(info: FieldInfo) -> bool:
    return info.default is NODEFAULT and info.default_factory is NODEFAULT


def _fits(kind: Any, value: Any) -> bool:
    # In Python a bool is an int; in a price list it is a mistake.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _called(kind: Any) -> str:
    names = {
        str: 'text in quotes like "park"',
        int: "a whole number",
        bool: "true or false",
        time: "a time like 09:00:00",
    }
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean `{close[0]}`?" if close else ""


def _last(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    numbers = [part for part in path if isinstance(part, int)]
    return f"[[{'.'.join(names)}]] number {numbers[-1] + 1}" if numbers else f"[{'.'.join(names)}]"


def _line_in(message: str) -> int | None:
    _, _, rest = message.partition("line ")
    number = rest.split(",")[0].rstrip(")")
    return int(number) if number.isdigit() else None


def _told(struct: Struct) -> dict[str, Any]:
    """Return the fields worth writing: a default says itself."""
    return {
        info.name: getattr(struct, info.name)
        for info in fields(struct)
        if _is_required(info) or getattr(struct, info.name) != info.default
    }


def _table(header: str, values: dict[str, Any], currency: str) -> str:
    lines = [f"{_outside(name)} = {_literal(name, value, currency)}" for name, value in values.items()]
    return "\n".join([header, *lines, ""])


def _literal(name: str, value: Any, currency: str) -> str:
    if name.endswith(_MINOR):
        return f'"{format_amount(value, currency).rpartition(" ")[0]}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, time):
        return value.isoformat("seconds" if not value.microsecond else "microseconds")
    if isinstance(value, StrEnum | str):
        # JSON's strings are TOML's basic strings, except that TOML wants DEL escaped too.
        return msgspec.json.encode(str(value)).decode().replace("\x7f", "\\u007F")
    if isinstance(value, tuple):
        return f"[{', '.join(_literal('', each, currency) for each in value)}]"
    if isinstance(value, Struct):
        inner = ", ".join(f"{_outside(n)} = {_literal(n, v, currency)}" for n, v in _told(value).items())
        return f"{{ {inner} }}"
    return str(value)
