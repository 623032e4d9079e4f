"""Who is told which key: encoders of the chip they hold, edges of their own kinds of touchpoint, nobody more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace
from sqlalchemy import text

from gateway.db.tables import metadata
from gateway.services.keys import RotateChips
from gateway.services.resort import LoadedResort
from readers.transport.base import Anchors, IssuedCredential
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import ARRIVAL
from tests.support.resort_world import RESORT
from wallet.chips.keys import FACTORY_KEY, KeySlot, chip_key
from wallet.compact import pack, unpack
from wallet.credential import open_credential
from wallet.resort import Policies
from wallet.snapshot import FeedBatch, Snapshot, decode

UID, OTHER_UID = "04a1b2c3d4e5f6", "04ffffffffffff"


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        yield made.staff("desk")


def chip(uid: str = UID, kind: str = "ntag424") -> dict[str, Any]:
    return {"chip_uid": uid, "chip_kind": kind, "capacity_bytes": 256}


def job(desk: Api, token: str) -> str:
    wish = {"encoder": "encoder-desk", "kind": "band"}
    return str(desk.post(f"/tokens/{token}/encodings", wish).json()["encoding_id"])


def issued(edge: EdgeApi, encoding: str, uid: str = UID, kind: str = "ntag424") -> IssuedCredential:
    answer = edge.post(f"/edge/encodings/{encoding}/issue", chip(uid, kind))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=IssuedCredential)


def written(desk: Api, edge: EdgeApi, token: str, uid: str = UID) -> IssuedCredential:
    encoding = job(desk, token)
    told = issued(edge, encoding, uid)
    assert edge.post(f"/edge/encodings/{encoding}/confirm", {"ok": True}).json()["state"] == "done"
    return told


def anchors(edge: EdgeApi) -> Anchors:
    return msgspec.json.decode(edge.get("/edge/anchors").content, type=Anchors)


def snapshot(edge: EdgeApi) -> Snapshot:
    return decode(edge.get("/edge/snapshot").content, Snapshot)


def test_an_encoder_gets_a_credential_that_fits_and_the_keys_of_its_chip(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    told = issued(edge, job(desk, booking["guests"][0]["token_id"]))
    data = bytes.fromhex(told.credential)
    keys = {
        name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        for name, key in anchors(edge).issuer_keys.items()
    }
    credential = open_credential(data, keys, UID)
    assert credential.chip_keys
    assert len(credential.grants) == 1
    assert 1 + len(pack(data)) <= 128
    assert unpack(pack(data), UID) == data
    plan = told.chip
    assert plan is not None
    assert (plan.keys.epoch, plan.before, plan.random_uid) == (1, (), True)
    assert plan.sun_url == "http://127.0.0.1:8701/tap"
    assert set(plan.keys.keys) == set(KeySlot)
    made = {bytes.fromhex(key) for key in plan.keys.keys.values()}
    assert len(made) == len(KeySlot)
    assert FACTORY_KEY not in made
    trusted = anchors(edge)
    assert plan.keys.keys[KeySlot.READER] == trusted.reader_keys[1]
    for slot in (KeySlot.GATE, KeySlot.DOOR):
        master = bytes.fromhex(trusted.chip_masters[slot][1])
        assert plan.keys.keys[slot] == chip_key(master, slot, bytes.fromhex(UID)).hex()


def test_the_same_chip_again_gets_the_same_and_another_chip_other_keys(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    encoding = job(desk, booking["guests"][0]["token_id"])
    first = issued(edge, encoding)
    assert issued(edge, encoding) == first
    other = issued(edge, encoding, OTHER_UID)
    assert first.chip is not None
    assert other.chip is not None
    same = {slot for slot in KeySlot if first.chip.keys.keys[slot] == other.chip.keys.keys[slot]}
    assert same == {KeySlot.READER}


def test_a_chip_without_keys_gets_none(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    told = issued(edge, job(desk, booking["guests"][0]["token_id"]), kind="ntag216")
    assert told.chip is None
    with pytest.raises(ValueError, match="only a credential for a chip with keys"):
        pack(bytes.fromhex(told.credential))


def test_grants_that_do_not_fit_are_left_out_from_the_end(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    desk.world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts)
    assert desk.post(f"/parties/{booking['party_id']}/check-in").status_code == 200
    encoding = job(desk, booking["guests"][0]["token_id"])
    large = bytes.fromhex(issued(edge, encoding, OTHER_UID, "ntag216").credential)
    small = bytes.fromhex(issued(edge, encoding).credential)
    keys = {
        name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        for name, key in anchors(edge).issuer_keys.items()
    }
    grants = open_credential(large, keys, OTHER_UID).grants
    assert len(grants) == 2
    assert open_credential(small, keys, UID).grants == grants[:1]


def test_a_live_chip_of_another_guest_is_refused_without_a_key(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    tokens = [guest["token_id"] for guest in booking["guests"]]
    written(desk, edge, tokens[0])
    answer = edge.post(f"/edge/encodings/{job(desk, tokens[1])}/issue", chip())
    assert (answer.status_code, answer.json()["code"]) == (409, "chip_in_use")
    assert "keys" not in answer.text


def test_another_venues_edge_gets_nothing(desk: Api) -> None:
    EdgeApi(desk, "hotel", "hotel")
    park, booking = EdgeApi(desk, "park", "park"), desk.book()
    answer = park.post(f"/edge/encodings/{job(desk, booking['guests'][0]['token_id'])}/issue", chip())
    assert answer.status_code == 404


def test_no_key_and_no_credential_is_ever_stored(desk: Api) -> None:
    edge, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    told = written(desk, edge, booking["guests"][0]["token_id"])
    snapshot(edge)
    assert told.chip is not None
    secrets = [*told.chip.keys.keys.values(), told.credential, told.credential[-128:]]
    gateway = desk.world.gateway
    secrets += [gateway.chip_keys.master(slot, 1).hex() for slot in KeySlot]
    stored = _everything(desk)
    assert "encoding.issue" in stored, "the answers of commands are among it"
    assert not [each for each in secrets if each in stored]


def _everything(desk: Api) -> str:
    """Return all that the database holds, as text."""
    with desk.world.gateway.database.read() as connection:
        rows = [
            str(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))
        ]
    return "\n".join(rows)


def test_each_edge_is_told_the_masters_of_its_own_kinds_alone(desk: Api) -> None:
    told = {venue: anchors(EdgeApi(desk, venue, venue)) for venue in ("hotel", "park", "shops")}
    assert set(told["hotel"].chip_masters) == {KeySlot.DOOR, KeySlot.GATE}
    assert set(told["park"].chip_masters) == {KeySlot.GATE}
    assert told["shops"].chip_masters == {}
    assert all(set(each.reader_keys) == {1} for each in told.values())
    closed = Policies(unknown_at_gates=False, unknown_at_doors=False)
    before = told["park"].version
    desk.world.gateway.do("resort.load", LoadedResort(replace(RESORT, policies=closed)))
    for venue in told:
        again = anchors(EdgeApi(desk, f"{venue}-2", venue))
        assert again.chip_masters == {}
        assert again.issuer_keys == told[venue].issuer_keys
    assert anchors(EdgeApi(desk, "park-3", "park")).version != before


def test_an_edge_is_told_the_chip_keys_of_its_kinds_for_the_guests_it_serves(desk: Api) -> None:
    closed = Policies(unknown_at_gates=False, unknown_at_doors=False)
    desk.world.gateway.do("resort.load", LoadedResort(replace(RESORT, policies=closed)))
    hotel, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    desk.world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts)
    desk.post(f"/parties/{booking['party_id']}/check-in")
    before = {venue: EdgeApi(desk, f"{venue}-e", venue) for venue in ("hotel", "park", "shops")}
    position = {venue: snapshot(edge).position for venue, edge in before.items()}
    plan = written(desk, hotel, booking["guests"][0]["token_id"]).chip
    assert plan is not None
    slots = {
        "hotel": {KeySlot.DOOR, KeySlot.GATE},
        "park": {KeySlot.GATE},
        "shops": {KeySlot.TILL},
    }
    for venue, edge in before.items():
        page = snapshot(edge)
        batch = decode(edge.get(f"/edge/feed?after={position[venue]}").content, FeedBatch)
        for keys in (page.chip_keys, batch.chip_keys):
            assert {key.slot: key.key for key in keys} == {
                slot: plan.keys.keys[slot] for slot in slots[venue]
            }
            assert {(key.chip_uid, key.epoch) for key in keys} == {(UID, 1)}
        assert page.anchors == batch.anchors == anchors(edge).version


def test_an_edge_is_told_a_chip_s_keys_of_its_own_epoch_and_all_since(desk: Api) -> None:
    """Re-keyed in epoch 3 and not read back, it still counts as one of epoch 2, and carries neither 2 nor 4."""
    desk.world.do("keys.rotate_chips", RotateChips())
    closed = Policies(unknown_at_gates=False, unknown_at_doors=False)
    desk.world.gateway.do("resort.load", LoadedResort(replace(RESORT, policies=closed)))
    hotel, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    written(desk, hotel, booking["guests"][0]["token_id"])
    for _ in range(2):
        desk.world.do("keys.rotate_chips", RotateChips())
    told = snapshot(EdgeApi(desk, "park", "park")).chip_keys
    assert [(key.chip_uid, key.slot, key.epoch) for key in told] == [
        (UID, KeySlot.GATE, epoch) for epoch in (4, 3, 2)
    ]


def test_with_a_master_no_chip_key_is_sent_beside_it(desk: Api) -> None:
    hotel, booking = EdgeApi(desk, "hotel", "hotel"), desk.book()
    written(desk, hotel, booking["guests"][0]["token_id"])
    assert snapshot(hotel).chip_keys == ()
    assert snapshot(EdgeApi(desk, "park", "park")).chip_keys == ()
