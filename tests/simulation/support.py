"""A field process with one reader, one scanner and one cable, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from simulators.ports import free_port_base
from simulators.processes import Program, Supervisor

READY_S = 30.0
SETTINGS = """
directory = "world"
control_port = {base}
readers = [{{reader = "gate-nfc", port = {nfc}}}, {{reader = "door-nfc", port = {door}}}]
scanners = [{{reader = "gate-qr", port = {qr}}}]
networks = [{{edge = "park", port = {link}, target_port = {base}}}]
"""


@dataclass
class RunningField:
    """The field process and how to reach it."""

    supervisor: Supervisor
    base: int

    @property
    def nfc_port(self) -> int:
        return self.base + 1

    @property
    def qr_port(self) -> int:
        return self.base + 2

    @property
    def link_port(self) -> int:
        return self.base + 3

    def post(self, path: str, body: dict[str, object] | None = None, status: int = 200) -> dict[str, object]:
        answer = httpx.post(f"http://127.0.0.1:{self.base}{path}", json=body or {}, trust_env=False)
        assert answer.status_code == status, answer.text
        found: dict[str, object] = answer.json()
        return found

    def get(self, path: str) -> dict[str, object]:
        answer = httpx.get(f"http://127.0.0.1:{self.base}{path}", trust_env=False)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found


@contextmanager
def running_field(directory: Path) -> Iterator[RunningField]:
    base = free_port_base(8)
    settings = directory / "field.toml"
    settings.write_text(SETTINGS.format(base=base, nfc=base + 1, door=base + 4, qr=base + 2, link=base + 3))
    with Supervisor() as supervisor:
        words = ("simulate", "field", "--settings", str(settings))
        supervisor.start(Program("field", words, f"http://127.0.0.1:{base}/healthz", directory / "field.log"))
        supervisor.wait_ready("field", READY_S)
        yield RunningField(supervisor, base)
