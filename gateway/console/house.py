"""The words about edges and issuer keys."""

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


def list_keys(*, as_json: bool) -> int:
    """List the keys that sign credentials."""
    with running(settings_for_console()) as gateway:
        rows = gateway.issuer.rows()
    told = [
        {"key_id": r.key_id, "epoch": r.epoch, "state": r.state, "public": r.public, "made_at": r.made_at}
        for r in rows
    ]
    lines = "\n".join(f"{r.key_id}  epoch {r.epoch}  {r.state}  {r.made_at:%Y-%m-%d}" for r in rows)
    say({"keys": told}, lines, as_json=as_json)
    return 0
