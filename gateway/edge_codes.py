"""The one-time codes that edges enrol with."""

from gateway.bootstrap import Gateway
from gateway.services.edge import NewEdge


def new_edge(gateway: Gateway, edge_id: str, venue: str, command_id: str) -> tuple[NewEdge, str]:
    """Return the command's body that announces an edge, and its code.

    The code is made of the command's id: a repeated command tells it again, and only its hash is stored.
    """
    code = gateway.vault.code("enrol", command_id, 12)
    code_hash = gateway.vault.code_hash("enrol", code)
    return NewEdge(edge_id, venue, code_hash), code
