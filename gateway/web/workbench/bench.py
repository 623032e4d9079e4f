"""What one does at the workbench: tap, sell, give a PIN, pull a cable. The verdict is the one the lamp shows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import Rejection
from gateway.web.workbench.field import EdgeSeen, Field, Reader, Sight

SIGHTS_MAX = 60
TAP_HELD_S = 1.2
ENCODING_HELD_S = 4.0
_VERDICT_S = 6.0
_LOOK_S = 0.06


@dataclass(frozen=True)
class Held:
    """What a guest holds: a chip, or a phone, which shows a fresh code to the scanner it is given each time."""

    chip: str = ""
    show: Callable[[str], Awaitable[None]] | None = None


class Bench:
    """The workbench of one gateway. It keeps nothing but which sale is open at which till."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self._sales: dict[str, str] = {}

    async def edges(self) -> list[EdgeSeen]:
        """Return every edge as it is now. Raises Rejection when the field is away."""
        cables = (await self.field.state()).networks
        seen = (self.field.edge(name, cable, SIGHTS_MAX) for name, cable in cables.items())
        return list(await asyncio.gather(*seen))

    async def tap(self, touchpoint: str, held: Held, *, item: str = "", key: str) -> Sight | None:
        """Hold it to the touchpoint and return what the lamp shows; at a till, sell `item` first.

        Args:
            key: names this press; the same press is the same sale.
        Returns:
            None when no light came: an encoder shows none, nor does a reader that was just killed.
        Raises:
            Rejection: no such touchpoint, no fitting reader, or the field or the edge does not answer.
        """
        edge = await self._edge_at(touchpoint)
        reader = _reader_for(edge, touchpoint, scanner=held.show is not None)
        if item:
            lines = [{"item": item, "quantity": 1}]
            await self.field.sale(edge.cable, f"/tills/{touchpoint}/sales", {"sale_id": key, "lines": lines})
            self._sales[touchpoint] = key
        before = edge.sight_at(touchpoint)
        if held.show is not None:
            await held.show(reader.id)
        else:
            await self.field.present(
                reader.id, held.chip, ENCODING_HELD_S if reader.encodings else TAP_HELD_S
            )
        if reader.encodings:
            return None
        sight = await self._wait(edge, touchpoint, lambda sight: before is None or sight != before)
        if sight is not None and held.show is None:
            # With the light the hand is free: the next press may hold the same band elsewhere.
            await self.field.remove(reader.id)
        return sight

    async def give_pin(self, touchpoint: str, pin: str) -> Sight | None:
        """Give the PIN that a till asks for and return what the lamp shows then. Raises Rejection."""
        edge = await self._edge_at(touchpoint)
        sale = self._sales.get(touchpoint)
        if sale is None:
            raise Rejection("no_sale", 409, "No sale waits for a PIN here. Please tap again.")
        before = edge.sight_at(touchpoint)
        await self.field.sale(edge.cable, f"/tills/{touchpoint}/sales/{sale}/pin", {"pin": pin})
        return await self._wait(edge, touchpoint, lambda sight: sight != before)

    async def _wait(self, edge: EdgeSeen, touchpoint: str, is_new: Callable[[Sight], bool]) -> Sight | None:
        tries = int(_VERDICT_S / _LOOK_S)
        for _ in range(tries):
            for sight in await self.field.sights(edge.cable, SIGHTS_MAX):
                if sight.lamp.touchpoint == touchpoint:
                    if is_new(sight):
                        return sight
                    break
            await asyncio.sleep(_LOOK_S)
        return None

    async def _edge_at(self, touchpoint: str) -> EdgeSeen:
        for edge in await self.edges():
            if edge.status and any(reader.touchpoint == touchpoint for reader in edge.status.readers):
                return edge
        raise Rejection("edge_away", 409, "No edge that answers has a reader there.")


def _reader_for(edge: EdgeSeen, touchpoint: str, *, scanner: bool) -> Reader:
    assert edge.status is not None
    for reader in edge.status.readers:
        if reader.touchpoint == touchpoint and reader.is_scanner is scanner:
            return reader
    what = "reads no codes: take a band" if scanner else "reads codes alone: take a phone"
    raise Rejection("no_reader", 409, f"This touchpoint {what}.")
