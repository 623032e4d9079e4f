"""The people of the story are patient, and each command goes under one key."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from simulators.beats import Beats
from simulators.demo.api import Api, Session
from simulators.demo.faults import Refused, StoryFailed
from simulators.dice import Dice
from simulators.kills import plan_kills

SHORT = {"quiet_s": 0.15, "ceiling_s": 30.0, "monotonic": time.monotonic}
NAMES = ("gateway", "park", "field")


@dataclass
class Server:
    """A server that gives the answers it was told to, in order, and keeps what it was asked."""

    answers: list[tuple[int, dict[str, object]]]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(*answers: tuple[int, dict[str, object]]) -> Iterator[Server]:
    server = Server(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, body = server.answers.pop(0)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def test_a_command_is_repeated_under_the_same_key_until_it_is_answered() -> None:
    with serving((503, {}), (429, {}), (200, {"done": True})) as server:
        assert Api(server.url, Dice(1)).command("book", "/bookings", {"a": 1}) == {"done": True}
    keys = {headers["idempotency-key"] for _, headers in server.asked}
    assert keys == {Dice(1).command_id("book")}
    assert len(server.asked) == 3


def test_who_asks_waits_for_a_server_for_as_long_as_something_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.patience.Patience.__init__.__kwdefaults__", SHORT)
    steps = iter(range(1000))
    with serving(*[(503, {})] * 5, (200, {"done": True})) as server:
        patient = Api(server.url, Dice(1), moves=lambda: next(steps))
        assert patient.command("book", "/bookings", {}) == {"done": True}
    with serving(*[(503, {})] * 5) as server, pytest.raises(StoryFailed, match="was not answered"):
        Api(server.url, Dice(1)).command("book", "/bookings", {})
    assert len(server.asked) < 5


def test_a_refusal_is_not_repeated_and_says_why() -> None:
    full = (409, {"code": "window_full", "detail": "No place left."})
    with serving(full) as server, pytest.raises(Refused, match=r"No place left\. \(409 window_full\)"):
        Api(server.url, Dice(1)).command("pick", "/reservations", {})
    assert len(server.asked) == 1


def test_a_session_that_ran_out_is_renewed_once() -> None:
    tokens = iter(["first", "second"])
    with serving((401, {}), (200, {"done": True})) as server:
        Api(server.url, Dice(1)).command("pick", "/reservations", {}, Session(lambda: next(tokens)))
    assert [headers["authorization"] for _, headers in server.asked] == ["Bearer first", "Bearer second"]


def test_a_session_that_is_never_good_enough_is_a_refusal() -> None:
    unknown = (401, {"title": "Sign in."})
    with serving(unknown, unknown) as server, pytest.raises(Refused, match="Sign in"):
        Api(server.url, Dice(1)).command("pick", "/reservations", {}, Session(lambda: "bad"))


def test_kills_are_the_same_for_the_same_seed_and_strike_everyone() -> None:
    kills = plan_kills(Dice(5), NAMES, each=3, steps=60)
    assert (
        kills == plan_kills(Dice(5), NAMES, each=3, steps=60) != plan_kills(Dice(6), NAMES, each=3, steps=60)
    )
    assert {name: sum(kill.name == name for kill in kills) for name in NAMES} == dict.fromkeys(NAMES, 3)
    assert [kill.beat for kill in kills] == sorted(kill.beat for kill in kills)
    assert all(2 <= kill.beat <= 60 for kill in kills)


def test_who_waits_for_a_step_wakes_when_it_comes() -> None:
    beats = Beats()
    reached: list[bool] = []
    waiter = threading.Thread(target=lambda: reached.append(beats.wait_for(2)))
    waiter.start()
    beats.tick()
    beats.tick()
    waiter.join(10)
    assert reached == [True]


def test_who_waits_for_a_step_that_never_comes_is_let_go() -> None:
    beats = Beats()
    beats.tick()
    beats.close()
    assert beats.wait_for(2) is False
    assert beats.wait_for(1) is True
