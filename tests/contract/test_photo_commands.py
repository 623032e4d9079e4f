"""Photos through the conveyor, on both databases."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.errors import Rejection
from gateway.services.photo_claims import ClaimPhotos, MakeCard
from gateway.services.photos import GatherPhotos, UnlinkPhoto
from photopass.names import original_of
from photopass.ports import PhotoRecords
from tests.support.photo_world import NOON, PLAZA, RESORT, PhotoHouse, made_up, photo_house
from tests.support.pictures import jpeg, png

CODE = "the hash of a code"


@pytest.fixture
def house(database_url: str) -> Iterator[PhotoHouse]:
    with photo_house(database_url) as made:
        yield made


def tap_all(house: PhotoHouse, family, second: float, **more: object) -> None:
    for token_id in family.token_ids:
        house.tap(token_id, family.party_id, second, **more)


def claim(house: PhotoHouse, code: str, token_id: str, at=NOON, party_id=None) -> dict:
    return house.do("photo.claim", ClaimPhotos(code, token_id, party_id), at)


def album(house: PhotoHouse, party_id: str) -> list[str]:
    return [each.photo.photo_id for each in house.records.of_party(party_id)]


def test_a_photo_goes_to_all_who_tapped_at_either_reader_of_the_point(house: PhotoHouse):
    one, other, elsewhere, refused = (house.family() for _ in range(4))
    tap_all(house, one, -30)
    tap_all(house, other, -5, touchpoint="plaza-2")
    tap_all(house, elsewhere, -5, touchpoint="falls-1")
    tap_all(house, refused, -5, ok=False)
    answer = house.add()
    assert house.linked(answer["photo_id"]) == {*one.token_ids, *other.token_ids}
    assert {each["party_id"] for each in answer["linked"]} == {one.party_id, other.party_id}
    assert album(house, one.party_id) == album(house, other.party_id) == [answer["photo_id"]]
    assert album(house, elsewhere.party_id) == album(house, refused.party_id) == []
    events = house.events("photo.linked")
    assert {event.token_id for event in events} == {*one.token_ids, *other.token_ids}
    assert json.loads(events[0].body) == {"photo_id": answer["photo_id"], "photo_point": PLAZA, "how": "tap"}


def test_a_photo_without_a_time_is_taken_when_it_comes(house: PhotoHouse):
    family = house.family(1)
    tap_all(house, family, -100)
    answer = house.add(second=None, at=NOON)
    assert house.linked(answer["photo_id"]) == set(family.token_ids)
    assert house.linked(house.add(second=None, at=NOON + timedelta(seconds=30))["photo_id"]) == set()


def test_guests_chosen_by_hand_win(house: PhotoHouse):
    tapped, chosen = house.family(), house.family()
    tap_all(house, tapped, -5)
    answer = house.add(token_ids=(chosen.token_ids[0],))
    assert house.linked(answer["photo_id"]) == {chosen.token_ids[0]}
    house.do("photo.gather", GatherPhotos(PLAZA, NOON - timedelta(seconds=9), NOON))
    assert house.linked(answer["photo_id"]) == {chosen.token_ids[0]}
    nobody = house.add(token_ids=())
    assert house.linked(nobody["photo_id"]) == set()


def test_one_upload_however_often_is_one_photo(house: PhotoHouse):
    family = house.family()
    tap_all(house, family, -5)
    kept = made_up("the same file")
    first = house.add(kept, command_id="upload-1")
    assert house.add(kept, command_id="upload-1") == first
    again = house.add(kept, second=60)
    assert again == first
    assert album(house, family.party_id) == [first["photo_id"]]
    assert len(house.events("photo.added")) == 1
    assert len(house.events("photo.linked")) == 2
    elsewhere = house.add(kept, photo_point="falls")
    assert elsewhere["photo_id"] != first["photo_id"]


def test_thirty_uploads_at_once_end_as_if_they_had_come_in_order(house: PhotoHouse):
    families = [house.family(1) for _ in range(6)]
    for number, family in enumerate(families):
        tap_all(house, family, number * 20)
    shots = [(number * 20 + 5 + extra, number) for number in range(6) for extra in range(5)]
    with ThreadPoolExecutor(10) as pool:
        added = list(
            pool.map(lambda shot: house.add(second=shot[0], at=NOON + timedelta(hours=1)), shots[::-1])
        )
    for (_, number), answer in zip(shots[::-1], added, strict=True):
        assert house.linked(answer["photo_id"]) == set(families[number].token_ids)


def test_a_tap_that_comes_late_still_gets_its_photo(house: PhotoHouse):
    early, late = house.family(), house.family()
    tap_all(house, early, -60)
    first = house.add(second=-50)["photo_id"]
    second = house.add(second=0)["photo_id"]
    assert house.linked(second) == set(early.token_ids)
    tap_all(house, late, -20)  # the edge had been cut off
    answer = house.do(
        "photo.gather", GatherPhotos(PLAZA, NOON - timedelta(seconds=20), NOON - timedelta(seconds=20))
    )
    assert answer == {"linked": 2, "unlinked": 2}
    assert house.linked(first) == set(early.token_ids)
    assert house.linked(second) == set(late.token_ids)
    assert len(house.events("photo.unlinked")) == 2


def test_a_stranger_is_unlinked_and_nobody_else(house: PhotoHouse):
    own, stranger = house.family(), house.family()
    tap_all(house, own, -5)
    tap_all(house, stranger, -4)
    ids = [house.add(second=number)["photo_id"] for number in range(3)]
    body = UnlinkPhoto(ids[1], tuple(stranger.token_ids), stranger.party_id)
    answer = house.do("photo.unlink", body, actor="guest:1")
    assert answer == {"photo_id": ids[1], "unlinked": sorted(stranger.token_ids)}
    assert house.linked(ids[1]) == set(own.token_ids)
    for untouched in (ids[0], ids[2]):
        assert house.linked(untouched) == {*own.token_ids, *stranger.token_ids}
    # Neither a retry of the upload nor a late tap brings the photo back.
    house.do("photo.gather", GatherPhotos(PLAZA, NOON - timedelta(seconds=9), NOON))
    assert house.linked(ids[1]) == set(own.token_ids)
    assert house.do("photo.unlink", body)["unlinked"] == []


def test_a_guest_takes_out_the_own_party_alone(house: PhotoHouse):
    one, other, third = house.family(), house.family(), house.family()
    tap_all(house, one, -5)
    tap_all(house, other, -4)
    photo_id = house.add()["photo_id"]
    for body, code in (
        (UnlinkPhoto(photo_id, tuple(other.token_ids), one.party_id), "photo_not_linked"),
        (UnlinkPhoto(photo_id, tuple(third.token_ids), third.party_id), "photo_unknown"),
        (UnlinkPhoto("no-photo", tuple(one.token_ids), one.party_id), "photo_unknown"),
        (UnlinkPhoto(photo_id, tuple(third.token_ids)), "photo_not_linked"),
    ):
        with pytest.raises(Rejection) as refused:
            house.do("photo.unlink", body)
        assert (refused.value.code, refused.value.status) == (code, 404)
    assert house.linked(photo_id) == {*one.token_ids, *other.token_ids}
    house.do("photo.unlink", UnlinkPhoto(photo_id, (other.token_ids[0],)))
    assert house.linked(photo_id) == {*one.token_ids, other.token_ids[1]}


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [
        ({"photo_point": "nowhere"}, "not_found", 404),
        ({"token_ids": ("no-token",)}, "not_found", 404),
        ({"second": 400, "at": NOON}, "photo_taken_in_future", 422),
        ({"second": 0, "at": NOON + timedelta(days=46)}, "photo_taken_too_long_ago", 422),
    ],
)
def test_what_cannot_be_is_refused(house: PhotoHouse, more: dict, code: str, status: int):
    with pytest.raises(Rejection) as refused:
        house.add(**more)
    assert (refused.value.code, refused.value.status) == (code, status)
    with house.database.read() as connection:
        assert rows_where(connection, r.PhotoRow) == []


def test_a_card_is_claimed_by_the_first_who_has_its_code(house: PhotoHouse):
    family, other = house.family(), house.family()
    photo_ids = tuple(house.add(second=number)["photo_id"] for number in range(2))
    card = house.do("photo.card", MakeCard(photo_ids, CODE), command_id="card-1")
    assert house.do("photo.card", MakeCard(photo_ids, CODE), command_id="card-1") == card
    assert card == {"claim_until": "2027-04-16"}
    token_id = family.token_ids[1]
    answer = claim(house, CODE, token_id, NOON + timedelta(days=45))
    assert answer == {"claimed": True, "photo_ids": list(photo_ids), "over": []}
    assert set(album(house, family.party_id)) == set(photo_ids)
    assert {event.token_id for event in house.events("photo.linked")} == {token_id}
    refused = claim(house, CODE, other.token_ids[0])
    assert (refused["claimed"], refused["reason"]) == (False, "photo_claimed_by_others")
    assert album(house, other.party_id) == []
    assert claim(house, CODE, token_id)["claimed"]
    assert len(house.events("photo.linked")) == 2


def test_a_card_is_not_claimed_after_its_days(house: PhotoHouse):
    family = house.family()
    house.do("photo.card", MakeCard((house.add()["photo_id"],), CODE))
    answer = claim(house, CODE, family.token_ids[0], NOON + timedelta(days=46))
    assert (answer["claimed"], answer["reason"]) == (False, "photo_claim_over")
    assert album(house, family.party_id) == []


def test_who_unlinked_a_photo_may_still_claim_it(house: PhotoHouse):
    family = house.family(1)
    tap_all(house, family, -5)
    photo_id = house.add()["photo_id"]
    house.do("photo.unlink", UnlinkPhoto(photo_id, tuple(family.token_ids), family.party_id))
    house.do("photo.card", MakeCard((photo_id,), CODE))
    assert claim(house, CODE, family.token_ids[0])["claimed"]
    assert album(house, family.party_id) == [photo_id]


def test_codes_that_are_none_and_cards_of_nothing(house: PhotoHouse):
    family = house.family()
    with pytest.raises(Rejection) as refused:
        claim(house, "no card has this", family.token_ids[0])
    assert (refused.value.code, refused.value.status) == ("photo_code_unknown", 404)
    for photo_ids in ((), ("no-photo",)):
        with pytest.raises(Rejection):
            house.do("photo.card", MakeCard(photo_ids, CODE))


def test_a_card_is_claimed_for_a_guest_of_the_own_party(house: PhotoHouse):
    own, other = house.family(), house.family()
    house.do("photo.card", MakeCard((house.add()["photo_id"],), CODE))
    with pytest.raises(Rejection) as refused:
        claim(house, CODE, other.token_ids[0], party_id=own.party_id)
    assert refused.value.status == 404
    assert claim(house, CODE, own.token_ids[1], party_id=own.party_id)["claimed"]


def test_records_tell_what_is_owned_and_what_is_recent(house: PhotoHouse):
    records: PhotoRecords = house.records
    owner, without = house.family(plan=True), house.family()
    tap_all(house, owner, -5)
    first, second = house.add(second=-3)["photo_id"], house.add(second=0)["photo_id"]
    assert {plan.party_id for plan in records.plans([owner.party_id, without.party_id])} == {owner.party_id}
    assert [each.photo.photo_id for each in records.taken(PLAZA, NOON - timedelta(seconds=3))] == [
        second,
        first,
    ]
    assert [each.photo.photo_id for each in records.taken(PLAZA, NOON)] == [second]
    assert records.taken("falls", NOON - timedelta(days=1)) == []
    tapped = records.taps(["plaza-1"], NOON - timedelta(seconds=5))
    assert {(each.token_id, each.party_id) for each in tapped} == {
        (token_id, owner.party_id) for token_id in owner.token_ids
    }
    assert records.taps(["plaza-1"], NOON) == records.taps(["plaza-2"], NOON - timedelta(days=1)) == []
    assert records.photo("no-photo") is None
    assert album(house, owner.party_id) == [second, first]


def test_upload_to_archive_on_a_real_database(house: PhotoHouse):
    owner, without = house.family(plan=True), house.family()
    tap_all(house, owner, -5)
    tap_all(house, without, -5)
    kept = house.album.take_in(jpeg(gps=True))
    photo_id = house.add(kept)["photo_id"]
    assert not house.album.of_party(owner.party_id, RESORT)[0].view.marked
    assert house.album.of_party(without.party_id, RESORT)[0].view.marked
    with house.album.original(photo_id, owner.party_id, NOON, RESORT).file as file:
        assert b"SecretCam" not in file.read()
    assert b"".join(house.album.archive(owner.party_id, NOON, RESORT)).startswith(b"PK")
    orphan = house.album.take_in(png()).original
    assert {original_of(name) for name in house.album.sweep(0)} == {orphan}
    assert house.blobs.exists(kept.original)
