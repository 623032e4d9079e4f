import json
import os
import stat
from multiprocessing import get_context

import pytest

from readers.audit import lamp_lines
from readers.outputs import LampLog, Outputs, sentence_of
from readers.settings import SettingsFault
from readers.transport.base import Anchors
from readers.trust import load_anchors, load_key, make_key, save_anchors
from tests.support.edge_world import NOON, an_id
from wallet.reasons import Reason
from wallet.tap import Approved, Ask, Asks, Refused


def show_many(path, start):
    outputs = Outputs("edge-1", [LampLog(path)])
    for n in range(start, start + 200):
        outputs.show(an_id(n), "gate-1", "gate-1-nfc", Approved("x"), NOON)


def test_lines_of_several_processes_never_mix(tmp_path):
    path = tmp_path / "deep" / "lamp.jsonl"
    workers = [get_context("fork").Process(target=show_many, args=(path, start)) for start in (0, 200, 400)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert {lamp.tap_id for lamp in lamp_lines(path)} == {an_id(n) for n in range(600)}


def test_only_an_approval_is_green(tmp_path):
    outputs = Outputs("edge-1", [LampLog(tmp_path / "lamp.jsonl")])
    verdicts = [Approved("x"), Refused(Reason.OTHER_ROOM, {"rooms": "102"}), Asks(Ask.PIN), Asks(Ask.HOLD)]
    for n, verdict in enumerate(verdicts):
        outputs.show(an_id(n), "t", "r", verdict, NOON)
    lines = [json.loads(line) for line in (tmp_path / "lamp.jsonl").read_text().splitlines()]
    assert [line["light"] for line in lines] == ["green", "blue", "blue", "blue"]
    assert lines[1]["reason"] == "other_room"
    assert list(lines[0]) == [
        "tap_id",
        "edge",
        "touchpoint",
        "reader",
        "light",
        "decision",
        "reason",
        "shown_at",
    ]
    assert sentence_of(verdicts[1]) == "This key opens room 102."


def test_a_broken_output_stops_neither_the_others_nor_the_reader(tmp_path):
    class Broken:
        def show(self, sight):
            raise OSError("no lamp")

    outputs = Outputs("edge-1", [Broken(), LampLog(tmp_path / "lamp.jsonl")])
    outputs.show(an_id(1), "t", "r", Approved("x"), NOON)
    assert len(list(lamp_lines(tmp_path / "lamp.jsonl"))) == 1
    assert "no lamp" in outputs.last_error


def test_a_torn_last_line_was_never_shown_but_damage_before_it_is_told(tmp_path):
    path = tmp_path / "lamp.jsonl"
    Outputs("edge-1", [LampLog(path)]).show(an_id(1), "t", "r", Approved("x"), NOON)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    assert len(list(lamp_lines(path))) == 1
    path.write_bytes(whole[:20] + b"\n" + whole)
    with pytest.raises(ValueError, match="line 1"):
        list(lamp_lines(path))


@pytest.mark.parametrize("torn", [20, 70_000])
def test_a_line_torn_by_a_power_cut_spoils_none_that_follows(tmp_path, torn):
    path = tmp_path / "lamp.jsonl"
    Outputs("edge-1", [LampLog(path)]).show(an_id(1), "t", "r", Approved("x"), NOON)
    with path.open("ab") as file:
        file.write(b"{" * torn)
    Outputs("edge-1", [LampLog(path)]).show(an_id(2), "t", "r", Approved("x"), NOON)
    assert [lamp.tap_id for lamp in lamp_lines(path)] == [an_id(1), an_id(2)]


def test_a_disk_that_takes_half_a_line_keeps_none_of_it(tmp_path, monkeypatch):
    path = tmp_path / "lamp.jsonl"
    log, write = LampLog(path), os.write
    outputs = Outputs("edge-1", [log])
    outputs.show(an_id(1), "t", "r", Approved("x"), NOON)
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:30]))
    outputs.show(an_id(2), "t", "r", Approved("x"), NOON)
    monkeypatch.undo()
    outputs.show(an_id(3), "t", "r", Approved("x"), NOON)
    assert [lamp.tap_id for lamp in lamp_lines(path)] == [an_id(1), an_id(3)]
    assert "disk full" in outputs.last_error


def test_key_and_anchors_are_for_the_edge_alone(tmp_path):
    key = make_key(tmp_path, b"s" * 32)
    assert make_key(tmp_path, b"other" + b"s" * 27).public_key() == key.public_key(), "a key is made once"
    save_anchors(tmp_path, Anchors("edge-1", "park", {"aa": "00" * 32}, "ff"))
    assert load_anchors(tmp_path).pin_pepper == "ff"
    assert load_key(tmp_path).public_key() == key.public_key()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"key.pem": 0o600, "anchors.json": 0o600}


def test_an_edge_that_never_enrolled_says_what_to_do(tmp_path):
    with pytest.raises(SettingsFault, match="enrol"):
        load_key(tmp_path)
    with pytest.raises(SettingsFault, match="enrol"):
        load_anchors(tmp_path)
