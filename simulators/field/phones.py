"""The phones of a simulation, each with its key in a file of its own, so that they outlive the process."""

import json
import re
import threading
from pathlib import Path

from simulators.field.shelf import ShelfFault
from simulators.files import replace_text
from simulators.phone import SimulatedPhone

_NAME = re.compile(r"[0-9a-f-]{1,64}")
"""A medium's id: what a phone is called here."""


class PhoneShelf:
    """All phones of a simulation. A key never leaves through here; only what it signed does."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._lock = threading.Lock()
        self._phones = {path.stem: self._load(path) for path in sorted(directory.glob("[!.]*.json"))}

    def create(self, name: str, secret: bytes) -> SimulatedPhone:
        """Return the phone that carries a medium; asking again returns the same one, whatever the secret.

        Raises:
            ShelfFault: no medium's id, or no 32 bytes.
        """
        if not _NAME.fullmatch(name) or len(secret) != 32:
            raise ShelfFault("A phone is called by its medium's id, and its key is made of 32 bytes.")
        with self._lock:
            if name not in self._phones:
                replace_text(self._directory / f"{name}.json", json.dumps({"secret": secret.hex()}))
                self._phones[name] = SimulatedPhone(secret)
            return self._phones[name]

    def get(self, name: str) -> SimulatedPhone:
        """Return the phone; raises ShelfFault when there is none."""
        try:
            return self._phones[name]
        except KeyError:
            raise ShelfFault("This phone's key is in a browser of its own: show its pass there.") from None

    def _load(self, path: Path) -> SimulatedPhone:
        return SimulatedPhone(bytes.fromhex(json.loads(path.read_text(encoding="utf-8"))["secret"]))
