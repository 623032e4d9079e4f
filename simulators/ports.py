"""Which ports a simulation uses: fixed ones that a person can remember, or free ones for tests."""

import os
import socket

DEFAULT_PORT_BASE = 8701
PORT_SPAN = 64
"""How many ports a demo uses, side by side."""
PORT_BASE_MAX = 65_535 - PORT_SPAN + 1
EPHEMERAL_FROM = 32_768
"""From here on Linux gives ports to connections by itself (ip_local_port_range, ip-sysctl.rst): any may be taken."""
_HOST = "127.0.0.1"


class PortTaken(Exception):
    """Another program has the port; the sentence says what to do."""


def check_free(ports: dict[str, int], *, udp: bool = False) -> None:
    """Make sure that every port can be opened now.

    Args:
        ports: what each port is for → the port.
    Raises:
        PortTaken: one can't; the first is named.
    """
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    for purpose, port in ports.items():
        with socket.socket(socket.AF_INET, kind) as probe:
            if not udp:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                raise PortTaken(
                    f"Port {port} ({purpose}) is taken by another program: end it, or choose another range"
                    " with --port-base."
                ) from None


def free_port_base(span: int) -> int:
    """Return the first of `span` consecutive ports that are free for TCP and UDP at this moment.

    Raises:
        PortTaken: there is no such range.
    """
    # Two test workers that look at the same moment begin at different places.
    places = 12000 // span
    for place in range(places):
        base = 20000 + (os.getpid() + place) % places * span
        ports = {str(port): port for port in range(base, base + span)}
        try:
            check_free(ports)
            check_free(ports, udp=True)
        except PortTaken:
            continue
        return base
    raise PortTaken(f"There are no {span} free ports side by side on this machine.")
