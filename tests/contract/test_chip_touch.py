"""Chips from stock, linked before they are written; parties in one go; bands brought up to date where they touch."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.db import rows as r
from gateway.services.keys import RotateChips
from gateway.services.media import RevokeMedium
from gateway.services.stock import ImportChips, StockChip
from tests.contract.test_chip_keys import chip, issued, job, written
from tests.support.api_world import Api, EdgeApi, api

UID, OTHER_UID = "04a1b2c3d4e5f6", "04ffffffffffff"
PRINTED, OTHER_PRINTED = "PB-0001", "PB-0002"


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        stock = (StockChip(UID, PRINTED, "ntag424"), StockChip(OTHER_UID, OTHER_PRINTED, "ntag424"))
        made.world.gateway.do("chip.import", ImportChips("spring", stock))
        yield made.staff("desk")


@pytest.fixture
def hotel(desk: Api) -> EdgeApi:
    return EdgeApi(desk, "hotel", "hotel")


def tokens(booking: dict[str, Any]) -> list[str]:
    return [guest["token_id"] for guest in booking["guests"]]


def link(who: Api, token: str, printed: str = PRINTED, **more: str) -> Any:
    return who.post(f"/tokens/{token}/media/link", {"printed_id": printed} | more)


def touch(edge: EdgeApi, uid: str = UID, encoder: str = "encoder-desk") -> Any:
    return edge.post("/edge/encodings/touch", {"encoder": encoder, "chip_uid": uid})


def finish(edge: EdgeApi, encoding: str, uid: str = UID) -> Any:
    told = issued(edge, encoding, uid)
    assert edge.post(f"/edge/encodings/{encoding}/confirm", {"ok": True}).json()["state"] == "done"
    return told


def media(desk: Api) -> dict[str, str]:
    return {row.id: row.state.value for row in desk.world.rows(r.MediumRow)}


def test_a_linked_chip_is_written_at_its_first_touch_of_any_encoder(desk: Api, hotel: EdgeApi) -> None:
    token = tokens(desk.book())[0]
    told = link(desk, token, " pb-0001 ").json()
    assert (told["printed_id"], told["state"]) == (PRINTED, "pending")
    assert link(desk, token).json() == told
    assert hotel.get("/edge/encodings").json() == {"encodings": []}, "it is for one chip alone"
    found = touch(hotel).json()
    assert (found["encoding_id"], found["cause"]) == (told["encoding_id"], "linked")
    other = hotel.post(f"/edge/encodings/{found['encoding_id']}/issue", chip(OTHER_UID))
    assert (other.status_code, other.json()["code"]) == (409, "other_chip")
    assert finish(hotel, found["encoding_id"]).medium_id == told["medium_id"]
    assert media(desk) == {told["medium_id"]: "active"}
    (row,) = desk.world.rows(r.ChipRow, uid=UID)
    assert (row.state, row.key_epoch, row.batch) == (r.ChipState.WRITTEN, 1, "spring")
    assert touch(hotel).json()["code"] == "band_up_to_date"


def test_a_torn_writing_is_found_again_by_the_chip(desk: Api, hotel: EdgeApi) -> None:
    encoding = job(desk, tokens(desk.book())[0])
    issued(hotel, encoding)
    assert touch(hotel).json()["encoding_id"] == encoding
    finish(hotel, encoding)


def test_a_guest_links_by_the_printed_number_for_the_own_party_alone(desk: Api, hotel: EdgeApi) -> None:
    first, second = desk.book(), desk.book()
    guest, stranger = desk.guest(first), desk.guest(second)
    mine = tokens(first)[0]
    assert link(stranger, mine).status_code == 404
    assert guest.post(f"/tokens/{mine}/media/link", {"chip_uid": UID}).status_code == 403
    assert link(guest, mine).status_code == 201
    unknown, taken = link(stranger, tokens(second)[0], "PB-9999"), link(stranger, tokens(second)[0])
    assert unknown.json() == taken.json()
    assert unknown.json()["code"] == "chip_unknown"
    assert link(desk, tokens(second)[0]).json()["code"] == "chip_linked"
    encoding = job(desk, tokens(second)[0])
    refused = hotel.post(f"/edge/encodings/{encoding}/issue", chip())
    assert refused.json()["code"] == "chip_linked"


def test_guessing_printed_numbers_is_slowed_down(desk: Api) -> None:
    booking = desk.book()
    guest = desk.guest(booking)
    codes = [link(guest, tokens(booking)[0], f"PB-8{n:03}").status_code for n in range(12)]
    assert codes == [404] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, "one_of_two"),
        ({"printed_id": PRINTED, "chip_uid": UID}, "one_of_two"),
        ({"printed_id": "'; DROP"}, "printed_id"),
        ({"printed_id": PRINTED, "kind": "phone"}, "not_a_chip"),
        ({"chip_uid": "04"}, "invalid"),
        ({"chip_uid": "04000000000001"}, "chip_unknown"),
    ],
)
def test_what_is_no_chip_of_the_stock_is_not_linked(desk: Api, wish: dict[str, str], code: str) -> None:
    assert desk.post(f"/tokens/{tokens(desk.book())[0]}/media/link", wish).json()["code"] == code


def test_another_link_lets_the_first_chip_go(desk: Api, hotel: EdgeApi) -> None:
    mine, other = tokens(desk.book())[:2]
    first = link(desk, mine).json()["medium_id"]
    second = link(desk, mine, OTHER_PRINTED).json()["medium_id"]
    assert media(desk) == {first: "revoked", second: "pending"}
    assert touch(hotel).json()["code"] == "medium_revoked"
    assert link(desk, other).status_code == 201


def test_a_link_that_was_turned_off_frees_its_chip(desk: Api, hotel: EdgeApi) -> None:
    mine, other = tokens(desk.book())[:2]
    desk.world.do("medium.revoke", RevokeMedium(link(desk, mine).json()["medium_id"]))
    encoding = job(desk, other)
    finish(hotel, encoding)
    assert link(desk, mine).json()["code"] == "chip_in_use"


def test_of_many_who_link_one_chip_at_once_one_has_it(desk: Api) -> None:
    wanted = [token for _ in range(2) for token in tokens(desk.book())]
    gate = threading.Barrier(len(wanted))

    def ask(token: str) -> int:
        gate.wait(20)
        return int(link(desk, token).status_code)

    with ThreadPoolExecutor(len(wanted)) as pool:
        assert sorted(pool.map(ask, wanted)) == [201] + [409] * (len(wanted) - 1)
    assert list(media(desk).values()) == ["pending"]


def test_a_link_and_an_encoding_at_once_leave_one_carrier(desk: Api, hotel: EdgeApi) -> None:
    mine, other = tokens(desk.book())[:2]
    encoding = job(desk, other)
    gate = threading.Barrier(2)

    def linked() -> int:
        gate.wait(20)
        return int(link(desk, mine).status_code)

    def issue() -> int:
        gate.wait(20)
        return int(hotel.post(f"/edge/encodings/{encoding}/issue", chip()).status_code)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(linked), pool.submit(issue)
        assert {first.result(), second.result()} == {409} | ({201} if first.result() == 201 else {200})
    assert [state for state in media(desk).values() if state == "pending"] == ["pending"]


def test_a_band_is_brought_up_to_date_where_it_touches_and_stays_the_same_medium(
    desk: Api, hotel: EdgeApi
) -> None:
    token = tokens(desk.book())[0]
    before = written(desk, hotel, token)
    assert touch(hotel).json()["code"] == "band_up_to_date"
    desk.world.do("keys.rotate_chips", RotateChips())
    desk.world.clock.at += timedelta(hours=2)
    found = touch(hotel).json()
    assert (found["cause"], found["token_id"]) == ("refresh", token)
    assert touch(hotel).json() == found, "a torn one is gone on with"
    assert len(desk.world.rows(r.EncodingRow, token_id=token)) == 2
    after = issued(hotel, found["encoding_id"])
    assert media(desk) == {before.medium_id: "active"}, "it stays in service all the while"
    assert before.chip is not None
    assert after.chip is not None
    assert after.medium_id == before.medium_id
    assert after.chip.keys.epoch == 2
    assert after.chip.before == (before.chip.keys,)
    assert after.credential != before.credential
    failed = {"ok": False, "sentence": "The band left too early."}
    assert hotel.post(f"/edge/encodings/{found['encoding_id']}/confirm", failed).json()["state"] == "waiting"
    assert media(desk) == {before.medium_id: "active"}
    finish(hotel, touch(hotel).json()["encoding_id"])
    assert touch(hotel).json()["code"] == "band_up_to_date"
    assert media(desk) == {before.medium_id: "active"}
    wish = {"encoder": "encoder-desk", "chip_uid": UID}
    asked = [hotel.post("/edge/encodings/touch", wish, "one-and-the-same").json() for _ in range(2)]
    assert [each["code"] for each in asked] == ["band_up_to_date"] * 2
    desk.world.do("keys.rotate_chips", RotateChips())
    assert hotel.post("/edge/encodings/touch", wish, "one-and-the-same").json()["cause"] == "refresh"


@pytest.mark.parametrize("live", [True, False])
def test_a_chip_with_keys_stays_one_whatever_an_encoder_says(desk: Api, hotel: EdgeApi, live: bool) -> None:
    """Called a plain chip it would get a credential that asks for no key: good on any copy of its UID."""
    token = tokens(desk.book())[0]
    if live:
        written(desk, hotel, token)
        desk.world.do("keys.rotate_chips", RotateChips())
        encoding = touch(hotel).json()["encoding_id"]
    else:
        encoding = job(desk, token)
    before = desk.world.rows(r.ChipRow, uid=UID)
    for kind in ("ntag216", "NTAG424"):
        refused = hotel.post(f"/edge/encodings/{encoding}/issue", chip(UID, kind))
        assert (refused.status_code, refused.json()["code"]) == (409, "other_chip")
        assert "credential" not in refused.json()
    assert desk.world.rows(r.ChipRow, uid=UID) == before
    finish(hotel, encoding)


def test_a_chip_that_was_written_is_never_taken_for_one_from_the_factory(desk: Api, hotel: EdgeApi) -> None:
    def factory(encoding: str) -> bool:
        answer = hotel.post(f"/edge/encodings/{encoding}/issue", chip()).json()
        return bool(answer["chip"]["factory"])

    encoding = job(desk, tokens(desk.book())[0])
    assert factory(encoding)
    failed = {"ok": False, "sentence": "The band left too early."}
    assert hotel.post(f"/edge/encodings/{encoding}/confirm", failed).json()["state"] == "waiting"
    assert factory(encoding), "torn, it may still have them"
    assert hotel.post(f"/edge/encodings/{encoding}/confirm", {"ok": True}).json()["state"] == "done"
    desk.world.do("keys.rotate_chips", RotateChips())
    assert not factory(touch(hotel).json()["encoding_id"])


def test_a_band_that_was_not_read_back_is_written_at_its_next_touch(desk: Api, hotel: EdgeApi) -> None:
    encoding = job(desk, tokens(desk.book())[0])

    def issue() -> str:
        answer = hotel.post(f"/edge/encodings/{encoding}/issue", chip(), "the-edges-key-for-this-chip")
        return str(answer.json()["medium_id"])

    def confirm(**said: Any) -> Any:
        return hotel.post(f"/edge/encodings/{encoding}/confirm", said).json()

    first = issue()
    assert confirm(ok=False, sentence="The band left too early.")["state"] == "waiting"
    desk.world.clock.at += timedelta(seconds=5)
    again = issue()
    assert media(desk) == {first: "revoked", again: "pending"}
    assert confirm(ok=True, medium_id=first)["code"] == "other_chip"
    assert confirm(ok=True, medium_id=again)["state"] == "done"
    assert media(desk) == {first: "revoked", again: "active"}


def test_what_a_guest_got_since_is_written_at_the_next_touch(desk: Api, hotel: EdgeApi) -> None:
    booking = desk.book()
    written(desk, hotel, tokens(booking)[0])
    desk.world.clock.at += timedelta(days=40)
    assert desk.post(f"/parties/{booking['party_id']}/check-in").status_code == 200
    assert touch(hotel).json()["cause"] == "refresh"


@pytest.mark.parametrize(
    ("uid", "encoder", "status", "code"),
    [
        (UID, "encoder-desk", 409, "nothing_to_write"),
        ("04000000000009", "encoder-desk", 409, "nothing_to_write"),
        (UID, "encoder-park", 422, "unknown_encoder"),
        (UID, "gate-1", 422, "unknown_encoder"),
        ("xyz", "encoder-desk", 422, "invalid"),
    ],
)
def test_a_touch_that_finds_nothing_says_so(
    hotel: EdgeApi, uid: str, encoder: str, status: int, code: str
) -> None:
    answer = touch(hotel, uid, encoder)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_party_is_written_in_one_go_the_lead_first(desk: Api, hotel: EdgeApi) -> None:
    booking = desk.book()
    lead, *others = tokens(booking)
    wish = {"encoder": "encoder-desk", "kind": "band"}
    path = f"/parties/{booking['party_id']}/encodings"
    asked = desk.post(path, wish, "party-in-one-go").json()
    assert desk.post(path, wish, "party-in-one-go").json() == asked
    assert desk.post(path, wish).json() == asked, "what waits there already stays"
    assert next(each["token_id"] for each in asked["encodings"]) == lead
    assert {each["token_id"] for each in asked["encodings"]} == {lead, *others}
    order = [each["encoding_id"] for each in asked["encodings"]]
    waiting = hotel.get("/edge/encodings").json()["encodings"]
    assert [each["encoding_id"] for each in waiting] == order
    finish(hotel, order[0])
    left = desk.get(path).json()["encodings"]
    assert [each["encoding_id"] for each in left] == order[1:]
    again = desk.post(path, wish).json()["encodings"]
    assert [each["encoding_id"] for each in again] == order[1:], "who has a band needs none"


def test_a_guest_of_the_party_whose_band_is_linked_needs_no_other(desk: Api) -> None:
    booking = desk.book()
    kept = tokens(booking)[1]
    link(desk, kept)
    wish = {"encoder": "encoder-desk", "kind": "band"}
    asked = desk.post(f"/parties/{booking['party_id']}/encodings", wish).json()["encodings"]
    assert {each["token_id"] for each in asked} == set(tokens(booking)) - {kept}
