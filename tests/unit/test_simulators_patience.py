"""Patience follows progress: a slow machine is waited for, a story that stands still is not, and nothing for ever."""

from dataclasses import dataclass, field

from simulators.patience import CEILING_S, QUIET_S, Patience


@dataclass
class Watch:
    """A clock turned by hand, and something that may move."""

    now: float = 100.0
    position: int = 0
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience(lambda: self.position, quiet_s=40, ceiling_s=180, monotonic=lambda: self.now)

    def lasts_after(self, seconds: float, moved: int = 0) -> bool:
        self.now += seconds
        self.position += moved
        return self.patience.lasts()


def test_without_any_movement_it_ends_when_nothing_will_come() -> None:
    watch = Watch()
    assert watch.lasts_after(39.9)
    assert not watch.lasts_after(0.1)
    assert watch.patience.waited_s == 40.0


def test_each_movement_begins_the_quiet_anew() -> None:
    watch = Watch()
    for _ in range(4):
        assert watch.lasts_after(39.9, moved=1)
    assert not watch.lasts_after(20.4), "the ceiling stands, whatever moves"


def test_whatever_moves_it_ends_at_the_ceiling() -> None:
    watch = Watch()
    waited = 0
    while watch.lasts_after(1, moved=1):
        waited += 1
    assert waited == 179


def test_a_busy_machine_gets_far_more_time_than_one_that_stands_still() -> None:
    assert CEILING_S > 4 * QUIET_S
