"""One real edge process: sales through its web, PIN and hold, encoding on an emulated chip, a clean stop."""

import json
from datetime import UTC, datetime

import pytest

from simulators.chips.ntag21x import Ntag21x
from tests.support.edge_process import TILL_KEY, EdgeProcess, a_band
from tests.support.edge_world import UID, a_document, an_id
from tests.support.fake_gateway import FakeGateway
from wallet.tap import Hold, HoldAnswer

NOW = datetime.now(UTC)
KEY = {"authorization": f"Bearer {TILL_KEY}"}


@pytest.fixture(scope="module")
def gateway():
    gateway = FakeGateway()
    for n in range(1, 4):
        gateway.put(a_document(n, at=NOW))
    yield gateway
    gateway.cut()


@pytest.fixture(scope="module")
def edge(tmp_path_factory, gateway):
    edge = EdgeProcess(tmp_path_factory.mktemp("edge"), gateway.url, ("till-1", "encoder-1", "door-101"))
    assert edge.words("enrol", "--code", "ABC123").returncode == 0
    edge.start()
    edge.wait_until(lambda status: status.online and status.as_of is not None)
    yield edge
    assert edge.terminate() == 0
    edge.stop()


def sale(edge, sale_id, item="soup", quantity=1, status=201):
    body = {"sale_id": sale_id, "lines": [{"item": item, "quantity": quantity}]}
    answer = edge.ask("POST", "/tills/till-1/sales", json=body, headers=KEY)
    assert answer.status_code == status, answer.text
    return answer.json()


def of(edge, sale_id, **parameters):
    return edge.get(f"/tills/till-1/sales/{sale_id}", headers=KEY, params=parameters).json()


def test_a_sale_is_paid_by_the_next_tap_and_told_to_the_till(edge):
    opened = sale(edge, "s-1", quantity=2)
    assert (opened["state"], opened["total_minor"]) == ("open", 1800)
    assert b"green" in edge.tap("till-1", a_band(1, NOW))
    told = of(edge, "s-1", wait_s=5)
    assert told["state"] == "approved"
    assert sale(edge, "s-1", quantity=2) == told, "the same sale again tells what became of it"
    assert sale(edge, "s-1", quantity=3, status=422)["code"] == "idempotency_key_reused"


def test_tax_that_the_price_lacks_is_added(edge):
    assert sale(edge, "s-tip", item="tip")["total_minor"] == 116
    assert edge.ask("POST", "/tills/till-1/sales/s-tip/cancel", headers=KEY).json()["state"] == "cancelled"


def test_a_large_sale_takes_hold_and_pin(edge, gateway):
    gateway.hold = Hold(HoldAnswer.HELD)
    sale(edge, "s-2", item="watch")
    assert b'"asks"' in edge.tap("till-1", a_band(2, NOW))
    assert of(edge, "s-2")["state"] == "asks_pin"
    edge.ask("POST", "/tills/till-1/sales/s-2/pin", json={"pin": "0000"}, headers=KEY)
    edge.wait_until(lambda _: of(edge, "s-2")["state"] == "asks_pin")
    edge.ask("POST", "/tills/till-1/sales/s-2/pin", json={"pin": "1234"}, headers=KEY)
    edge.wait_until(lambda _: of(edge, "s-2")["state"] == "approved")

    def paid():
        return [each.tap for each in gateway.taps() if each.tap.sale and each.tap.sale.sale_id == "s-2"]

    assert gateway.wait_for(paid)
    assert [tap.hold.answer for tap in paid()] == [HoldAnswer.HELD]


def test_a_paid_sale_outlives_the_process(edge):
    sale(edge, "s-3")
    assert b"green" in edge.tap("till-1", a_band(3, NOW))
    edge.kill()
    edge.start()
    edge.wait_until(lambda status: status.as_of is not None)
    assert sale(edge, "s-3")["state"] == "approved", "and no second tap is asked for"


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/tills/till-1/sales", {"json": {}}, 401),
        ("GET", "/tills/till-1/sales/s-1", {"headers": {"authorization": "Bearer wrong"}}, 401),
        ("POST", "/tills/till-1/sales", {"content": b"{", "headers": KEY}, 400),
        ("POST", "/tills/till-1/sales", {"json": {"sale_id": "x", "lines": []}, "headers": KEY}, 422),
        ("POST", "/tills/till-1/sales", {"content": b"x" * 70_000, "headers": KEY}, 413),
        (
            "POST",
            "/tills/door-101/sales",
            {"json": {"sale_id": "x", "lines": [{"item": "soup", "quantity": 1}]}, "headers": KEY},
            404,
        ),
        ("GET", "/tills/till-1/sales/none", {"headers": KEY}, 404),
        ("GET", "/taps?limit=x", {}, 422),
        ("GET", "/taps?limit=²", {}, 422),
        ("GET", "/tills/till-1/sales/s-1?wait_s=nan", {"headers": KEY}, 422),
        ("GET", "/nowhere", {}, 404),
        ("DELETE", "/status", {}, 405),
    ],
)
def test_what_is_wrong_is_a_problem_document(edge, method, path, options, status):
    answer = edge.ask(method, path, **options)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_the_page_tells_how_the_edge_is(edge):
    page = edge.get("/")
    assert page.status_code == 200
    assert "Edge edge-1" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    told = edge.words("status", "--json")
    assert (told.returncode, json.loads(told.stdout)["troubles"]) == (0, [])


def test_a_reader_that_is_down_is_no_success(tmp_path):
    gateway = FakeGateway()
    broken = EdgeProcess(tmp_path, gateway.url, ("gate-1",))
    # A serial reader that is not there: no driver opens it.
    settings = (
        broken.settings.read_text().partition("path =")[0] + f'path = "scanner:{tmp_path}/no-such-tty"\n'
    )
    broken.settings.write_text(settings)
    assert broken.words("enrol", "--code", "ABC123").returncode == 0
    broken.start()
    try:
        broken.wait_until(lambda status: status.readers[0].state == "down" and status.as_of is not None)
        for words in (("status",), ("status", "--json")):
            told = broken.words(*words)
            assert told.returncode == 1
            assert "reader gate-1-nfc at gate-1 is down: " in told.stdout
    finally:
        broken.stop()
        gateway.cut()


def test_an_empty_chip_becomes_a_band_that_opens_the_door(edge, gateway):
    chip = Ntag21x("ntag216", UID)
    with gateway.lock:
        gateway.jobs["job-1"] = {
            "encoding_id": "job-1",
            "token_id": an_id(1, 1),
            "encoder": "encoder-1",
            "kind": "band",
        }
    field = edge.fields["encoder-1"]
    field.present(chip)
    assert gateway.wait_for(lambda: gateway.confirmed)
    field.remove()
    assert gateway.confirmed == [("job-1", {"ok": True, "medium_id": an_id(1, 2)})]
    assert b"green" in edge.tap("door-101", chip)


def test_an_unknown_chip_is_refused_and_the_reader_lives(edge):
    for number, kind in enumerate(("ntag213", "ntag216")):
        line = edge.tap("door-101", Ntag21x(kind, bytes([4, number]) + b"other"))
        assert b"credential_missing" in line
    assert b"green" in edge.tap("door-101", a_band(1, NOW))
