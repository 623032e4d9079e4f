"""A slow database, and held locks: whatever can still be carried out is, and no one waits behind what cannot."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

import pytest

from gateway.bounds import WRITTEN_WITHIN_S
from gateway.clock import SystemClock
from gateway.errors import Busy, Unavailable
from tests.support.gateway_world import Charge, ChargeFolio, HandClock, House, command, held, house

COMMANDS = 32


class Slow:
    """A gateway whose every command takes so long, by a clock moved by hand."""

    def __init__(self, gateway: House, clock: HandClock, sizes: list[int]) -> None:
        self.gateway, self.clock, self.sizes = gateway, clock, sizes
        self.takes_s = 0.0

    def all_at_once(self, folio: str, ids: list[str]) -> list[str]:
        """Ask for everything in one moment; return what was answered Busy."""
        with self.gateway.conveyor._arrived:
            wishes = [
                self.gateway.conveyor.submit("test.charge", command(Charge(folio, 1), id)) for id in ids
            ]
        return [id for id, wish in zip(ids, wishes, strict=True) if isinstance(wish.exception(60), Busy)]


@pytest.fixture
def slow(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    clock, decide = HandClock(), ChargeFolio.decide
    sizes: list[int] = []

    def on_batch(outcomes: list[tuple[str, str]]) -> None:
        if {name for name, _ in outcomes} == {"test.charge"}:
            sizes.append(len(outcomes))

    with house(database_url, clock=clock, batch_max=COMMANDS, on_batch=on_batch) as gateway:
        made = Slow(gateway, clock, sizes)

        def slowly(self: ChargeFolio, state: Any, wish: Any) -> Any:
            clock.ahead_s += made.takes_s
            return decide(self, state, wish)

        monkeypatch.setattr(ChargeFolio, "decide", slowly)
        yield made


def test_a_database_too_slow_for_a_whole_batch_gets_smaller_ones(slow: Slow) -> None:
    """However often all come again: a batch as large as the last would be rolled back like the last."""
    folio = slow.gateway.party()["folio"]
    waiting = [f"slow-{number}" for number in range(COMMANDS)]
    slow.takes_s = 2 * WRITTEN_WITHIN_S / COMMANDS * 1.05
    left = []
    while waiting and len(left) < 10:
        waiting = slow.all_at_once(folio, waiting)
        left.append(len(waiting))
    assert waiting == [], f"left after each round: {left}"
    assert left[0] == COMMANDS, "the first batch was rolled back, and nobody of it was still in time"
    assert slow.gateway.do("test.charge", Charge(folio, 1)) == {"balance_minor": COMMANDS + 1}


def test_batches_grow_again_once_the_database_is_quick(slow: Slow) -> None:
    folio = slow.gateway.party()["folio"]
    slow.takes_s = 2 * WRITTEN_WITHIN_S / COMMANDS * 1.05
    for turn in range(2):
        slow.all_at_once(folio, [f"slow-{turn}-{number}" for number in range(COMMANDS)])
    slow.takes_s = 0.0
    # A batch is counted after it is answered: once the next one is answered, it has been.
    slow.gateway.party()
    slow.sizes.clear()
    assert slow.all_at_once(folio, [f"quick-{number}" for number in range(3 * COMMANDS)]) == []
    slow.gateway.party()
    assert slow.sizes[0] < COMMANDS
    assert COMMANDS in slow.sizes


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_held_locks_in_a_batch_hold_up_nobody_but_their_own_commands(slow: Slow) -> None:
    gateway = slow.gateway
    stuck, free = ([gateway.party()["folio"] for _ in range(2)] for _ in range(2))
    with ExitStack() as others:
        for folio in stuck:
            others.enter_context(held(gateway, f"ACCOUNT:{folio}"))
        began_s = SystemClock().monotonic()
        with gateway.conveyor._arrived:
            wishes: list[Future[Any]] = [
                gateway.conveyor.submit("test.charge", command(Charge(folio, 7))) for folio in stuck + free
            ]
        for wish in wishes[2:]:
            assert wish.result(20) == {"balance_minor": 7}
        took_s = SystemClock().monotonic() - began_s
        for wish in wishes[:2]:
            assert isinstance(wish.exception(20), (Unavailable, Busy))
    assert took_s < 3.0, "one wait of the batch, and then a glance at each"
    assert gateway.do("test.charge", Charge(stuck[0], 7)) == {"balance_minor": 7}
