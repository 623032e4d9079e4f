"""The workbench's hands: the field's control, and each edge's own web, both on loopback."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import Rejection

_PATIENCE_S = 8.0
_GLANCE_S = 1.5
"""An edge that is being killed on purpose must not hold up the page that shows it."""


class Cable(Struct, frozen=True):
    """One edge's cable to the gateway, and where the edge's own web is."""

    state: str
    web_url: str = ""
    till_key_file: str = ""


class FieldState(Struct, frozen=True):
    """What the field tells: its readers and the cables."""

    fields: dict[str, dict[str, str | None]] = {}
    scanners: dict[str, dict[str, int]] = {}
    networks: dict[str, Cable] = {}


class Chip(Struct, frozen=True):
    """A chip of the field; `chip` is its UID in lower-case hex."""

    chip: str
    kind: str
    label: str = ""


class Reader(Struct, frozen=True):
    """A reader as its edge tells of it."""

    id: str
    touchpoint: str
    path: str
    state: str
    last_error: str = ""
    encodings: tuple[str, ...] = ()

    @property
    def is_scanner(self) -> bool:
        """Whether it reads codes instead of chips."""
        return self.path.startswith("scanner:")


class Status(Struct, frozen=True):
    """An edge as it tells of itself."""

    venue: str
    online: bool
    as_of: datetime | None
    backlog: int
    readers: tuple[Reader, ...]
    clock: datetime


class Lamp(Struct, frozen=True):
    """A light that was shown."""

    tap_id: str
    touchpoint: str
    reader: str
    decision: str
    reason: str
    shown_at: datetime


class Sight(Struct, frozen=True):
    """A light and the words beside it."""

    lamp: Lamp
    sentence: str


class _Taps(Struct, frozen=True):
    taps: tuple[Sight, ...]


@dataclass(frozen=True)
class EdgeSeen:
    """An edge as the workbench sees it; without `status` it does not answer."""

    id: str
    cable: Cable
    status: Status | None = None
    sights: tuple[Sight, ...] = field(default=())

    def sight_at(self, touchpoint: str) -> Sight | None:
        """Return what was shown last at a touchpoint."""
        return next((each for each in self.sights if each.lamp.touchpoint == touchpoint), None)


class Field:
    """Speaks to the field and to the edges."""

    def __init__(self, control_url: str) -> None:
        self._control_url = control_url.rstrip("/")
        import httpx  # at use: a gateway without a workbench starts without it

        # One for all: a new one loads the machine's certificates, which nothing on loopback shows.
        self._http = httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False, verify=False)  # noqa: S501 - loopback
        # It asks every edge each second while somebody looks: that is no news.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    async def state(self) -> FieldState:
        """Return how readers and cables are. Raises Rejection when the field is away."""
        return msgspec.json.decode(await self._field("GET", "/state"), type=FieldState)

    async def chips(self) -> list[Chip]:
        """Return every chip there is. Raises Rejection when the field is away."""
        return msgspec.json.decode(await self._field("GET", "/chips"), type=list[Chip])

    async def present(self, reader: str, chip: str, hold_s: float) -> None:
        """Hold a chip to a reader. Raises Rejection."""
        await self._field("POST", f"/fields/{reader}/present", {"chip": chip, "hold_s": hold_s})

    async def remove(self, reader: str) -> None:
        """Take away what is held to a reader. Raises Rejection."""
        await self._field("POST", f"/fields/{reader}/remove", {})

    async def show(self, reader: str, text: str) -> None:
        """Show a code to a scanner. Raises Rejection."""
        await self._field("POST", f"/scanners/{reader}/show", {"text": text})

    async def show_pass(self, reader: str, phone: str, credential: str, at: datetime) -> None:
        """Let a simulated phone sign a code at this moment and show it to a scanner. Raises Rejection."""
        shown = {"phone": phone, "credential": credential, "at": at.isoformat()}
        await self._field("POST", f"/scanners/{reader}/show-pass", shown)

    async def turn(self, edge: str, how: str) -> None:
        """Cut or heal an edge's cable. Raises Rejection."""
        await self._field("POST", f"/networks/{edge}/{how}", {})

    async def edge(self, edge: str, cable: Cable, sights_max: int) -> EdgeSeen:
        """Return an edge with its last lights; one that does not answer is seen without a status."""
        if not cable.web_url:
            return EdgeSeen(edge, cable)
        import httpx

        try:
            status = await self._http.get(f"{cable.web_url}/status", timeout=_GLANCE_S)
            taps = await self._http.get(
                f"{cable.web_url}/taps", params={"limit": sights_max}, timeout=_GLANCE_S
            )
            told = msgspec.json.decode(status.content, type=Status)
            return EdgeSeen(edge, cable, told, msgspec.json.decode(taps.content, type=_Taps).taps)
        except (httpx.HTTPError, msgspec.DecodeError):
            return EdgeSeen(edge, cable)

    async def sights(self, cable: Cable, sights_max: int) -> tuple[Sight, ...]:
        """Return the last lights of an edge, latest first; none while it does not answer."""
        return (await self.edge("", cable, sights_max)).sights

    async def sale(self, cable: Cable, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask something of a till, with the tills' key. Raises Rejection."""
        try:
            key = Path(cable.till_key_file).read_text(encoding="utf-8").strip()
        except OSError:
            raise Rejection("no_till_key", 409, "This edge's tills have no key here.") from None
        headers = {"authorization": f"Bearer {key}"}
        answer = await self._send(cable.web_url + path, "POST", body, headers, "This edge does not answer.")
        told: dict[str, Any] = msgspec.json.decode(answer)
        return told

    async def _field(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        return await self._send(
            self._control_url + path, method, body, {}, "The simulated field does not answer. Is it running?"
        )

    async def _send(self, url: str, method: str, body: object, headers: dict[str, str], away: str) -> bytes:
        import httpx

        try:
            answer = await self._http.request(method, url, json=body, headers=headers)
        except httpx.HTTPError:
            raise Rejection("field_away", 503, away) from None
        if answer.is_success:
            return answer.content
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        sentence = str(problem.get("detail") or problem.get("title") or away)
        raise Rejection(str(problem.get("code", "field_refused")), answer.status_code, sentence)
