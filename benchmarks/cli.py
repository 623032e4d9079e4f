"""`passband bench NAME`: measure what this machine can do. Each benchmark is a module with its own options."""

import argparse
from importlib import import_module

BENCHMARKS = {"drivers": "benchmarks.drivers", "taps": "benchmarks.taps"}


def main(argv: list[str]) -> int:
    """Run one benchmark with the words that follow its name; return its exit status."""
    parser = argparse.ArgumentParser(prog="passband bench", description="Measure what this machine can do.")
    parser.add_argument("name", choices=sorted(BENCHMARKS), help="what to measure")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="its options; --help lists them")
    given = parser.parse_args(argv)
    status: int = import_module(BENCHMARKS[given.name]).main(given.words)
    return status
