"""`passband demo`, `passband simulate` and `passband verify`.

What a word needs is imported when it is used: a field that was killed has to be back soon.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.ports import DEFAULT_PORT_BASE, EPHEMERAL_FROM, PORT_BASE_MAX, PORT_SPAN

if TYPE_CHECKING:
    from simulators.demo.program import Story


def demo(argv: list[str]) -> int:
    """Answer `passband demo` and return the exit status: 0 only when no promise is false."""
    parser = argparse.ArgumentParser(
        prog="passband demo",
        description="Play a resort day with real processes on this machine, then keep the pages up.",
    )
    _add_story_options(parser)
    parser.add_argument("--once", action="store_true", help="exit after the story")
    parser.add_argument("--fast", action="store_true", help="don't pause for a reader")
    given = parser.parse_args(argv)
    from simulators.demo.program import run_demo

    return run_demo(_story(given), once=given.once, fast=given.fast)


def simulate(argv: list[str]) -> int:
    """Answer `passband simulate WORD` and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="passband simulate", description="Run emulated chips, guests and faults."
    )
    words = parser.add_subparsers(dest="word", required=True)
    field = words.add_parser("field", help="hold emulated chips and codes to readers; cut and heal networks")
    field.add_argument("--settings", type=Path, required=True, help="the field's TOML file")
    kills = words.add_parser("kills", help="play the story while its processes are killed, then verify")
    _add_story_options(kills)
    inspect = words.add_parser("inspect", help="print what an emulated chip holds")
    inspect.add_argument("file", type=Path, help="a chip's file, in the field's directory under chips/")
    air = words.add_parser("air", help="print the bytes between a reader and the chip last held to it")
    air.add_argument("reader", help="the reader's name")
    air.add_argument("--settings", type=Path, required=True, help="the running field's TOML file")
    given = parser.parse_args(argv)
    if given.word == "field":
        return _field(given.settings)
    if given.word == "air":
        return _air(given.settings, given.reader)
    if given.word == "inspect":
        from simulators.chips.inspect import print_chip

        return print_chip(given.file)
    from simulators.demo.program import run_kills

    return run_kills(_story(given))


def verify(argv: list[str]) -> int:
    """Answer `passband verify` and return the exit status: 0 only when no promise is false."""
    parser = argparse.ArgumentParser(
        prog="passband verify", description="Check the promises on database, journals and lamp logs."
    )
    parser.add_argument("--dir", type=Path, help="a demo's directory, as given to `passband demo --dir`")
    parser.add_argument(
        "--database-url",
        default="",
        help="the gateway's database (default: as the gateway has it, by PASSBAND_DATABASE_URL or PASSBAND_DIRECTORY)",
    )
    parser.add_argument(
        "--edge", type=Path, action="append", default=[], help="an edge's settings file; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    given = parser.parse_args(argv)
    from simulators.demo.program import run_verify

    return run_verify(given.dir, given.database_url, given.edge, as_json=given.json)


def _add_story_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, help="keep database, journals and lamp logs in this directory")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object, last line")
    parser.add_argument("--postgres", action="store_true", help="play it on a PostgreSQL of its own")
    parser.add_argument(
        "--port-base",
        type=_port_base,
        help=f"first of {PORT_SPAN} ports, best below {EPHEMERAL_FROM - PORT_SPAN + 1}: from {EPHEMERAL_FROM} on Linux "
        f"gives ports to connections by itself (default {DEFAULT_PORT_BASE})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="names, chips, PINs and command ids; keys, and codes made with them, are new each time (default 1)",
    )


def _port_base(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= PORT_BASE_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no port from 1 to {PORT_BASE_MAX}")
    return int(text)


def _story(given: argparse.Namespace) -> "Story":
    from simulators.demo.program import Story

    return Story(given.dir, given.port_base, given.seed, postgres=given.postgres, as_json=given.json)


def _field(settings: Path) -> int:
    from simulators.field.service import run_field
    from simulators.field.settings import FieldFault

    try:
        return run_field(settings)
    except FieldFault as fault:
        print(f"passband: {fault}", file=sys.stderr)
        return 1


def _air(settings: Path, reader: str) -> int:
    from simulators.field.listening import heard
    from simulators.field.settings import FieldFault

    try:
        lines = heard(settings, reader)
    except FieldFault as fault:
        print(f"passband: {fault}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0
