"""A real edge process with emulated chips at its readers, for tests that kill it."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx
import msgspec

from readers.audit import evidence
from readers.status import Status
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from tests.support.edge_world import a_credential
from wallet.chips.ndef import encode_credential_message
from wallet.evidence import EdgeEvidence

TILL_KEY = "till-key-of-the-tests"
_RUN = "import sys; from readers.cli import main; sys.exit(main(sys.argv[1:]))"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that nobody holds at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def a_band(number: int, at: datetime) -> Type4Chip:
    """Return guest `number`'s band, written at `at`; each has its own UID, as readers tell chips by it."""
    uid = bytes([4, number]) + b"guest"
    credential = a_credential(number, at=at, uid=uid)
    application = NdefApplication()
    message = encode_credential_message(credential)
    application.ndef_file[: 2 + len(message)] = len(message).to_bytes(2, "big") + message
    return Type4Chip(uid, application)


class EdgeProcess:
    """Starts, kills and restarts one edge; its readers are udp fields that chips can be held to."""

    def __init__(self, directory: Path, gateway_url: str, touchpoints: tuple[str, ...]) -> None:
        self.directory = directory / "edge"
        self.lamp_log = directory / "lamp.jsonl"
        self.web_port = free_port()
        self.fields = {each: Field(free_port(socket.SOCK_DGRAM)) for each in touchpoints}
        (directory / "till.key").write_text(TILL_KEY)
        readers = "\n".join(
            f'[[readers]]\nid = "{each}-nfc"\ntouchpoint = "{each}"\npath = "udp:127.0.0.1:{field.address[1]}"'
            for each, field in self.fields.items()
        )
        self.settings = directory / "edge.toml"
        self.settings.write_text(
            f'[edge]\nid = "edge-1"\nvenue = "park"\ngateway_url = "{gateway_url}"\ndirectory = "edge"\n'
            f'lamp_log = "lamp.jsonl"\nweb_port = {self.web_port}\ntill_key_file = "till.key"\n'
            f"feed_wait_s = 1.0\n{readers}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def words(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one word of the command line to its end."""
        return subprocess.run(
            [sys.executable, "-c", _RUN, *words, "--settings", str(self.settings)],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self) -> None:
        """Start the edge and wait until it says that it runs."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, "run", "--settings", str(self.settings)],
            env=self._environment(),
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert b"http://" in line, line

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._close_pipe()

    def terminate(self) -> int:
        """Ask it to end, and return its exit status."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(20)
        self._close_pipe()
        return status

    def stop(self) -> None:
        """Make sure that nothing is left."""
        for field in self.fields.values():
            field.remove()
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.ask("GET", path, **options)

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """Ask the edge's web."""
        url = f"http://127.0.0.1:{self.web_port}{path}"
        return httpx.request(method, url, trust_env=False, timeout=30, **options)  # type: ignore[arg-type]  # httpx's own options

    def status(self) -> Status:
        return msgspec.json.decode(self.get("/status").content, type=Status)

    def wait_until(self, holds, timeout_s: float = 20.0) -> Status:
        """Return the status once it is as wanted."""
        deadline = time.monotonic() + timeout_s
        while not holds(status := self.status()):
            assert time.monotonic() < deadline, status
            time.sleep(0.05)  # another process's state: there is no event to await
        return status

    def tap(self, touchpoint: str, chip: Ntag21x | Type4Chip, timeout_s: float = 10.0) -> bytes | None:
        """Hold a chip to a reader until a lamp line more is there; return the line, None if none came."""
        before = self._lamp_size()
        field = self.fields[touchpoint]
        field.present(chip)
        deadline = time.monotonic() + timeout_s
        try:
            while time.monotonic() < deadline:
                if self._lamp_size() > before:
                    return self.lamp_log.read_bytes()[before:].splitlines()[0]
                time.sleep(0.005)  # another process's file: there is no event to await
            return None
        finally:
            field.remove()

    def evidence(self) -> EdgeEvidence:
        return evidence("edge-1", "park", self.directory, self.lamp_log)

    def _lamp_size(self) -> int:
        return self.lamp_log.stat().st_size if self.lamp_log.exists() else 0

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PASSBAND_ENVIRONMENT": "simulation", "PYTHONUNBUFFERED": "1"}

    def _close_pipe(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
