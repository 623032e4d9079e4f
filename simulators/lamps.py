"""What the lamps showed: the edges' lamp logs, followed while they are written."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

_POLL_S = 0.01


class Light(msgspec.Struct, frozen=True):
    """One light shown to a guest, as the edge logs it after its journal's commit."""

    tap_id: str
    edge: str
    touchpoint: str
    reader: str
    light: str
    decision: str
    reason: str | None
    shown_at: str


class LampLogFault(Exception):
    """A lamp log holds a line that is no light; the sentence says where."""


@dataclass
class _Log:
    path: Path
    offset: int = 0


class Lamps:
    """All lamps of a simulation, in the order in which their lights were seen here."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        """Args: `logs` gives each edge's lamp log, which need not exist yet."""
        self._logs = {edge: _Log(path) for edge, path in logs.items()}
        self._seen: list[Light] = []

    def mark(self) -> int:
        """Return how many lights there were up to now; `wait` counts from such a mark."""
        self._read()
        return len(self._seen)

    def wait(
        self, touchpoint: str, after: int, timeout_s: float, in_vain: Callable[[], bool] = lambda: False
    ) -> Light | None:
        """Return the first light of `touchpoint` after the mark, None when none came in time.

        Args:
            in_vain: tells that no light can come any more; looked at after each look at the logs.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._read()
            for light in self._seen[after:]:
                if light.touchpoint == touchpoint:
                    return light
            if time.monotonic() >= deadline or in_vain():
                return None
            time.sleep(_POLL_S)

    def wait_final(self, tap_id: str, timeout_s: float) -> Light | None:
        """Return the light of the final verdict on a tap that was asked something, None when none came in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._read()
            for light in reversed(self._seen):
                if light.tap_id == tap_id and light.decision != "asks":
                    return light
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_S)

    def all(self) -> list[Light]:
        """Return every light."""
        self._read()
        return list(self._seen)

    def _read(self) -> None:
        for log in self._logs.values():
            self._seen.extend(_new_lights(log))


def _new_lights(log: _Log) -> Iterable[Light]:
    try:
        with log.path.open("rb") as file:
            file.seek(log.offset)
            data = file.read()
    except FileNotFoundError:
        return
    whole = data[: data.rfind(b"\n") + 1]
    # A line without its end is being written, or was when its edge was killed: it is read once it ends.
    log.offset += len(whole)
    for line in whole.splitlines():
        try:
            yield msgspec.json.decode(line, type=Light)
        except msgspec.DecodeError as error:
            raise LampLogFault(f"{log.path} holds a line that is no light ({error}): {line[:80]!r}") from None
