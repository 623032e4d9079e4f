"""`passband demo` and `passband simulate`."""

import argparse
import sys
from pathlib import Path

from simulators.field.service import run_field
from simulators.field.settings import FieldFault


def main(argv: list[str]) -> int:
    """Answer `demo …` or `simulate …` and return the exit status."""
    if argv[:1] == ["simulate"]:
        return simulate(argv[1:])
    print("usage: passband demo|simulate …", file=sys.stderr)
    return 2


def simulate(argv: list[str]) -> int:
    """Answer `passband simulate WORDS` and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="passband simulate", description="Run emulated chips, guests and faults."
    )
    words = parser.add_subparsers(dest="word", required=True)
    field = words.add_parser("field", help="hold emulated chips and codes to readers; cut and heal networks")
    field.add_argument("--settings", type=Path, required=True, help="the field's TOML file")
    given = parser.parse_args(argv)
    try:
        return run_field(given.settings)
    except FieldFault as fault:
        print(f"passband: {fault}", file=sys.stderr)
        return 1
