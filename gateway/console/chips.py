"""The words about chips: a supplier's batch, and what became of it."""

from pathlib import Path
from typing import Any

from gateway.bootstrap import running
from gateway.command import Channel
from gateway.console.saying import ACTOR, say, settings_for_console
from gateway.db import chips
from gateway.errors import Rejection
from gateway.services.stock import ImportChips
from gateway.stock_csv import StockFault, StockFaults, read_manifest

_FILE_BYTES_MAX = 32 << 20
_NAME_MAX = 64


def import_batch(file: Path, batch: str, *, as_json: bool) -> int:
    """Take a supplier's manifest into stock, or tell each of its faults with its line.

    Raises:
        OSError: the file can't be read.
        Rejection: the batch was imported before with other chips in it.
    """
    name = batch or file.stem
    if not name.isprintable() or not 0 < len(name) <= _NAME_MAX:
        raise Rejection("batch_name", 422, f"A batch's name has at most {_NAME_MAX} letters; give --batch.")
    try:
        manifest = read_manifest(_text(file))
    except StockFaults as found:
        return _faults(file, found.faults, as_json=as_json)
    with running(settings_for_console()) as gateway:
        try:
            wish = ImportChips(name, manifest.chips)
            answer = gateway.do("chip.import", wish, actor=ACTOR, channel=Channel.OPERATIONS)
        except Rejection as refused:
            if refused.code != "chips_known":
                raise
            known = [
                StockFault(
                    manifest.lines[uid], f"chip {uid}, or what is printed on it, is known here already"
                )
                for uid in refused.detail["chips"]
            ]
            return _faults(file, known, as_json=as_json)
    done = "are in stock" if answer["imported"] else "were imported before"
    say(answer, f"{answer['chips']} chips of batch {name} {done}.", as_json=as_json)
    return 0


def list_chips(batch: str, state: str, *, as_json: bool) -> int:
    """List chips, those of a batch or in a state alone if it is named."""
    with running(settings_for_console()) as gateway, gateway.database.read() as connection:
        rows = chips.listed(connection, batch, state)
    told = [
        {
            "uid": row.uid,
            "printed_id": row.printed_id,
            "batch": row.batch,
            "kind": row.kind,
            "state": row.state,
            "key_epoch": row.key_epoch,
        }
        for row in rows
    ]
    lines = [
        f"{row.uid}  {row.printed_id or '-':<20} {row.kind:<8} {row.state.value:<8} "
        f"epoch {row.key_epoch}  {row.batch or '-'}"
        for row in rows
    ]
    say({"chips": told}, "\n".join(lines) or "No chips.", as_json=as_json)
    return 0


def status(*, as_json: bool) -> int:
    """Tell per batch and kind how many chips are in stock, linked and written."""
    with running(settings_for_console()) as gateway, gateway.database.read() as connection:
        counted = chips.tally(connection)
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for batch, kind, state, count in counted:
        line = told.setdefault(
            (batch, kind), {"batch": batch, "kind": kind, "stock": 0, "linked": 0, "written": 0}
        )
        line[state] = count
    lines = [
        f"{each['batch'] or '(no batch)'}  {each['kind'] or '-'}: {each['stock']} in stock, {each['linked']} linked, "
        f"{each['written']} written"
        for each in told.values()
    ]
    say({"batches": list(told.values())}, "\n".join(lines) or "No chips.", as_json=as_json)
    return 0


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _FILE_BYTES_MAX:
            raise OSError(f"{file} is larger than a batch can be")
        # As it is: a carriage return within quotes is the record's, and CSV ends its lines in its own ways.
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise OSError(f"{file} is not UTF-8 text") from None
    except OSError as error:
        raise OSError(f"{file} can't be read ({error.strerror})" if error.strerror else str(error)) from None


def _faults(file: Path, faults: list[StockFault], *, as_json: bool) -> int:
    lines = "\n".join(f"{file}:{each.line}: {each.sentence}" for each in faults)
    say({"faults": faults}, lines, as_json=as_json)
    return 1
