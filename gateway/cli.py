"""`passband gateway`: reads the command line and hands over to gateway/console, which is imported when it is used."""

import argparse
import sys
from pathlib import Path
from typing import Any


def main(argv: list[str]) -> int:
    """Run one word of `passband gateway` and return the exit status: 0 only on success, 2 for a wrong line."""
    try:
        given = parser().parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    from gateway.db.engine import DATABASE_FAULTS, said_by
    from gateway.errors import Rejection
    from gateway.resort_toml import ResortFaults
    from gateway.settings import SettingsFault
    from gateway.vault import VaultFault

    try:
        return _answer(given)
    except BrokenPipeError:
        raise  # who reads the output has enough: no fault, and passband.py ends it quietly
    except (SettingsFault, VaultFault, ResortFaults, OSError) as fault:
        print(f"passband gateway: {fault}", file=sys.stderr)
        return 1
    except DATABASE_FAULTS as fault:
        print(f"passband gateway: the database cannot be used: {said_by(fault)}", file=sys.stderr)
        return 1
    except Rejection as rejection:
        print(f"passband gateway: {rejection.sentence}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line: every word with its options and sentences."""
    whole = argparse.ArgumentParser(
        prog="passband gateway", description="Run and look after the central ledger.", allow_abbrev=False
    )
    words = _words(whole)
    _word(words, "run", "Run the gateway until it is told to end.")
    _word(words, "migrate", "Bring the database's tables to this version. `run` does it too.")
    load = _word(words, "load", "Load the resort from a TOML file, after checking all of it.", as_json=True)
    load.add_argument("file", type=Path, metavar="FILE", help="The resort's TOML file.")
    _word(words, "export-resort", "Print the current resort as TOML.")
    forget = _word(
        words,
        "forget",
        "Erase who a guest is. What was counted and paid stays, under a pseudonym.",
        as_json=True,
    )
    export = _word(words, "export", "Print everything held of a guest, as JSON.")
    for word in (forget, export):
        word.add_argument("guest", metavar="GUEST", help="The guest's id.")
    staff = _words(_word(words, "staff", "Members of staff."))
    hired = _word(
        staff,
        "add",
        "Let someone sign in, or give a new password and roles. The password is read from standard input.",
        as_json=True,
    )
    hired.add_argument("name", metavar="NAME", help="The name to sign in with.")
    hired.add_argument(
        "--role",
        type=_staff_role,
        action="append",
        required=True,
        help="desk, operations or photographer; may be given several times.",
    )
    left = _word(
        staff, "close", "Let someone sign in no longer, and end every session of theirs.", as_json=True
    )
    left.add_argument("name", metavar="NAME", help="The name they signed in with.")
    edges = _words(_word(words, "edge", "Edges of the venues."))
    edge = _word(
        edges, "add", "Announce an edge and print the one-time code that it enrols with.", as_json=True
    )
    edge.add_argument("edge_id", metavar="ID", help="The edge's id.")
    edge.add_argument("--venue", required=True, help="The venue whose readers it runs.")
    _key_words(_words(_word(words, "keys", "Keys of the issuer and of the chips.")))
    _chip_words(_words(_word(words, "chips", "Chips from suppliers.")))
    return whole


def _key_words(keys: Any) -> None:
    _word(keys, "list", "List the keys that sign credentials.", as_json=True)
    rotate = _word(
        keys, "rotate", "Begin a new epoch of keys. What was made in older ones stays good.", as_json=True
    )
    retire = _word(
        keys, "retire", "Take an old epoch of keys out of use: edges let nothing of it through.", as_json=True
    )
    for word in (rotate, retire):
        family = word.add_mutually_exclusive_group(required=True)
        family.add_argument(
            "--issuer", dest="family", action="store_const", const="issuer", help="What signs credentials."
        )
        family.add_argument(
            "--chips", dest="family", action="store_const", const="chips", help="What is on the chips."
        )
    retire.add_argument("epoch", metavar="EPOCH", type=int, help="The epoch, as `keys status` tells it.")
    retire.add_argument(
        "--force", action="store_true", help="Even while live media need it; says how many stop."
    )
    _word(keys, "status", "Tell how many live media are in each epoch.", as_json=True)


def _chip_words(chips: Any) -> None:
    took = _word(chips, "import", "Take a supplier's batch into stock: all of it, or nothing.", as_json=True)
    took.add_argument(
        "file", type=Path, metavar="FILE", help="CSV with the columns uid, printed_id and kind."
    )
    took.add_argument("--batch", default="", help="The batch's name; the file's own without it.")
    listed = _word(chips, "list", "List chips.", as_json=True)
    listed.add_argument("--batch", default="", help="Those of this batch alone.")
    listed.add_argument(
        "--state", default="", choices=("stock", "linked", "written"), help="Those in this state alone."
    )
    _word(chips, "status", "Tell per batch how many chips are in stock, linked and written.", as_json=True)


def _answer(given: argparse.Namespace) -> int:
    """Hand the word over. Each branch imports what that word needs and no more."""
    match given.words:
        case "passband gateway run":
            from gateway.console import serving

            return serving.run()
        case "passband gateway staff add":
            from gateway.console import people

            return people.add_staff(given.name, given.role, as_json=given.as_json)
        case "passband gateway staff close":
            from gateway.console import people

            return people.close_staff(given.name, as_json=given.as_json)
        case "passband gateway forget":
            from gateway.console import people

            return people.forget(given.guest, as_json=given.as_json)
        case "passband gateway export":
            from gateway.console import people

            return people.export(given.guest)
        case "passband gateway edge add":
            from gateway.console import house

            return house.add_edge(given.edge_id, given.venue, as_json=given.as_json)
        case "passband gateway chips import":
            from gateway.console import chips

            return chips.import_batch(given.file, given.batch, as_json=given.as_json)
        case "passband gateway chips list":
            from gateway.console import chips

            return chips.list_chips(given.batch, given.state, as_json=given.as_json)
        case "passband gateway chips status":
            from gateway.console import chips

            return chips.status(as_json=given.as_json)
    if given.words.startswith("passband gateway keys "):
        return _answer_keys(given)
    from gateway.console import resort

    match given.words:
        case "passband gateway migrate":
            return resort.bring_up_to_date()
        case "passband gateway load":
            return resort.load(given.file, as_json=given.as_json)
        case "passband gateway export-resort":
            return resort.export_resort()
    raise AssertionError(f"{given.words} is declared and not answered")


def _answer_keys(given: argparse.Namespace) -> int:
    from gateway.console import keys
    from gateway.services.keys import KeyFamily

    match given.words:
        case "passband gateway keys list":
            return keys.list_keys(as_json=given.as_json)
        case "passband gateway keys rotate":
            return keys.rotate(KeyFamily(given.family), as_json=given.as_json)
        case "passband gateway keys retire":
            family = KeyFamily(given.family)
            return keys.retire(family, given.epoch, force=given.force, as_json=given.as_json)
        case "passband gateway keys status":
            return keys.status(as_json=given.as_json)
    raise AssertionError(f"{given.words} is declared and not answered")


def _words(above: argparse.ArgumentParser) -> Any:
    # argparse keeps the type of what add_subparsers returns to itself.
    return above.add_subparsers(metavar="WORD", required=True)


def _word(words: Any, name: str, sentence: str, *, as_json: bool = False) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = words.add_parser(
        name, help=sentence, description=sentence, allow_abbrev=False
    )
    made.set_defaults(words=made.prog)
    if as_json:
        made.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
    return made


def _staff_role(name: str) -> str:
    from gateway.auth import STAFF_ROLES

    known = sorted(role.value for role in STAFF_ROLES)
    if name not in known:
        raise argparse.ArgumentTypeError(f"{name!r} is no role of staff; give {', '.join(known)}")
    return name
