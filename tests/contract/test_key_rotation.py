"""The drill: new epochs by the real commands while the gateway serves, until the old ones can be retired."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.db import rows as r
from tests.contract.test_chip_keys import OTHER_UID, UID, anchors, chip, issued, job, snapshot, written
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import ARRIVAL
from tests.support.resort_world import RESORT
from wallet.chips.keys import KeySlot
from wallet.medium import MediumState
from wallet.snapshot import FeedBatch, decode

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        yield made.staff("desk")


@pytest.fixture
def say(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Say:
    """Run a word of `passband gateway` beside the gateway that serves, as an operator would."""
    monkeypatch.setenv("PASSBAND_ENVIRONMENT", "simulation")
    monkeypatch.setenv("PASSBAND_DIRECTORY", str(tmp_path / "gateway"))
    monkeypatch.setenv("PASSBAND_DATABASE_URL", database_url)

    def said(*words: str) -> tuple[int, str]:
        status = main([*words])
        told = capsys.readouterr()
        return status, told.out + told.err

    return said


def live(say: Say, family: str) -> dict[int, int]:
    told: dict[str, list[dict[str, Any]]] = json.loads(say("keys", "status", "--json")[1])
    return {each["epoch"]: each["live_media"] for each in told[family]}


def refresh(edge: EdgeApi, uid: str) -> Any:
    found = edge.post("/edge/encodings/touch", {"encoder": "encoder-desk", "chip_uid": uid}).json()
    told = issued(edge, found["encoding_id"], uid)
    done = edge.post(f"/edge/encodings/{found['encoding_id']}/confirm", {"ok": True})
    assert done.json()["state"] == "done"
    return told


@pytest.mark.parametrize("family", ["chips", "issuer"])
def test_a_drill_from_a_new_epoch_to_the_end_of_the_old_one(desk: Api, say: Say, family: str) -> None:
    hotel, shops = EdgeApi(desk, "hotel", "hotel"), EdgeApi(desk, "shops", "shops")
    tokens = [guest["token_id"] for guest in desk.book()["guests"]]
    media = [written(desk, hotel, tokens[n], uid).medium_id for n, uid in enumerate((UID, OTHER_UID))]
    before = anchors(shops)
    position = snapshot(shops).position
    assert live(say, family) == {1: 2}

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shops.get, f"/edge/feed?after={position}&wait_s=25")
        began_s = time.monotonic()
        assert say("keys", "rotate", f"--{family}")[0] == 0
        batch = decode(waiting.result(25).content, FeedBatch)
        assert time.monotonic() - began_s < 20, "the edge hears of it at once, not by its hourly question"
    after = anchors(shops)
    assert batch.anchors == after.version != before.version
    if family == "chips":
        assert set(after.reader_keys) == {1, 2}
        assert after.reader_keys[1] == before.reader_keys[1]
    else:
        assert set(before.issuer_keys) < set(after.issuer_keys)

    assert live(say, family) == {1: 2, 2: 0}
    status, refusal = say("keys", "retire", "1", f"--{family}")
    assert (status, "2 media in service still need epoch 1" in refusal) == (1, True)
    assert refresh(hotel, UID).medium_id == media[0]
    assert live(say, family) == {1: 1, 2: 1}
    assert say("keys", "retire", "1", f"--{family}")[0] == 1
    assert refresh(hotel, OTHER_UID).medium_id == media[1]
    assert live(say, family) == {1: 0, 2: 2}
    assert {row.state for row in desk.world.rows(r.MediumRow)} == {MediumState.ACTIVE}

    status, told = say("keys", "retire", "1", f"--{family}", "--json")
    assert (status, json.loads(told)["stopped_media"]) == (0, 0)
    last = anchors(shops)
    if family == "chips":
        assert set(last.reader_keys) == {2}
        assert all(set(epochs) == {2} for epochs in anchors(hotel).chip_masters.values())
    else:
        assert set(last.issuer_keys) == set(after.issuer_keys) - set(before.issuer_keys)


def test_who_retires_by_force_is_told_how_many_stop(desk: Api, say: Say) -> None:
    hotel = EdgeApi(desk, "hotel", "hotel")
    written(desk, hotel, desk.book()["guests"][0]["token_id"])
    say("keys", "rotate", "--chips")
    status, told = say("keys", "retire", "1", "--chips", "--force")
    assert (status, "1 media stop with it" in told) == (0, True)
    shops = snapshot(EdgeApi(desk, "shops", "shops"))
    assert {key.epoch for key in shops.chip_keys} <= {2}


def test_a_till_has_the_new_key_of_a_band_before_the_band_gets_it(desk: Api, say: Say) -> None:
    hotel, shops = EdgeApi(desk, "hotel", "hotel"), EdgeApi(desk, "shops", "shops")
    booking = desk.book()
    token = booking["guests"][0]["token_id"]
    desk.world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts)
    desk.post(f"/parties/{booking['party_id']}/check-in")
    written(desk, hotel, token)
    say("keys", "rotate", "--chips")
    keys = {key.epoch: key.key for key in snapshot(shops).chip_keys if key.slot is KeySlot.TILL}
    assert set(keys) == {1, 2}
    plan = refresh(hotel, UID).chip
    assert plan is not None
    assert keys[2] == plan.keys.keys[KeySlot.TILL]
    assert keys[1] == plan.before[0].keys[KeySlot.TILL]


def test_a_band_written_with_keys_that_were_retired_meanwhile_is_not_let_into_service(
    desk: Api, say: Say
) -> None:
    hotel = EdgeApi(desk, "hotel", "hotel")
    encoding = job(desk, desk.book()["guests"][0]["token_id"])
    key = "the-same-chip-again"
    first = hotel.post(f"/edge/encodings/{encoding}/issue", chip(), key).json()
    say("keys", "rotate", "--chips")
    assert say("keys", "retire", "1", "--chips")[0] == 0
    refused = hotel.post(f"/edge/encodings/{encoding}/confirm", {"ok": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "keys_changed")
    again = hotel.post(f"/edge/encodings/{encoding}/issue", chip(), key).json()
    assert again["medium_id"] == first["medium_id"]
    assert (again["chip"]["keys"]["epoch"], again["chip"]["before"]) == (2, [first["chip"]["keys"]])
    assert hotel.post(f"/edge/encodings/{encoding}/confirm", {"ok": True}).json()["state"] == "done"
    assert live(say, "chips") == {1: 0, 2: 1}
