"""The words about edges."""

from gateway.bootstrap import running
from gateway.command import Channel
from gateway.console.saying import ACTOR, say, settings_for_console
from gateway.edge_codes import new_edge


def add_edge(edge_id: str, venue: str, *, as_json: bool) -> int:
    """Announce an edge and print its one-time code. Raises Rejection."""
    with running(settings_for_console()) as gateway:
        wish, code = new_edge(gateway, edge_id, venue, gateway.new_id())
        answer = gateway.do("edge.add", wish, actor=ACTOR, channel=Channel.OPERATIONS)
    say(answer | {"enrol_code": code}, code, as_json=as_json)
    return 0
