"""Writes the settings files of a demo."""

import secrets
from collections.abc import Mapping

from simulators.demo.plan import EDGE_VENUES, Plan

# Tight, so that a story of minutes meets what a resort meets in hours.
_ONLINE_S, _FEED_WAIT_S = 1.2, 0.3

Value = str | int | float


def write_settings(plan: Plan) -> None:
    """Write the field's and every edge's settings, and the tills' key, unless they are there."""
    for directory in (plan.directory / "edges", plan.directory / "lamps", plan.directory / "logs"):
        directory.mkdir(parents=True, exist_ok=True)
    if not plan.till_key_file.exists():
        plan.till_key_file.touch(mode=0o600)
        plan.till_key_file.write_text(secrets.token_urlsafe(24))
    plan.field_settings.write_text(_field(plan), encoding="utf-8")
    for edge in plan.edges:
        plan.edge_settings(edge).write_text(_edge(plan, edge), encoding="utf-8")


def _field(plan: Plan) -> str:
    lines = _keys({"directory": "field", "control_port": plan.control_port})
    for reader in plan.readers:
        table = "scanners" if reader.is_scanner else "readers"
        lines += [f"[[{table}]]", *_keys({"reader": reader.id, "port": reader.port})]
    for edge in plan.edges:
        link: dict[str, Value] = {
            "edge": edge,
            "port": plan.link_port(edge),
            "target_port": plan.gateway_port,
            "web_url": plan.edge_url(edge),
            "till_key_file": str(plan.till_key_file),
        }
        lines += ["[[networks]]", *_keys(link)]
    return "\n".join(lines) + "\n"


def _edge(plan: Plan, edge: str) -> str:
    keys: dict[str, Value] = {
        "id": edge,
        "venue": EDGE_VENUES[edge],
        "gateway_url": f"http://127.0.0.1:{plan.link_port(edge)}",
        "directory": str(plan.edge_directory(edge)),
        "lamp_log": str(plan.lamp_log(edge)),
        "web_port": plan.edge_port(edge),
        "till_key_file": str(plan.till_key_file),
        "online_s": _ONLINE_S,
        "feed_wait_s": _FEED_WAIT_S,
    }
    lines = ["[edge]", *_keys(keys)]
    for reader in plan.readers:
        if reader.edge == edge:
            device = {"id": reader.id, "touchpoint": reader.touchpoint, "path": reader.path}
            lines += ["[[readers]]", *_keys(device)]
    return "\n".join(lines) + "\n"


def _keys(table: Mapping[str, Value]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in table.items()]


def _toml(value: Value) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
