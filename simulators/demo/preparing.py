"""Makes a new gateway's database a resort: a second writer beside the gateway's process, which starts meanwhile."""

import secrets

from gateway.bootstrap import running
from gateway.edge_codes import new_edge
from gateway.resort_toml import read_resort
from gateway.services.resort import LoadedResort
from gateway.services.staff import NewStaff
from gateway.settings import read_settings
from simulators.demo.plan import EDGE_VENUES, RESORT_FILE, STAFF_ROLES


def prepare_gateway() -> tuple[dict[str, str], dict[str, str]]:
    """Load the resort, let staff in and announce the edges; return passwords by role and one-time codes by edge."""
    passwords = {role: secrets.token_urlsafe(12) for role in STAFF_ROLES}
    codes: dict[str, str] = {}
    with running(read_settings()) as gateway:
        gateway.do("resort.load", LoadedResort(read_resort(RESORT_FILE.read_text(encoding="utf-8"))))
        for role, password in passwords.items():
            gateway.do("staff.add", NewStaff(role, gateway.passwords.hash(password), (role,)))
        for edge, venue in EDGE_VENUES.items():
            wish, codes[edge] = new_edge(gateway, edge, venue, gateway.new_id())
            gateway.do("edge.add", wish)
    return passwords, codes
