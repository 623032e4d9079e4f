"""The field is a process of its own: real readers see its chips, and its memory outlives a kill."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from readers.drivers import open_driver
from readers.drivers.base import Contact, Driver
from simulators.field.settings import FieldFault, load_field_settings
from tests.simulation.support import READY_S, RunningField, running_field
from wallet import phone, qr
from wallet.device_key import compressed, is_signed, possession

UID = "04a1b2c3d4e5f6"
OTHER_UID = "04a1b2c3d4e5f7"
CREDENTIAL = b"a signed credential of the usual length, which is about " * 2
PATIENCE_S = 15.0


@pytest.fixture(scope="module")
def lasting_field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningField]:
    with running_field(tmp_path_factory.mktemp("field")) as running:
        yield running


@pytest.fixture
def field(lasting_field: RunningField) -> Iterator[RunningField]:
    yield lasting_field
    for name in ("gate-nfc", "door-nfc"):
        lasting_field.post(f"/fields/{name}/remove")


@contextmanager
def reader(path: str, write: bytes | None = None) -> Iterator["queue.Queue[tuple[str, bytes | None]]"]:
    """Serve a real driver; what it read (UID, credential) comes in the queue."""
    with serving(open_driver(path, time.monotonic), write) as found:
        yield found


@contextmanager
def serving(driver: Driver, write: bytes | None = None) -> Iterator["queue.Queue[tuple[str, bytes | None]]"]:
    found: queue.Queue[tuple[str, bytes | None]] = queue.Queue()
    stop = threading.Event()

    def handle(contact: Contact) -> None:
        if write is not None:
            contact.write_credential(write)
        found.put((contact.uid.hex(), contact.read_credential()))

    thread = threading.Thread(target=driver.serve, args=(handle, stop))
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("kind", ["ntag216", "ntag424", "type4"])
def test_a_chip_keeps_over_a_kill_what_a_reader_wrote(field: RunningField, kind: str) -> None:
    uid = {"ntag216": "04aa0000000001", "type4": "04aa0000000002", "ntag424": "04aa0000000003"}[kind]
    field.post("/chips", {"kind": kind, "uid": uid}, 201)
    path = f"udp:127.0.0.1:{field.nfc_port}"
    with reader(path, write=CREDENTIAL) as found:
        field.post("/fields/gate-nfc/present", {"chip": uid})
        assert found.get(timeout=PATIENCE_S) == (uid, CREDENTIAL)
    kill(field)
    with reader(path) as found:
        field.post("/fields/gate-nfc/present", {"chip": uid})
        assert found.get(timeout=PATIENCE_S) == (uid, CREDENTIAL)


def test_the_same_chip_held_again_is_a_new_tap(field: RunningField) -> None:
    field.post("/chips", {"kind": "ntag216", "uid": UID}, 201)
    driver = open_driver(f"udp:127.0.0.1:{field.nfc_port}", time.monotonic)
    with serving(driver) as found:
        for _ in range(2):
            field.post("/fields/gate-nfc/present", {"chip": UID})
            assert found.get(timeout=PATIENCE_S) == (UID, None)
            field.post("/fields/gate-nfc/remove")
            # A reader that gets no time to look takes a chip that came back meanwhile for one that never left.
            wait_until(lambda: not driver.health().occupied)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline
        pause.wait(0.01)


def test_a_chip_that_is_held_for_a_time_leaves_by_itself(field: RunningField) -> None:
    field.post("/chips", {"kind": "ntag216", "uid": UID}, 201)
    field.post("/fields/gate-nfc/present", {"chip": UID, "hold_s": 0.05})
    deadline = time.monotonic() + PATIENCE_S
    while field.get("/state")["fields"] != {"gate-nfc": {"chip": None}, "door-nfc": {"chip": None}}:
        assert time.monotonic() < deadline, "the chip is still there"
    field.post("/chips", {"kind": "ntag216", "uid": OTHER_UID}, 201)
    field.post("/fields/gate-nfc/present", {"chip": OTHER_UID})


def test_a_field_holds_one_chip_and_a_chip_is_in_one_place(field: RunningField) -> None:
    for uid in (UID, OTHER_UID):
        field.post("/chips", {"kind": "ntag216", "uid": uid}, 201)
    field.post("/fields/gate-nfc/present", {"chip": UID})
    assert "remove it first" in str(
        field.post("/fields/gate-nfc/present", {"chip": OTHER_UID}, 409)["detail"]
    )
    assert "two places" in str(field.post("/fields/door-nfc/present", {"chip": UID}, 409)["detail"])


def test_a_scanner_sends_what_is_shown_to_it(field: RunningField) -> None:
    with reader(f"scanner:socket://127.0.0.1:{field.qr_port}") as found:
        text = qr.encode(CREDENTIAL)
        field.post("/scanners/gate-qr/show", {"text": text})
        assert found.get(timeout=PATIENCE_S) == ("", text.encode())


def test_a_phone_keeps_its_key_over_a_kill_and_signs_what_it_shows(field: RunningField) -> None:
    new = {"phone": "0190a000-0000-7000-8000-000000000001", "secret": "01" * 32, "command_id": "bind-key-1"}
    made = field.post("/phones", new, 201)
    kill(field)
    assert field.post("/phones", new, 201)["public_key"] == made["public_key"]
    key = compressed(bytes.fromhex(str(made["public_key"])))
    claim = possession(str(new["phone"]), "bind-key-1")
    assert is_signed(key, claim, bytes.fromhex(str(made["signature"])))
    shown = {"phone": new["phone"], "credential": CREDENTIAL.hex(), "at": "2030-06-10T10:00:00Z"}
    with reader(f"scanner:socket://127.0.0.1:{field.qr_port}") as found:
        told = field.post("/scanners/gate-qr/show-pass", shown)
        read = found.get(timeout=PATIENCE_S)[1]
    assert read == str(told["text"]).encode()
    code = phone.decode(qr.decode(str(told["text"])))
    phone.check(code, key)
    assert (code.credential, code.shown_at) == (CREDENTIAL, datetime(2030, 6, 10, 10, tzinfo=UTC))
    stranger = field.post("/scanners/gate-qr/show-pass", shown | {"phone": "0190a000"}, 422)
    assert "browser of its own" in str(stranger["detail"])


def test_a_cut_outlives_a_kill(field: RunningField) -> None:
    link = f"http://127.0.0.1:{field.link_port}/healthz"
    assert httpx.get(link, trust_env=False).status_code == 200
    field.post("/networks/park/cut")
    kill(field)
    with pytest.raises(httpx.ConnectError):
        httpx.get(link, trust_env=False)
    field.post("/networks/park/heal")
    assert httpx.get(link, trust_env=False).status_code == 200


def test_mistakes_are_explained(field: RunningField) -> None:
    assert "no reader 'bar'" in str(field.post("/fields/bar/remove", status=404)["detail"])
    assert "create it first" in str(field.post("/fields/gate-nfc/present", {"chip": "04ff"}, 422)["detail"])
    assert "7 bytes" in str(field.post("/chips", {"kind": "type4", "uid": "04"}, 422)["detail"])
    assert "no chip 'felica'" in str(field.post("/chips", {"kind": "felica", "uid": UID}, 422)["detail"])
    assert "no network" in str(field.post("/networks/moon/cut", status=404)["detail"])


def test_a_port_used_twice_is_named(tmp_path: Path) -> None:
    settings = tmp_path / "field.toml"
    settings.write_text(
        'directory = "w"\ncontrol_port = 8000\n'
        'scanners = [{reader = "a", port = 8001}, {reader = "b", port = 8001}]\n'
    )
    with pytest.raises(FieldFault, match="TCP port 8001 stands there twice"):
        load_field_settings(settings)


def kill(field: RunningField) -> None:
    before = field.supervisor.restarts("field")
    field.supervisor.kill("field")
    deadline = time.monotonic() + PATIENCE_S
    while field.supervisor.restarts("field") == before:
        assert time.monotonic() < deadline, "the field was not started again"
        threading.Event().wait(0.02)
    field.supervisor.wait_ready("field", READY_S)
