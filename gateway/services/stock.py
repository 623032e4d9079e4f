"""A supplier's batch of chips: which UIDs came, and what is printed on each."""

import re
from collections.abc import Iterable

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import ChipRow, ChipState
from gateway.errors import Rejection
from gateway.working_set import WorkingSet

_PRINTED = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}")


class StockChip(Struct, frozen=True):
    """One chip as delivered: UID in lower-case hex, what is printed on it, its kind in an encoder's words."""

    uid: str
    printed_id: str
    kind: str


class ImportChips(Struct, frozen=True):
    """Take a batch into stock."""

    batch: str
    chips: tuple[StockChip, ...]


class ChipImport(Service[ImportChips]):
    """Takes a whole batch or nothing. The same batch again changes nothing; another one of its name is refused."""

    name = "chip.import"
    alone = True

    def keys(self, body: ImportChips) -> frozenset[Key]:
        """The batch, and every batch in which one of these chips is known already."""
        known = {Key(KeyKind.KNOWN_UID, chip.uid) for chip in body.chips}
        printed = {Key(KeyKind.KNOWN_PRINTED, chip.printed_id) for chip in body.chips if chip.printed_id}
        return frozenset({Key(KeyKind.BATCH, body.batch), *known, *printed})

    def decide(self, state: WorkingSet, command: Command[ImportChips]) -> Outcome:
        """Put the chips."""
        body, at = command.body, command.envelope.at
        answer = {"batch": body.batch, "chips": len(body.chips)}
        before = state.find(ChipRow, batch=body.batch)
        if before:
            same = _named((row.uid, row.printed_id) for row in before)
            if same != _named((chip.uid, chip.printed_id) for chip in body.chips):
                raise Rejection(
                    "batch_differs",
                    409,
                    f"Batch {body.batch!r} was imported before, with other chips in it. Give this one another name.",
                )
            return Outcome(answer | {"imported": 0})
        clashes = [
            chip.uid
            for chip in body.chips
            if state.get(ChipRow, chip.uid)
            or (chip.printed_id and state.find(ChipRow, printed_id=chip.printed_id))
        ]
        if clashes:
            sentence = f"{len(clashes)} of these chips, or what is printed on them, are known here already."
            raise Rejection("chips_known", 409, sentence, {"chips": clashes})
        rows = tuple(
            ChipRow(chip.uid, chip.printed_id, body.batch, chip.kind, ChipState.STOCK, at)
            for chip in body.chips
        )
        return Outcome(answer | {"imported": len(rows)}, rows, (Event("chip.imported", answer),))


def printed_id_of(written: str) -> str:
    """Return what is printed on a chip as it is kept: capitals, no blanks. People type it in many ways.

    Raises:
        ValueError: not three to 32 letters, digits and dashes.
    """
    kept = "".join(written.split()).upper()
    if not _PRINTED.fullmatch(kept):
        raise ValueError("three to 32 letters, digits and dashes")
    return kept


def _named(chips: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset(chips)
