"""What follows from a journal is done before the journal is acknowledged, however busy the gateway is."""

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.bootstrap import Gateway
from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.errors import Busy, Unavailable
from gateway.services.photos import GatherPhotos
from tests.support.api_world import EdgeApi, api
from tests.support.till import new_tap
from wallet.journal import GENESIS, EntryKind, JournalBatch, JournalEntry, chain
from wallet.snapshot import encode
from wallet.tap import Approved

EPOCH = "0190a000-0000-7000-8000-000000000001"


class Plaza:
    """The park's edge with three taps at its photo point, a minute apart."""

    def __init__(self, park: EdgeApi, gateway: Gateway, entries: tuple[JournalEntry, ...]) -> None:
        self.gateway, self._park, self._entries = gateway, park, entries
        self.gathered: list[tuple[datetime, datetime]] = []

    def bring(self, first: int, last: int) -> Any:
        entries = self._entries[first - 1 : last]
        head = chain(entries[-1].previous, entries[-1])
        return self._park.post("/edge/journal", encode(JournalBatch(1, "park", EPOCH, entries, head)))

    def at(self, number: int) -> datetime:
        return self._entries[number - 1].at

    def taken(self) -> int:
        with self.gateway.database.read() as connection:
            return max((head.number for head in rows_where(connection, r.JournalHeadRow)), default=0)


@pytest.fixture
def plaza(database_url: str, tmp_path: Path) -> Iterator[Plaza]:
    with api(database_url, tmp_path) as anyone:
        world, park = anyone.world, EdgeApi(anyone, "park", "park")
        entries, head = [], GENESIS
        for number in (1, 2, 3):
            at = world.clock.at + timedelta(minutes=number)
            tap = new_tap(world, "nobody", 1, at, touchpoint="photo-plaza", sale=None, pin=None)
            entries.append(
                JournalEntry(
                    edge="park",
                    epoch=EPOCH,
                    number=number,
                    kind=EntryKind.TAP,
                    at=at,
                    rulebook=1,
                    position=0,
                    previous=head,
                    tap=tap,
                    token_id="nobody",
                    decision=Approved("a right", ()),
                )
            )
            head = chain(head, entries[-1])
        yield Plaza(park, world.gateway, tuple(entries))


def busy_once(plaza: Plaza, monkeypatch: pytest.MonkeyPatch, error: Exception, *, at_once: bool) -> None:
    """Let the conveyor refuse the first gathering of photos, at its door or in the future it gave."""
    submit, refused = plaza.gateway.conveyor.submit, []

    def refusing(name: str, command: Any) -> Future[dict[str, Any]]:
        if name != "photo.gather":
            return submit(name, command)
        if not refused:
            refused.append(command)
            if at_once:
                raise error
            future: Future[dict[str, Any]] = Future()
            future.set_exception(error)
            return future
        assert isinstance(command.body, GatherPhotos)
        future = submit(name, command)
        future.add_done_callback(lambda done: done.result() and plaza.gathered.append(span(command.body)))
        return future

    monkeypatch.setattr(plaza.gateway.conveyor, "submit", refusing)


def span(wish: GatherPhotos) -> tuple[datetime, datetime]:
    return wish.from_at, wish.until_at


@pytest.mark.parametrize("at_once", [True, False], ids=["at the door", "in the future"])
@pytest.mark.parametrize("error", [Busy(), Unavailable()], ids=["busy", "unavailable"])
def test_what_the_gateway_had_no_time_for_is_asked_for_again(
    plaza: Plaza, monkeypatch: pytest.MonkeyPatch, error: Busy, at_once: bool
) -> None:
    busy_once(plaza, monkeypatch, error, at_once=at_once)
    answer = plaza.bring(1, 3)
    assert (answer.status_code, answer.json()["code"]) == (error.status, error.code)
    assert answer.headers["retry-after"] == str(error.retry_after_s)
    # The journal itself is home, and the edge brings it again.
    assert (plaza.taken(), plaza.gathered) == (3, [])
    assert plaza.bring(1, 3).json()["acknowledged"] == 3
    assert (plaza.taken(), plaza.gathered) == (3, [(plaza.at(1), plaza.at(3))])


def test_a_batch_cut_smaller_after_busy_is_acknowledged_as_far_as_it_goes(
    plaza: Plaza, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged to the journal's end, the edge would never bring the entries whose photos nobody gathered."""
    busy_once(plaza, monkeypatch, Busy(), at_once=False)
    assert plaza.bring(1, 3).status_code == 429
    assert plaza.bring(1, 1).json()["acknowledged"] == 1
    assert plaza.bring(2, 3).json()["acknowledged"] == 3
    assert plaza.gathered == [(plaza.at(1), plaza.at(1)), (plaza.at(2), plaza.at(3))]


def test_cut_in_another_way_a_batch_gathers_its_own_photos(
    plaza: Plaza, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_once(plaza, monkeypatch, Busy(), at_once=False)
    assert plaza.bring(1, 3).status_code == 429
    for first in (2, 1):
        assert plaza.bring(first, 3).json()["acknowledged"] == 3
    assert plaza.gathered == [(plaza.at(2), plaza.at(3)), (plaza.at(1), plaza.at(3))]


def test_what_can_never_follow_holds_no_journal_up(plaza: Plaza, monkeypatch: pytest.MonkeyPatch) -> None:
    busy_once(plaza, monkeypatch, RuntimeError("no picture will do"), at_once=False)
    assert plaza.bring(1, 3).json()["acknowledged"] == 3
