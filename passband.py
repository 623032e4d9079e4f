"""The one command line. It only hands a word over to the package that answers it.

A package is imported when its word is used: `passband edge` starts without the libraries of the gateway.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple


class Word(NamedTuple):
    """Where a word of the command line leads, and the sentence that tells what it does."""

    module: str
    function: str
    sentence: str


WORDS = {
    "demo": Word("simulators.cli", "demo", "Play a resort day with real processes on this machine."),
    "gateway": Word("gateway.cli", "main", "Run and look after the central ledger."),
    "edge": Word("readers.cli", "main", "Run the readers of one venue."),
    "simulate": Word("simulators.cli", "simulate", "Run emulated chips, guests and faults."),
    "verify": Word("simulators.cli", "verify", "Check the promises on database, journals and lamp logs."),
    "bench": Word("benchmarks.cli", "main", "Measure what this machine can do."),
}
CLOSED_PIPE = 128 + 13
"""128 and the number of SIGPIPE."""


def usage() -> str:
    """Return the help text: every word with its sentence."""
    lines = [f"  {name:<10}{word.sentence}" for name, word in WORDS.items()]
    return "\n".join(
        ["usage: passband WORD [OPTIONS]", "", *lines, "", "`passband WORD --help` tells its options."]
    )


def main(argv: list[str]) -> int:
    """Hand the rest of the words over and return the exit status: 0 success, 2 a word that does not exist."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    word = WORDS.get(argv[0])
    if word is None:
        print(f"passband: there is no word {argv[0]!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    # httpx has a command line of its own, for which it loads click, rich and pygments where they are installed: half
    # of its time, in every process of the demo. None tells an import that the module is not there.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # typeshed leaves the None out
    answer: Callable[[list[str]], int] = getattr(import_module(word.module), word.function)
    return answer(argv[1:])


def run(argv: list[str]) -> int:
    """Do as `main` does; 141, as a shell has it of a program ended by SIGPIPE, when who reads the output has enough."""
    try:
        try:
            return main(argv)
        finally:
            # Here and not by the interpreter, which could only print a traceback about it.
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer has to go somewhere when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
