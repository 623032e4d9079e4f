"""Counting tries: a moving window, a bounded memory, kinds apart, and only what failed."""

import pytest

from gateway.errors import Busy, Rejection, TooMany
from gateway.settings import Environment, Settings
from gateway.tries import Failures, Kind, MovingWindow, address_key


class Hand:
    """Seconds moved by hand."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def time_s() -> Hand:
    return Hand()


def wrong(failures: Failures, kind: Kind, name: str, address: str, code: str = "sign_in_refused") -> str:
    """Make one wrong try; return the code of what it was told."""
    with pytest.raises(Rejection) as told, failures.trying(kind, name, address):
        raise Rejection(code, 401, "wrong")
    return told.value.code


def test_a_window_moves_with_time(time_s: Hand) -> None:
    window = MovingWindow("2/10 seconds", time_s)
    assert [window.take("a"), window.take("a"), window.take("b")] == [0, 0, 0]
    time_s.s += 4
    assert window.take("a") == 6
    time_s.s += 5.9
    assert window.take("a") > 0
    time_s.s += 0.1
    assert window.take("a") == 0


def test_unknown_names_do_not_grow_memory_without_bound(time_s: Hand) -> None:
    window = MovingWindow("1/hour", time_s, names_max=100)
    for number in range(1000):
        assert window.take(f"nobody {number}") == 0
    assert len(window) == 100
    assert window.take("nobody 999") > 0, "the newest are kept"
    assert window.take("nobody 0") == 0, "the oldest were pushed out"
    assert len(window) == 100


def test_a_name_is_limited_tightly_and_an_address_loosely(time_s: Hand) -> None:
    failures = Failures("3/minute", "5/minute", time_s)
    told = [wrong(failures, Kind.GUEST, "A", "192.0.2.1") for _ in range(4)]
    assert told == ["sign_in_refused"] * 3 + ["too_many_tries"]
    # What was refused for its name counts for no address, nor does another address open the name again.
    assert wrong(failures, Kind.GUEST, "A", "192.0.2.2") == "too_many_tries"
    told = [wrong(failures, Kind.GUEST, f"B{n}", "192.0.2.1") for n in range(3)]
    assert told == ["sign_in_refused"] * 2 + ["too_many_tries"]
    assert wrong(failures, Kind.STAFF, "A", "192.0.2.1") == "sign_in_refused"
    time_s.s += 60
    assert wrong(failures, Kind.GUEST, "A", "192.0.2.1") == "sign_in_refused"


def test_a_success_and_a_busy_gateway_cost_nothing(time_s: Hand) -> None:
    failures = Failures("1/minute", "1/minute", time_s)
    for _ in range(3):
        with failures.trying(Kind.GUEST, "A", "192.0.2.1"):
            pass
        with pytest.raises(Busy), failures.trying(Kind.GUEST, "A", "192.0.2.1"):
            raise Busy()
        with pytest.raises(ZeroDivisionError), failures.trying(Kind.GUEST, "A", "192.0.2.1"):
            raise ZeroDivisionError
    assert wrong(failures, Kind.GUEST, "A", "192.0.2.1") == "sign_in_refused"


def test_many_tries_at_once_are_no_way_round(time_s: Hand) -> None:
    failures = Failures("2/minute", "9/minute", time_s)
    with (
        failures.trying(Kind.GUEST, "A", "x"),
        failures.trying(Kind.GUEST, "A", "x"),
        pytest.raises(TooMany) as told,
        failures.trying(Kind.GUEST, "A", "x"),
    ):
        raise AssertionError("a third try was let in")
    assert told.value.headers == {"Retry-After": "60"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("testclient", "unknown", False),
    ],
)
def test_an_ipv6_network_is_one_address(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same


def test_a_rate_that_is_none_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="bookings_per_address"):
        Settings(environment=Environment.SIMULATION, bookings_per_address="often")
