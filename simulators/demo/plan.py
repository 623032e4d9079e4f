"""Where everything of a demo is: ports, readers and files, derived from a directory and a first port."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

GATEWAY, FIELD = "gateway", "field"
"""The names of the two processes that are no edge."""

RESORT_FILE = Path(__file__).with_name("resort.toml")
STAFF_ROLES = ("desk", "operations", "photographer")

_CONTROL, _EDGE_WEB, _LINKS, _SCANNERS, _FIELDS = 1, 10, 15, 20, 32

EDGE_VENUES = {"hotel": "hotel", "park": "park", "shops": "shops", "desk": "hotel"}
"""Each edge and the venue it serves; the desk's edge has nothing but the encoder."""

_TOUCHPOINTS = {
    "hotel": ("door-101", "door-102", "lane-in", "lane-out"),
    "park": (
        "gate-1",
        "gate-2",
        "gate-out",
        "comet-entrance",
        "comet-merge",
        "galleon-entrance",
        "galleon-merge",
        "carousel-entrance",
        "falls-entrance",
        "falls-merge",
        "photo-plaza",
    ),
    "shops": ("till-grill", "till-shop"),
    "desk": ("encoder-desk",),
}
# A phone shows its code where guests go with nothing else in their hands.
_SCANNERS_AT = ("gate-1", "comet-entrance", "comet-merge", "photo-plaza", "door-101", "till-grill")


@dataclass(frozen=True)
class Reader:
    """One reader device: where it stands and which port stands for its air or its cable."""

    id: str
    edge: str
    touchpoint: str
    port: int
    is_scanner: bool

    @property
    def path(self) -> str:
        """What the edge's settings say about it."""
        if self.is_scanner:
            return f"scanner:socket://127.0.0.1:{self.port}"
        return f"udp:127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Plan:
    """A demo's directory and ports."""

    directory: Path
    base: int

    @property
    def gateway_port(self) -> int:
        """The gateway's own port; edges reach it through their links."""
        return self.base

    @property
    def control_port(self) -> int:
        """The field's control."""
        return self.base + _CONTROL

    @property
    def gateway_url(self) -> str:
        """Where people reach the gateway."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def field_url(self) -> str:
        """Where the field is controlled."""
        return f"http://127.0.0.1:{self.control_port}"

    @property
    def edges(self) -> tuple[str, ...]:
        """The edges, encoder included."""
        return tuple(EDGE_VENUES)

    def edge_port(self, edge: str) -> int:
        """Return the port of an edge's own web."""
        return self.base + _EDGE_WEB + self.edges.index(edge)

    def edge_url(self, edge: str) -> str:
        """Return where an edge's own web is."""
        return f"http://127.0.0.1:{self.edge_port(edge)}"

    def link_port(self, edge: str) -> int:
        """Return the port by which an edge reaches the gateway: its cable, which can be cut."""
        return self.base + _LINKS + self.edges.index(edge)

    @cached_property
    def readers(self) -> tuple[Reader, ...]:
        """Every reader of every edge."""
        places = [(edge, touchpoint) for edge, here in _TOUCHPOINTS.items() for touchpoint in here]
        nfc = [
            Reader(f"{touchpoint}-nfc", edge, touchpoint, self.base + _FIELDS + number, False)
            for number, (edge, touchpoint) in enumerate(places)
        ]
        edge_of = {touchpoint: edge for edge, touchpoint in places}
        codes = [
            Reader(f"{touchpoint}-qr", edge_of[touchpoint], touchpoint, self.base + _SCANNERS + number, True)
            for number, touchpoint in enumerate(_SCANNERS_AT)
        ]
        return (*nfc, *codes)

    def edge_of(self, touchpoint: str) -> str:
        """Return the edge that serves a touchpoint."""
        return next(reader.edge for reader in self.readers if reader.touchpoint == touchpoint)

    def tcp_ports(self) -> dict[str, int]:
        """Return every TCP port with what it is for."""
        ports = {"gateway": self.gateway_port, "field": self.control_port}
        ports |= {f"edge {edge}": self.edge_port(edge) for edge in self.edges}
        ports |= {f"network of {edge}": self.link_port(edge) for edge in self.edges}
        return ports | {reader.id: reader.port for reader in self.readers if reader.is_scanner}

    def udp_ports(self) -> dict[str, int]:
        """Return every UDP port with what it is for."""
        return {reader.id: reader.port for reader in self.readers if not reader.is_scanner}

    @property
    def clock_file(self) -> Path:
        """The offset of simulation time."""
        return self.directory / "clock"

    @property
    def database_file(self) -> Path:
        """The gateway's database, unless it is PostgreSQL."""
        return self.directory / "passband.sqlite"

    @property
    def till_key_file(self) -> Path:
        """The key that the tills show to their edge."""
        return self.directory / "till.key"

    @property
    def field_settings(self) -> Path:
        """The field's settings file."""
        return self.directory / "field.toml"

    def edge_directory(self, edge: str) -> Path:
        """Return where an edge keeps its key and journal."""
        return self.directory / "edges" / edge

    def edge_settings(self, edge: str) -> Path:
        """Return an edge's settings file."""
        return self.directory / "edges" / f"{edge}.toml"

    def lamp_log(self, edge: str) -> Path:
        """Return an edge's lamp log."""
        return self.directory / "lamps" / f"{edge}.jsonl"

    def log(self, program: str) -> Path:
        """Return a program's log file."""
        return self.directory / "logs" / f"{program}.log"
