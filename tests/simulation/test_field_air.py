"""A running field tells what went over the air."""

import queue
import threading
import time
from pathlib import Path

import pytest

from readers.drivers import open_driver
from readers.drivers.base import Contact
from simulators.cli import simulate
from tests.simulation.support import running_field

UID = "04aa0000000004"
PATIENCE_S = 15.0


def test_what_went_over_the_air_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = str(tmp_path / "field.toml")
    seen: queue.Queue[str] = queue.Queue()
    stop = threading.Event()

    def handle(contact: Contact) -> None:
        assert contact.read_credential() is None
        seen.put(contact.uid.hex())

    with running_field(tmp_path) as field:
        field.post("/chips", {"kind": "ntag424", "uid": UID}, 201)
        driver = open_driver(f"udp:127.0.0.1:{field.nfc_port}", time.monotonic)
        thread = threading.Thread(target=driver.serve, args=(handle, stop))
        thread.start()
        try:
            field.post("/fields/gate-nfc/present", {"chip": UID})
            assert seen.get(timeout=PATIENCE_S) == UID
        finally:
            stop.set()
            thread.join()
        assert simulate(["air", "gate-nfc", "--settings", settings]) == 0
        shown = capsys.readouterr().out
        assert "reader  E0 " in shown
        assert "ISOSelectFile" in shown
        assert "9000 OK" in shown
        assert simulate(["air", "no-nfc", "--settings", settings]) == 1
        assert "there are door-nfc, gate-nfc" in capsys.readouterr().err
    assert simulate(["air", "gate-nfc", "--settings", settings]) == 1
    assert "start it first" in capsys.readouterr().err
