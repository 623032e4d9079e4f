"""`passband gateway`: every word does what it says, tells what is wrong in a sentence, and ends with its status."""

import base64
import io
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import rows_where
from gateway.resort_toml import read_resort
from tests.support.gateway_world import MakeParty, NewParty

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "simulators/demo/resort.toml"

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Say:
    monkeypatch.setenv("PASSBAND_ENVIRONMENT", "simulation")
    monkeypatch.setenv("PASSBAND_DIRECTORY", str(tmp_path / "gateway"))
    monkeypatch.setenv("PASSBAND_DATABASE_URL", database_url)

    def said(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main(list(words))
        told = capsys.readouterr()
        return status, told.out, told.err

    return said


def test_a_resort_is_loaded_told_apart_and_exported(say: Say) -> None:
    assert say("load", str(DEMO)) == (0, "Lagoon Bay Resort is loaded as version 1.\n", "")
    assert json.loads(say("load", str(DEMO), "--json")[1]) == {"version": 1, "changed": False}
    status, exported, _ = say("export-resort")
    assert status == 0
    assert read_resort(exported) == read_resort(DEMO.read_text())


def test_a_resort_with_mistakes_is_refused_whole_with_their_lines(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "resort.toml"
    file.write_text(DEMO.read_text().replace('"Europe/Madrid"', '"Nowhere"').replace("tier = 1", "teir = 1"))
    status, out, _ = say("load", str(file))

    assert status == 1
    assert f"{file}:6: " in out
    assert "Did you mean `tier`" in out
    faults = json.loads(say("load", str(file), "--json")[1])["faults"]
    assert min(fault["line"] for fault in faults) == 6
    assert say("export-resort")[0] == 1


def test_a_resort_cannot_change_its_money(say: Say, tmp_path: Path) -> None:
    say("load", str(DEMO))
    file = tmp_path / "resort.toml"
    file.write_text(DEMO.read_text().replace('currency = "EUR"', 'currency = "USD"'))
    status, _, error = say("load", str(file))

    assert status == 1
    assert "`currency` cannot change from EUR to USD" in error


@pytest.mark.parametrize(
    "words",
    [
        ["load", "no-such-file"],
        ["forget", "nobody"],
        ["export", "nobody"],
        ["edge", "add", "x", "--venue", "moon"],
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(say: Say, words: list[str]) -> None:
    say("load", str(DEMO))
    status, out, error = say(*words)

    assert (status, out) == (1, "")
    assert error.startswith("passband gateway: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "words",
    [
        ["export", "nobody"],
        ["forget", "nobody"],
        ["export-resort"],
        ["staff", "close", "maria"],
        ["staff", "add", "maria", "--role", "desk"],
        ["edge", "add", "park", "--venue", "park"],
        ["keys", "list"],
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_word_on_a_wrong_directory_says_so_and_makes_nothing(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    wrong = tmp_path / "wrong"
    monkeypatch.delenv("PASSBAND_DATABASE_URL")
    monkeypatch.setenv("PASSBAND_DIRECTORY", str(wrong))
    status, out, error = say(*words, typed="long enough now\n")

    assert (status, out) == (1, "")
    assert error.startswith(f"passband gateway: there is no database {wrong / 'gateway.sqlite'}; ")
    assert error.count("\n") == 1
    assert not wrong.exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_word_on_an_empty_database_says_so(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    monkeypatch.setenv("PASSBAND_DATABASE_URL", f"sqlite:///{empty}")
    status, _, error = say("export", "nobody")

    assert status == 1
    assert error.startswith("passband gateway: the database holds no gateway yet; ")


def test_a_reader_who_has_enough_is_no_fault_of_the_word(
    say: Say, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(text: str) -> int:
        raise BrokenPipeError

    say("load", str(DEMO))
    monkeypatch.setattr("sys.stdout.write", closed)
    with pytest.raises(BrokenPipeError):
        main(["export-resort"])
    monkeypatch.undo()
    assert capsys.readouterr().err == ""


def test_a_word_on_another_gateways_database_makes_no_key_of_its_own(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("load", str(DEMO))
    monkeypatch.setenv("PASSBAND_DIRECTORY", str(tmp_path / "wrong"))
    status, _, error = say("export", "nobody")

    assert status == 1
    assert "there is no master key" in error
    assert not (tmp_path / "wrong").exists()


def test_a_file_that_is_no_database_is_said_in_one_sentence(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = tmp_path / "spoilt.sqlite"
    spoilt.write_bytes(b"no database" * 500)
    monkeypatch.setenv("PASSBAND_DATABASE_URL", f"sqlite:///{spoilt}")
    status, out, error = say("export-resort")

    assert (status, out) == (1, "")
    assert error == "passband gateway: the database cannot be used: file is not a database\n"


@pytest.mark.parametrize(
    "words", [["no-such-word"], ["load"], ["staff", "add", "x", "--role", "edge"], ["staff", "add", "x"]]
)
def test_a_wrong_word_ends_with_two(say: Say, words: list[str]) -> None:
    assert say(*words)[0] == 2


def test_every_word_helps(say: Say) -> None:
    for words in (
        [],
        ["load"],
        ["run"],
        ["forget"],
        ["export"],
        ["staff", "add"],
        ["staff", "close"],
        ["edge", "add"],
        ["keys", "list"],
    ):
        status, out, _ = say(*words, "--help")
        assert status == 0
        assert "usage: passband gateway" in out


def test_staff_edges_and_keys(say: Say, database_url: str) -> None:
    say("load", str(DEMO))
    assert say("staff", "add", "maria", "--role", "desk", typed="short\n")[0] == 1
    added = say(
        "staff", "add", "maria", "--role", "desk", "--role", "operations", "--json", typed="long enough now\n"
    )
    assert json.loads(added[1])["roles"] == ["desk", "operations"]
    for _ in range(2):
        closed = say("staff", "close", "maria", "--json")
        assert (closed[0], json.loads(closed[1])["closed"]) == (0, True)
    status, _, error = say("staff", "close", "nobody")
    assert (status, error) == (1, "passband gateway: There is no member of staff 'nobody'.\n")
    code = say("edge", "add", "park", "--venue", "park")[1].strip()
    assert len(code) == 12
    (key,) = json.loads(say("keys", "list", "--json")[1])["keys"]
    assert (key["epoch"], key["state"]) == (1, "active")

    database = Database(database_url)
    with database.read() as connection:
        (staff,) = rows_where(connection, r.StaffRow)
        (edge,) = rows_where(connection, r.EdgeRow)
        (issuer,) = rows_where(connection, r.IssuerKeyRow)
    database.close()
    assert staff.password_hash.startswith("$argon2id$")
    assert code not in edge.enrol_code_hash
    assert issuer.public not in issuer.sealed_private


def test_a_guest_is_exported_whole_and_forgotten_without_a_scratch_to_the_rest(
    say: Say, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway import bootstrap
    from gateway.settings import read_settings
    from tests.support.gateway_world import RESORT, LoadResort, Resettle

    known = {service.name: service for service in (MakeParty(), LoadResort())}
    plain = bootstrap.all_services
    monkeypatch.setattr(bootstrap, "all_services", lambda *given: {**plain(*given), **known})
    with bootstrap.running(read_settings()) as gateway:
        gateway.do("test.resort", Resettle(RESORT))
        guest = gateway.do("test.party", NewParty(pin="scrypt1$secret"))["guest_id"]

    def everything() -> dict[str, list[object]]:
        database = Database(database_url)
        with database.read() as connection:
            found = {
                kind.__name__: rows_where(connection, kind)
                for kind in (
                    r.PartyRow,
                    r.GuestRow,
                    r.TokenRow,
                    r.EntitlementRow,
                    r.AccountRow,
                    r.TokenDocumentRow,
                )
            }
        database.close()
        return found

    before = everything()
    status, text, _ = say("export", guest)
    held = json.loads(text)
    assert status == 0
    assert held["person"][0]["email"] == "ada@example.org"
    assert held["entitlements"][0]["body"]["parks"] == ["lagoon"]
    assert "scrypt1" not in text

    assert say("forget", guest)[0] == 0
    person = json.loads(say("export", guest)[1])["person"][0]
    assert {person[name] for name in ("given_name", "family_name", "email", "phone", "plate")} == {""}
    assert person["forgotten_at"]
    assert everything() == before
    database = Database(database_url)
    with database.read() as connection:
        for table in ("person", "command", "feed_entry", "token_document", "party"):
            dump = str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            assert not any(word in dump for word in ("Ada", "Marsh", "ada@example.org")), table
    database.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_run_serves_until_it_is_told_to_end(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("load", str(DEMO))
    monkeypatch.setenv("PASSBAND_PORT", str(free_port()))
    command = [sys.executable, str(ROOT / "passband.py"), "gateway", "run"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            # The socket listens already: the request waits until the gateway is up.
            with urllib.request.urlopen(f"{url}/api/v1/resort", timeout=60) as answer:
                assert json.load(answer)["code"] == "lagoon-bay"
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_another_master_key_is_said_in_one_sentence(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("load", str(DEMO))
    monkeypatch.setenv("PASSBAND_PORT", "0")
    monkeypatch.setenv("PASSBAND_MASTER_KEY", base64.b64encode(bytes(32)).decode())
    status, _, error = say("run")

    assert status == 1
    assert "PASSBAND_MASTER_KEY" in error
    assert "Traceback" not in error


def test_a_taken_port_is_said_in_one_sentence(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("PASSBAND_PORT", str(taken.getsockname()[1]))
        status, _, error = say("run")

    assert status == 1
    assert "PASSBAND_PORT" in error
    assert error.count("\n") == 1


def test_the_words_about_chips_and_keys_tell_what_there_is(say: Say, tmp_path: Path) -> None:
    say("load", str(DEMO))
    file = tmp_path / "spring.csv"
    file.write_text("uid,printed_id,kind\n04A1B2C3D4E5F6,PB-1,ntag424\n04:00:00:00:00:00:02,pb-2,NTAG216\n")
    assert say("chips", "import", str(file)) == (0, "2 chips of batch spring are in stock.\n", "")
    assert say("chips", "import", str(file)) == (0, "2 chips of batch spring were imported before.\n", "")
    status, out, _ = say("chips", "import", str(file), "--batch", "summer")
    assert status == 1
    assert [line.split(": ")[0] for line in out.splitlines()] == [f"{file}:2", f"{file}:3"]
    file.write_text("uid,printed_id,kind\n04A1B2C3D4E5F6,PB-1,ntag424\n")
    assert say("chips", "import", str(file))[0] == 1
    told = json.loads(say("chips", "list", "--state", "stock", "--json")[1])["chips"]
    assert [each["printed_id"] for each in told] == ["PB-1", "PB-2"]
    assert say("chips", "list", "--batch", "summer") == (0, "No chips.\n", "")
    counted = json.loads(say("chips", "status", "--json")[1])["batches"]
    assert [(each["kind"], each["stock"], each["written"]) for each in counted] == [
        ("ntag216", 1, 0),
        ("ntag424", 1, 0),
    ]
    for family in ("issuer", "chips"):
        assert json.loads(say("keys", "rotate", f"--{family}", "--json")[1])["epoch"] == 2
        epochs = json.loads(say("keys", "status", "--json")[1])[family]
        assert [(each["epoch"], each["in_use"]) for each in epochs] == [(1, False), (2, True)]
        assert say("keys", "retire", "2", f"--{family}")[0] == 1
        assert say("keys", "retire", "3", f"--{family}")[0] == 1
        assert say("keys", "retire", "1", f"--{family}")[0] == 0
        epochs = json.loads(say("keys", "status", "--json")[1])[family]
        assert [each["state"] for each in epochs] == ["retired", "active"]
    assert say("keys", "rotate")[0] == 2
    assert say("keys", "rotate", "--issuer", "--chips")[0] == 2
