"""Brings a whole resort up on this machine: gateway, edges, encoder and field, as real processes."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from readers.cli import main as edge_words
from simulators.beats import Beats
from simulators.clock import SimulationClock
from simulators.demo.api import Api, Session
from simulators.demo.faults import StoryFailed
from simulators.demo.paper import write_settings
from simulators.demo.plan import FIELD, GATEWAY, STAFF_ROLES, Plan
from simulators.dice import Dice
from simulators.ports import check_free
from simulators.processes import Program, Supervisor

READY_S = 60.0


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
        # The gateway starts while this process, a second writer, loads the resort into its database.
        supervisor.start(_gateway(plan))
        supervisor.start(_field(plan))
        tell("The gateway starts, with a field of emulated chips around its readers.")
        # Imported while they start: it brings the gateway's libraries along.
        from simulators.demo.preparing import prepare_gateway

        passwords, codes = prepare_gateway()
        supervisor.wait_ready(GATEWAY, READY_S)
        gateway = Api(plan.gateway_url, dice, beats, supervisor.moves)
        staff = {role: _staff_session(gateway, role, passwords[role]) for role in STAFF_ROLES}
        tell(f"The edges {', '.join(plan.edges)} enrol and start.")
        gateway.get("/api/v1/resort")
        _enrol(plan, codes)
        for edge in plan.edges:
            supervisor.start(_edge(plan, edge))
        for name in (FIELD, *plan.edges):
            supervisor.wait_ready(name, READY_S)
        yield House(plan, clock, supervisor, gateway, staff, passwords)


def _field(plan: Plan) -> Program:
    words = ("simulate", "field", "--settings", str(plan.field_settings))
    return Program(FIELD, words, f"{plan.field_url}/healthz", plan.log(FIELD))


def _gateway(plan: Plan) -> Program:
    words = ("gateway", "run")
    return Program(GATEWAY, words, f"{plan.gateway_url}/healthz", plan.log(GATEWAY))


def _edge(plan: Plan, edge: str) -> Program:
    words = ("edge", "run", "--settings", str(plan.edge_settings(edge)))
    return Program(edge, words, f"{plan.edge_url(edge)}/status", plan.log(edge))


def _staff_session(gateway: Api, name: str, password: str) -> Session:
    signed_in = 0

    def sign_in() -> str:
        nonlocal signed_in
        signed_in += 1
        body = {"name": name, "password": password}
        answer = gateway.command(f"{name} signs in {signed_in}", "/api/v1/staff/sign-in", body)
        return str(answer["session_token"])

    return Session(sign_in)


def _enrol(plan: Plan, codes: dict[str, str]) -> None:
    for edge, code in codes.items():
        words = ["enrol", "--settings", str(plan.edge_settings(edge)), "--code", code]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = edge_words(words)
        plan.log(edge).write_text(said.getvalue(), encoding="utf-8")
        if status != 0:
            raise StoryFailed(f"The edge {edge} could not enrol: {said.getvalue().strip()}")
