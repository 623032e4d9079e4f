"""A supplier's manifest as CSV: what is in it, or what is wrong with which line. Pure."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.services.stock import StockChip, printed_id_of

COLUMNS = ("uid", "printed_id", "kind")
KINDS = ("ntag213", "ntag215", "ntag216", "ntag424")
"""The chips that bands are made of, in an encoder's words."""

LINES_MAX = 20_000
"""One transaction takes a batch, in some ten seconds at this size; a larger delivery comes in parts."""

_FAULTS_MAX = 50
_FIELD_MAX = 200
_UID = re.compile(r"[0-9a-f]{14}")
_SHOWN_MAX = 40


@dataclass(frozen=True)
class StockFault:
    """One thing wrong: the line (from 1, the header's) and a sentence."""

    line: int
    sentence: str


class StockFaults(ValueError):
    """The manifest cannot be taken; `faults` says why, at most fifty of them."""

    def __init__(self, faults: list[StockFault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True)
class Manifest:
    """The chips of a batch, and the line of each."""

    chips: tuple[StockChip, ...]
    lines: dict[str, int]


def read_manifest(text: str) -> Manifest:
    """Return the chips of a manifest with the columns uid, printed_id and kind, in any order.

    Raises:
        StockFaults: any line is wrong; nothing of it is taken then.
    """
    faults: list[StockFault] = []
    chips: list[StockChip] = []
    lines: dict[str, int] = {}
    printed: dict[str, int] = {}
    try:
        for line, fields in _records(text):
            if len(faults) >= _FAULTS_MAX:
                break
            found = _chip(line, fields, faults)
            if found is None:
                continue
            for name, value, seen in (("UID", found.uid, lines), ("printed id", found.printed_id, printed)):
                if value and value in seen:
                    faults.append(StockFault(line, f"the {name} {value} stands in line {seen[value]} too"))
                elif value:
                    seen[value] = line
            chips.append(found)
    except StockFaults as found:
        faults += found.faults
    if not chips and not faults:
        faults.append(StockFault(1, "no chip is in it"))
    if faults:
        raise StockFaults(faults)
    return Manifest(tuple(chips), lines)


def _records(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each record by its columns, with the line it begins in."""
    if "\0" in text:
        raise _whole(text.count("\n", 0, text.index("\0")) + 1, "a NUL is no text")
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for record in reader:
            if line > LINES_MAX:
                raise _whole(line, f"a batch has at most {LINES_MAX} lines; import it in parts")
            if not header:
                header = _header(record)
            elif record and len(record) != len(header):
                raise _whole(line, f"{len(record)} fields; the first line has {len(header)}")
            elif record:
                yield line, dict(zip(header, record, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _whole(line, f"no CSV: {error}") from None


def _header(record: list[str]) -> list[str]:
    header = [name.strip().lower() for name in record]
    missing = [name for name in COLUMNS if header.count(name) != 1]
    if missing:
        named = ", ".join(COLUMNS)
        raise _whole(1, f"the first line names the columns {named}, each once; not so {', '.join(missing)}")
    return header


def _whole(line: int, sentence: str) -> StockFaults:
    """What makes everything behind it unreadable."""
    return StockFaults([StockFault(line, sentence)])


def _chip(line: int, fields: dict[str, str], faults: list[StockFault]) -> StockChip | None:
    """Return the chip of one record; note what is wrong with it."""
    before = len(faults)
    uid = re.sub(r"[\s:-]", "", fields["uid"]).lower()
    if not _UID.fullmatch(uid):
        faults.append(StockFault(line, f"{_shown(fields['uid'])} is no UID: seven bytes in hex"))
    kind = fields["kind"].strip().lower()
    if kind not in KINDS:
        faults.append(StockFault(line, f"{_shown(fields['kind'])} is no kind of chip: {', '.join(KINDS)}"))
    printed = ""
    try:
        printed = printed_id_of(fields["printed_id"][:_FIELD_MAX])
    except ValueError as fault:
        faults.append(StockFault(line, f"{_shown(fields['printed_id'])} can't be printed on a band: {fault}"))
    return StockChip(uid, printed, kind) if len(faults) == before else None


def _shown(text: str) -> str:
    """Return a field as a console may print it: short, and without what would move its cursor."""
    return repr(text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…")
