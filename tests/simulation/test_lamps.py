"""Lights are read from logs that are being written."""

import json
import threading
from pathlib import Path

import pytest

from simulators.lamps import LampLogFault, Lamps


def line(touchpoint: str, light: str = "green", tap_id: str = "tap") -> str:
    decision = "approved" if light == "green" else "refused"
    fields = {"tap_id": tap_id, "edge": "park", "touchpoint": touchpoint, "reader": f"{touchpoint}-nfc"}
    shown = {"light": light, "decision": decision, "reason": "", "shown_at": "2027-03-01T10:00:00Z"}
    return json.dumps(fields | shown) + "\n"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_light_before_the_mark_is_not_an_answer(tmp_path: Path) -> None:
    log = tmp_path / "lamp.jsonl"
    lamps = Lamps({"park": log})
    append(log, line("gate-1"))
    mark = lamps.mark()
    assert lamps.wait("gate-1", mark, 0.0) is None
    append(log, line("gate-2") + line("gate-1", "blue"))
    found = lamps.wait("gate-1", mark, 0.0)
    assert found is not None
    assert found.light == "blue"
    assert [light.touchpoint for light in lamps.all()] == ["gate-1", "gate-2", "gate-1"]


def test_a_light_is_noticed_while_waiting(tmp_path: Path) -> None:
    log = tmp_path / "lamp.jsonl"
    lamps = Lamps({"park": log})
    threading.Timer(0.1, append, (log, line("gate-1"))).start()
    assert lamps.wait("gate-1", 0, 10.0) is not None


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "lamp.jsonl"
    lamps = Lamps({"park": log})
    text = line("gate-1")
    append(log, text[:30])
    assert lamps.all() == []
    append(log, text[30:])
    assert len(lamps.all()) == 1


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    log = tmp_path / "lamp.jsonl"
    append(log, "not a light\n")
    with pytest.raises(LampLogFault, match="not a light"):
        Lamps({"park": log}).all()
