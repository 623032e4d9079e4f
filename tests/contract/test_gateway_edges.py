"""Edges at the gateway's door: enrolling once, signing every request, reading their own part of the feed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.services.edge import ENROL_CODE_LIFE, NewEdge
from gateway.services.staff import FormerStaff
from tests.support.gateway_http import API, Doors, Edge, doors, key
from wallet.snapshot import FeedBatch, Snapshot, decode


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    with doors(database_url, tmp_path) as made:
        yield made


def test_an_edge_enrols_with_its_code_once(house: Doors) -> None:
    code = house.announce("park", "park")
    first, second = Edge(house.http, "park"), Edge(house.http, "park")
    headers = key()
    done = house.enrol(first, code, headers)

    assert done.status_code == 200
    answer = done.json()
    assert (answer["venue"], answer["pin_pepper"], answer["resort_version"]) == ("park", None, 1)
    assert answer["issuer_keys"] == house.gateway.issuer.public_keys()
    assert house.enrol(second, code).json()["code"] == "enrolment_refused"
    # Its answer was lost: the same wish under the same key is told again.
    assert house.enrol(first, code, headers).json() == answer
    assert first.get("/edge/anchors").json() == answer
    assert second.get("/edge/anchors").status_code == 401


def test_a_reimaged_edge_goes_on_until_its_new_key_takes_over(house: Doors) -> None:
    old = house.enrolled("park", "park")
    code = house.announce("park", "park")
    assert old.get("/edge/anchors").status_code == 200
    new = Edge(house.http, "park")
    assert house.enrol(new, code).status_code == 200

    assert new.get("/edge/anchors").status_code == 200
    assert old.get("/edge/anchors").status_code == 401


@pytest.mark.parametrize("code", ["", "2222 2222 2222", "' OR 1=1 --", "\u0000" * 8])
def test_a_wrong_code_enrols_nothing(house: Doors, code: str) -> None:
    house.announce("park", "park")

    assert house.enrol(Edge(house.http, "park"), code).status_code in (401, 422)
    assert house.enrol(Edge(house.http, "unknown"), "222222222222").status_code == 401


@pytest.mark.parametrize("public", ["00" * 32, "01" + "00" * 31])
def test_a_key_under_which_anyone_could_sign_enrols_nothing_and_leaves_the_code(
    house: Doors, public: str
) -> None:
    code = house.announce("park", "park")
    wish = {"edge": "park", "code": code, "public_key": public}
    told = house.http.post(f"{API}/edges/enrol", json=wish, headers=key())
    assert (told.status_code, told.json()["code"]) == (422, "unsound_key")
    assert house.enrol(Edge(house.http, "park"), code).status_code == 200


def test_a_code_too_old_enrols_nothing(house: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    code_hash = house.gateway.vault.code_hash("enrol", "OLD2CODE")
    house.gateway.do("edge.add", NewEdge("park", "park", code_hash))
    later = house.gateway.clock.now() + ENROL_CODE_LIFE
    monkeypatch.setattr(house.gateway.clock, "now", lambda: later)

    assert "too old" in house.enrol(Edge(house.http, "park"), "OLD2CODE").json()["detail"]


def test_an_edge_keeps_its_venue_and_a_venue_must_exist(house: Doors) -> None:
    house.enrolled("park", "park")
    told = [
        house.http.post(f"{API}/edges", json=wish, headers=house.staff("operations") | key()).json()["code"]
        for wish in (
            {"id": "park", "venue": "cove"},
            {"id": "x", "venue": "moon"},
            {"id": "A B", "venue": "park"},
        )
    ]
    assert told == ["edge_elsewhere", "unknown_venue", "invalid"]


def test_a_request_sent_twice_is_refused_the_second_time(house: Doors) -> None:
    edge = house.enrolled("park", "park")
    target = f"{API}/edge/anchors"
    headers = edge.signed("GET", target)

    assert house.http.get(target, headers=headers).status_code == 200
    again = house.http.get(target, headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "signature_replayed")


def test_thirty_at_once_with_one_signature_let_one_through(house: Doors) -> None:
    edge = house.enrolled("park", "park")
    target = f"{API}/edge/anchors"
    headers = edge.signed("GET", target)
    gate = threading.Barrier(10)

    def ask(_: int) -> int:
        gate.wait(10)
        return house.http.get(target, headers=headers).status_code

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(ask, range(10))) == [200] + [401] * 9


def forged(edge: Edge, how: str) -> tuple[str, dict[str, str], bytes]:
    """Return a request that was tampered with in one way: target, headers and body."""
    target = f"{API}/edge/feed?after=0"
    headers, body = edge.signed("GET", target), b""
    match how:
        case "other key":
            headers = Edge(edge.http, edge.id).signed("GET", target)
        case "other edge's name":
            headers["signature-input"] = headers["signature-input"].replace('keyid="park"', 'keyid="cove"')
        case "other target":
            target = f"{API}/edge/feed?after=1"
        case "other method":
            headers = edge.signed("POST", target)
        case "other body":
            body = b"{}"
        case "no signature":
            del headers["signature"]
        case "no digest":
            del headers["content-digest"]
        case "old":
            headers = edge.signed("GET", target, skew_s=-301)
        case "future":
            headers = edge.signed("GET", target, skew_s=330)
        case "garbage":
            headers["signature"] = "sig1=:AAAA:"
        case "unknown edge":
            headers = Edge(edge.http, "nobody").signed("GET", target)
        case "unreadable":
            headers["signature-input"] = "sig1=()"
    return target, headers, body


@pytest.mark.parametrize(
    "how",
    [
        "other key",
        "other edge's name",
        "other target",
        "other method",
        "other body",
        "no signature",
        "no digest",
        "old",
        "future",
        "garbage",
        "unknown edge",
        "unreadable",
    ],
)
def test_a_request_not_signed_as_it_must_be_is_refused(house: Doors, how: str) -> None:
    edge = house.enrolled("park", "park")
    house.enrolled("cove", "cove")
    target, headers, body = forged(edge, how)
    answer = house.http.request("GET", target, headers=headers, content=body)

    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused"), how


def test_staff_and_guests_do_not_get_in_by_the_edges_door_nor_an_edge_by_theirs(house: Doors) -> None:
    edge = house.enrolled("park", "park")

    assert house.http.get(f"{API}/edge/anchors", headers=house.staff("operations")).status_code == 403
    assert edge.get("/edges").status_code == 403
    assert edge.get("/feed").status_code == 403


def test_an_edge_reads_snapshot_and_feed_of_its_venue(house: Doors) -> None:
    edge = house.enrolled("park", "park")
    snapshot = decode(edge.get("/edge/snapshot").content, Snapshot)
    batch = decode(edge.get(f"/edge/feed?after={snapshot.position}").content, FeedBatch)

    assert snapshot.resort.code == "lagoon"
    assert (batch.from_position, batch.changes) == (snapshot.position, ())
    assert edge.get("/edge/feed?after=1000000").json()["code"] == "feed_ahead"


def test_operations_read_the_feed_by_pages_without_a_gap(house: Doors) -> None:
    house.enrolled("park", "park")
    operations, after, seen = house.staff("operations"), 0, []
    while True:
        page = house.http.get(f"{API}/feed?after={after}&limit=2", headers=operations).json()
        seen += [entry["position"] for entry in page["entries"]]
        if page["next"] == after:
            break
        after = page["next"]

    assert seen == list(range(1, page["head"] + 1))
    assert len(seen) > 3


def test_a_stream_ends_with_the_account_of_its_reader(house: Doors) -> None:
    operations, head = house.staff("operations"), house.gateway.feed.head
    target = f"{API}/feed/stream?after={head - 1}"
    closing = threading.Timer(0.5, house.gateway.do, ("staff.close", FormerStaff("operations")))
    # Only a stream that does not end by itself gets this far.
    at_last = threading.Timer(20.0, house.gateway.feed.release)
    closing.start()
    at_last.start()
    answer = house.http.get(target, headers=operations)
    at_last.cancel()
    closing.join()

    assert [line for line in answer.text.splitlines() if line.startswith("id: ")] == [f"id: {head}"]
    assert not house.gateway.feed.closing
    assert house.http.get(target, headers=operations).status_code == 401


@pytest.mark.parametrize("given", ["header", "query"])
def test_the_stream_resumes_behind_the_last_event_seen(house: Doors, given: str) -> None:
    house.enrolled("park", "park")
    operations, head = house.staff("operations"), house.gateway.feed.head
    if given == "header":
        operations["Last-Event-ID"] = str(head - 2)
    target = f"{API}/feed/stream" + (f"?after={head - 2}" if given == "query" else "")

    # The client gives the whole answer at once, so the stream must end: as it does when the gateway is told to.
    ending = threading.Timer(1.0, house.gateway.feed.release)
    ending.start()
    answer = house.http.get(target, headers=operations)
    ending.join()

    told = [line for line in answer.text.splitlines() if line.startswith("id: ")]
    assert told == [f"id: {head - 1}", f"id: {head}"]
    assert answer.headers["content-type"].startswith("text/event-stream")
