"""What every staff page says of who is signed in, and what they may do there."""

from typing import Any

from gateway.auth import Role
from gateway.web.visit import Visit

STREAM = "/staff/live"


def staff_of(here: Visit) -> dict[str, Any]:
    """Return the member of staff for the shell, with the links to what the roles open."""
    roles = here.principal.roles
    return {
        "role": " and ".join(sorted(role.value for role in roles)),
        "desk": Role.DESK in roles,
        "operations": Role.OPERATIONS in roles,
        "photographer": Role.PHOTOGRAPHER in roles,
    }
