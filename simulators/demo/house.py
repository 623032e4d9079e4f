"""Brings a whole resort up on this machine: gateway, edges, encoder and field, as real processes."""

import contextlib
import io
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulators.beats import Beats
from simulators.clock import SimulationClock
from simulators.demo.api import Api, Session
from simulators.demo.faults import StoryFailed
from simulators.demo.paper import write_settings
from simulators.demo.plan import EDGE_VENUES, Plan
from simulators.dice import Dice
from simulators.ports import check_free
from simulators.processes import Program, Supervisor

RESORT_FILE = Path(__file__).with_name("resort.toml")
STAFF_ROLES = ("desk", "operations", "photographer")
READY_S = 60.0
GATEWAY, FIELD = "gateway", "field"


@dataclass
class House:
    """A running resort."""

    plan: Plan
    clock: SimulationClock
    supervisor: Supervisor
    gateway: Api
    staff: dict[str, Session]
    passwords: dict[str, str]


@contextmanager
def running_house(
    plan: Plan, database_url: str, dice: Dice, beats: Beats, tell: Callable[[str], None]
) -> Iterator[House]:
    """Bring the resort up, and down again when the block is left.

    Args:
        tell: hears one sentence before each step that takes a moment.
    Raises:
        PortTaken: another program has one of the ports.
        ChildFailed: a process does not start.
    """
    check_free(plan.tcp_ports())
    check_free(plan.udp_ports(), udp=True)
    write_settings(plan)
    clock = SimulationClock(plan.clock_file)
    # Children inherit these, and so do the commands that are run in this process.
    os.environ |= {
        "PASSBAND_ENVIRONMENT": "simulation",
        "PASSBAND_SIMULATION_CLOCK": str(plan.clock_file),
        "PASSBAND_DATABASE_URL": database_url,
        "PASSBAND_PORT": str(plan.gateway_port),
        "PASSBAND_SIMULATION_CONTROL_URL": plan.field_url,
        "PASSBAND_DIRECTORY": str(plan.directory / "gateway"),
    }
    with Supervisor() as supervisor:
        supervisor.start(_field(plan))
        tell("The gateway loads the resort.")
        passwords = _prepare_gateway(plan)
        supervisor.start(_gateway(plan))
        supervisor.wait_ready(GATEWAY, READY_S)
        gateway = Api(plan.gateway_url, dice, beats)
        staff = {role: _staff_session(gateway, role, passwords[role]) for role in STAFF_ROLES}
        tell(f"The edges {', '.join(plan.edges)} enrol and start.")
        supervisor.wait_ready(FIELD, READY_S)
        _enrol(plan, gateway, staff["operations"])
        for edge in plan.edges:
            supervisor.start(_edge(plan, edge))
        for edge in plan.edges:
            supervisor.wait_ready(edge, READY_S)
        yield House(plan, clock, supervisor, gateway, staff, passwords)


def _field(plan: Plan) -> Program:
    words = ("simulate", "field", "--settings", str(plan.field_settings))
    return Program(FIELD, words, f"{plan.field_url}/healthz", plan.log(FIELD))


def _gateway(plan: Plan) -> Program:
    words = ("gateway", "run", "--port", str(plan.gateway_port))
    return Program(GATEWAY, words, f"{plan.gateway_url}/healthz", plan.log(GATEWAY))


def _edge(plan: Plan, edge: str) -> Program:
    words = ("edge", "run", "--settings", str(plan.edge_settings(edge)))
    return Program(edge, words, f"{plan.edge_url(edge)}/status", plan.log(edge))


def _prepare_gateway(plan: Plan) -> dict[str, str]:
    """Load the resort and make one person of staff per role; return their passwords."""
    from gateway.cli import main as gateway  # SQLAlchemy takes a moment, and the field starts meanwhile

    _run(plan, GATEWAY, lambda: gateway(["load", str(RESORT_FILE)]))
    passwords = {role: secrets.token_urlsafe(12) for role in STAFF_ROLES}
    for role, password in passwords.items():
        _run(plan, GATEWAY, lambda: gateway(["staff", "add", role, "--role", role, "--password", password]))  # noqa: B023 (run at once)
    return passwords


def _staff_session(gateway: Api, name: str, password: str) -> Session:
    signed_in = 0

    def sign_in() -> str:
        nonlocal signed_in
        signed_in += 1
        body = {"name": name, "password": password}
        answer = gateway.command(f"{name} signs in {signed_in}", "/api/v1/staff/sign-in", body)
        return str(answer["session_token"])

    return Session(sign_in)


def _enrol(plan: Plan, gateway: Api, operations: Session) -> None:
    from readers.cli import main as edge_words

    def enrol(edge: str) -> None:
        body = {"id": edge, "venue": EDGE_VENUES[edge]}
        code = gateway.command(f"edge {edge}", "/api/v1/edges", body, operations)["enrol_code"]
        words = ["enrol", "--settings", str(plan.edge_settings(edge)), "--code", str(code)]
        _run(plan, edge, lambda: edge_words(words))

    for edge in plan.edges:
        enrol(edge)


def _run(plan: Plan, name: str, command: Callable[[], int]) -> None:
    """Run one of our own commands in this process, its words going to the program's log."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = command()
    with plan.log(name).open("a", encoding="utf-8") as log:
        log.write(said.getvalue())
    if status != 0:
        raise StoryFailed(f"The set-up of {name} failed with status {status}: {said.getvalue().strip()}")
