"""Everything that surrounds the readers of a simulation: chips, radio fields, scanners and cables."""

import dataclasses
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.chips.field import Field
from simulators.chips.trace import AirLog
from simulators.field.network import LinkState, Network
from simulators.field.phones import PhoneShelf
from simulators.field.scanner import Scanner
from simulators.field.settings import FieldFault, FieldSettings
from simulators.field.shelf import ChipShelf
from simulators.files import replace_text

LIFT_S = 0.5
"""A hand needs this long to lift a band and hold it to the same reader again; less is the same tap."""


class NotHere(Exception):
    """No reader, scanner or network of this name; the sentence says which there are."""


class Occupied(Exception):
    """Another chip is in the field."""


@dataclass
class _Spot:
    """A reader's field, the chip in it, and a count that tells one presentation from the next."""

    field: Field
    chip: str | None = None
    presentation: int = 0
    last_chip: str | None = None
    left_at: float = 0.0
    air: AirLog = dataclasses.field(default_factory=AirLog)

    def lift(self) -> None:
        """Take away whatever is there."""
        if self.chip is not None:
            self.field.remove()
            self.last_chip, self.left_at = self.chip, time.monotonic()
            self.chip = None

    def wait_lifted(self, chip_id: str) -> None:
        """Wait until the reader has noticed that this chip was away."""
        if self.last_chip == chip_id:
            time.sleep(max(0.0, self.left_at + LIFT_S - time.monotonic()))


class World:
    """The state of one field process. Chips and cables outlive it on disk, what is held to a reader not."""

    def __init__(self, settings: FieldSettings) -> None:
        directory = Path(settings.directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.shelf = ChipShelf(directory / "chips")
        self.phones = PhoneShelf(directory / "phones")
        self._cuts_file = directory / "networks.json"
        cuts = self._read_cuts()
        self._spots = {each.reader: _Spot(Field(each.port)) for each in settings.readers}
        self.scanners = {each.reader: Scanner(each.reader, each.port) for each in settings.scanners}
        self.networks = {
            each.edge: Network(each.edge, each.port, each.target_port, LinkState(cuts.get(each.edge, "up")))
            for each in settings.networks
        }
        self._links = {each.edge: each for each in settings.networks}
        self._lock = threading.Lock()

    async def start(self) -> None:
        """Open every TCP port; the udp ports belong to chips and are opened when one is presented.

        Raises:
            FieldFault: a port is taken.
        """
        for each in self._servers():
            try:
                await each.start()
            except OSError as error:
                await self.stop()
                raise FieldFault(f"Port {each.port} can't be opened ({error.strerror}).") from None

    async def stop(self) -> None:
        """Take every chip away and give every port back."""
        for reader in self._spots:
            self.remove(reader)
        for each in self._servers():
            await each.stop()

    def present(self, reader: str, chip_id: str, hold_s: float | None) -> None:
        """Hold the chip to the reader until it is removed, or for `hold_s` seconds.

        A chip that is there already is lifted and held to it again: a new tap.

        Raises:
            NotHere: no such reader.
            ShelfFault: no such chip.
            Occupied: another chip is there, or this chip is at another reader.
        """
        stored = self.shelf.get(chip_id)
        spot = self._spot(reader)
        if spot.chip == chip_id:
            self.remove(reader)
        spot.wait_lifted(chip_id)
        with self._lock:
            if spot.chip is not None:
                raise Occupied(f"The chip {spot.chip} is at {reader}; remove it first.")
            for name, other in self._spots.items():
                if other is not spot and other.chip == chip_id:
                    raise Occupied(f"The chip {chip_id} is at {name}; it can't be in two places.")
            spot.air.clear()
            spot.field.present(stored.chip, trace=spot.air)
            spot.chip = chip_id
            spot.presentation += 1
            number = spot.presentation
        if hold_s is not None:
            timer = threading.Timer(hold_s, self._lift, (reader, number))
            timer.daemon = True
            timer.start()

    def remove(self, reader: str) -> None:
        """Take away what is held to the reader, if anything; raises NotHere when there is no such reader."""
        spot = self._spot(reader)
        with self._lock:
            spot.lift()

    def air(self, reader: str) -> list[str]:
        """Return what went over the air since a chip was last held to the reader; raises NotHere."""
        return self._spot(reader).air.lines()

    async def turn(self, edge: str, state: LinkState) -> None:
        """Cut, silence or heal an edge's cable; it stays so over a restart. Raises NotHere."""
        if edge not in self.networks:
            raise NotHere(f"There is no network {edge!r}; there are {', '.join(sorted(self.networks))}.")
        wanted = {name: network.state.value for name, network in self.networks.items()} | {edge: state.value}
        replace_text(self._cuts_file, json.dumps(wanted))
        await self.networks[edge].turn(state)

    async def show(self, reader: str, text: str, wait_s: float) -> None:
        """Show a code to a scanner. Raises NotHere, ScannerGone or ValueError."""
        if reader not in self.scanners:
            raise NotHere(f"There is no scanner {reader!r}; there are {', '.join(sorted(self.scanners))}.")
        await self.scanners[reader].show(text, wait_s)

    def described(self) -> dict[str, Any]:
        """Return all there is, as the control interface tells it."""
        return {
            "fields": {name: {"chip": spot.chip} for name, spot in self._spots.items()},
            "scanners": {name: {"listeners": each.listeners} for name, each in self.scanners.items()},
            "networks": {
                name: {
                    "state": each.state.value,
                    "connections": each.connections,
                    "web_url": self._links[name].web_url,
                    "till_key_file": self._links[name].till_key_file,
                }
                for name, each in self.networks.items()
            },
        }

    def _servers(self) -> list[Scanner | Network]:
        return [*self.scanners.values(), *self.networks.values()]

    def _lift(self, reader: str, presentation: int) -> None:
        spot = self._spots[reader]
        with self._lock:
            if spot.presentation == presentation:
                spot.lift()

    def _spot(self, reader: str) -> _Spot:
        try:
            return self._spots[reader]
        except KeyError:
            known = ", ".join(sorted(self._spots))
            raise NotHere(f"There is no reader {reader!r}; there are {known}.") from None

    def _read_cuts(self) -> dict[str, str]:
        if not self._cuts_file.exists():
            return {}
        found: dict[str, str] = json.loads(self._cuts_file.read_text(encoding="utf-8"))
        return found
