"""Tells the story on the terminal: what the guest sees, and what the ledger wrote."""

import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO

WIDTH = 98
_GREEN, _BLUE, _DIM, _BOLD, _PLAIN = "\x1b[32m", "\x1b[34m", "\x1b[2m", "\x1b[1m", "\x1b[0m"


class Narrator:
    """Plain lines, coloured where the terminal shows colours; a light is a sign and a word, never colour alone."""

    def __init__(self, *, pause_s: float, out: TextIO | None = None) -> None:
        """Args: `pause_s` is the time to read a line."""
        self._out = out or sys.stdout
        self._pause_s = pause_s
        self._colour = self._out.isatty()
        self._chapter = 0

    def chapter(self, title: str, at: datetime) -> None:
        """Begin a chapter; `at` is resort time."""
        self._chapter += 1
        head = f"── {self._chapter} · {title} "
        when = f" {at:%a} {at.day} {at:%b %Y, %H:%M}"
        self._line(f"\n{self._tint(_BOLD, head)}{'─' * max(2, WIDTH - len(head) - len(when))}{when}")

    def say(self, sentence: str) -> None:
        """Tell what happens."""
        self._line(f"  {sentence}")

    def light(self, place: str, who: str, *, green: bool, words: str) -> None:
        """Tell which light a guest sees, and the words beside it."""
        sign = self._tint(_GREEN, "✓ green") if green else self._tint(_BLUE, "… blue ")
        self._line(f"    {sign}  {place:<28}{who:<18}{words}")

    def ledger(self, sentence: str) -> None:
        """Tell what the ledger wrote."""
        self._line(self._tint(_DIM, f"    ledger   {sentence}"))

    def figures(self, title: str, figures: Mapping[str, object]) -> None:
        """Tell results, one a line."""
        self._line(f"\n{self._tint(_BOLD, title)}")
        for name, value in figures.items():
            self._line(f"  {name:<72}{value}")

    def _tint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour else text

    def _line(self, text: str) -> None:
        print(text, file=self._out, flush=True)
        if self._pause_s:
            time.sleep(self._pause_s)
