"""A phone's own key over HTTP, on both databases: registered once, proven, and worth nothing on a picture."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.db import rows as r
from simulators.phone import SimulatedPhone
from tests.support.api_world import Api, api
from wallet import phone, qr
from wallet.credential import open_credential
from wallet.device_key import compressed

PHONE, OTHER = SimulatedPhone(b"\x01" * 32), SimulatedPhone(b"\x02" * 32)


class Guest:
    """A guest of a booking who has added a phone."""

    def __init__(self, anyone: Api, booking: dict[str, Any]) -> None:
        self.api, self.booking = anyone.guest(booking), booking
        self.token = booking["guests"][0]["token_id"]
        self.medium = self.add()

    def add(self) -> str:
        return str(self.api.post(f"/tokens/{self.token}/media", {"kind": "phone"}).json()["medium_id"])

    def bind(self, device: SimulatedPhone, key: str, medium: str = "", **wrong: str) -> Any:
        medium = medium or self.medium
        wish = {"public_key": device.public_key, "signature": device.prove(medium, key)} | wrong
        return self.api.put(f"/media/{medium}/device-key", wish, key)

    def shown(self, medium: str = "") -> Any:
        return self.api.get(f"/tokens/{self.token}/pass", **({"medium_id": medium} if medium else {}))


@pytest.fixture
def anyone(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def guest(anyone: Api) -> Guest:
    return Guest(anyone, anyone.book())


def opened(anyone: Api, credential: bytes) -> Any:
    public = anyone.world.gateway.issuer.public_keys()
    keys = {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in public.items()}
    return open_credential(credential, keys, "")


def test_a_phone_is_bound_to_its_key_and_signs_its_own_codes(anyone: Api, guest: Guest) -> None:
    bound = guest.bind(PHONE, "bind-key-1")
    key = compressed(bytes.fromhex(PHONE.public_key))
    assert bound.json() == {"medium_id": guest.medium, "token_id": guest.token, "device_key": key.hex()}
    told = guest.shown().json()
    assert (told["medium_id"], told["qr"], told["device_key"]) == (guest.medium, None, key.hex())
    credential = bytes.fromhex(told["credential"])
    claims = opened(anyone, credential)
    assert (claims.token_id, claims.device_key) == (guest.token, key)
    now = anyone.world.clock.at
    assert claims.expires_at == datetime.fromisoformat(told["valid_until"]) == now + timedelta(days=1)
    code = phone.decode(qr.decode(PHONE.code(credential, now)))
    phone.check(code, claims.device_key)
    with pytest.raises(phone.PhoneFault):
        phone.check(phone.decode(qr.decode(OTHER.code(credential, now))), claims.device_key)
    drawing = guest.api.get(f"/tokens/{guest.token}/pass/drawing")
    assert (drawing.status_code, drawing.json()["code"]) == (409, "device_key_set")


def test_a_key_is_set_once_and_the_same_key_again_changes_nothing(anyone: Api, guest: Guest) -> None:
    first, again = guest.bind(PHONE, "bind-key-1"), guest.bind(PHONE, "bind-key-1")
    position = anyone.world.gateway.feed.head
    later = guest.bind(PHONE, "bind-key-2")
    assert first.json() == again.json() == later.json()
    assert anyone.world.gateway.feed.head == position
    refused = guest.bind(OTHER, "bind-key-3")
    assert (refused.status_code, refused.json()["code"]) == (409, "device_key_set")
    assert "add this phone as a new one" in refused.json()["detail"]
    second = guest.add()
    assert guest.bind(OTHER, "bind-key-4", second).status_code == 200
    keys = {row.id: row.device_key for row in anyone.world.rows(r.MediumRow)}
    assert keys == {
        guest.medium: compressed(bytes.fromhex(PHONE.public_key)).hex(),
        second: compressed(bytes.fromhex(OTHER.public_key)).hex(),
    }


def test_only_who_has_the_key_registers_it_and_only_for_this_medium(anyone: Api, guest: Guest) -> None:
    other_medium = guest.add()
    for wrong in (
        {"signature": OTHER.prove(guest.medium, "bind-key-1")},
        {"signature": PHONE.prove(other_medium, "bind-key-1")},
        {"signature": PHONE.prove(guest.medium, "bind-key-2")},
        {"signature": "00" * 64},
    ):
        answer = guest.bind(PHONE, "bind-key-1", **wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_not_proven")
    for no_point in ("04" + "11" * 64, "02" + "ff" * 32, "05" + "11" * 32):
        answer = guest.bind(PHONE, "bind-key-1", public_key=no_point)
        assert (answer.status_code, answer.json()["code"]) == (422, "unsound_key")
    assert guest.bind(PHONE, "bind-key-1", public_key="04" + "11" * 63).status_code == 422
    assert not any(row.device_key for row in anyone.world.rows(r.MediumRow))
    # The compressed form of the same key is the same key.
    short = compressed(bytes.fromhex(PHONE.public_key)).hex()
    assert guest.bind(PHONE, "bind-key-5", public_key=short).status_code == 200
    assert guest.bind(PHONE, "bind-key-6").status_code == 200


def test_a_phone_without_a_key_gets_a_code_for_moments(anyone: Api, guest: Guest) -> None:
    anyone.world.clock.at += timedelta(seconds=1)
    keyed = guest.add()
    guest.bind(PHONE, "bind-key-1", keyed)
    told = guest.shown(guest.medium).json()
    assert (told["credential"], told["device_key"]) == (None, None)
    claims = opened(anyone, qr.decode(told["qr"]))
    assert (claims.device_key, claims.expires_at) == (b"", anyone.world.clock.at + timedelta(seconds=30))
    drawing = guest.api.get(f"/tokens/{guest.token}/pass/drawing", medium_id=guest.medium)
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert "<path" in drawing.text
    # The newest phone is meant where none is named.
    assert guest.shown().json()["medium_id"] == keyed


def test_a_credential_ends_with_the_visit(anyone: Api, guest: Guest) -> None:
    guest.bind(PHONE, "bind-key-1")
    party = anyone.world.rows(r.PartyRow)[0]
    resort = anyone.world.gateway.feed.resort()
    ends_at = resort.instant(party.departure_day + timedelta(days=1), resort.day_starts)
    desk = anyone.staff("desk")
    anyone.world.clock.at = ends_at - timedelta(hours=3)
    told = desk.get(f"/tokens/{guest.token}/pass").json()
    assert datetime.fromisoformat(told["valid_until"]) == ends_at
    anyone.world.clock.at = ends_at
    assert desk.get(f"/tokens/{guest.token}/pass").json()["code"] == "visit_over"


def test_what_was_turned_off_or_is_anothers_is_bound_to_nothing(anyone: Api, guest: Guest) -> None:
    stranger = Guest(anyone, anyone.book())
    assert guest.bind(PHONE, "bind-key-1", stranger.medium).status_code == 404
    assert guest.shown(stranger.medium).status_code == 404
    assert guest.api.post(f"/media/{guest.medium}/revoke").status_code == 200
    refused = guest.bind(PHONE, "bind-key-2")
    assert (refused.status_code, refused.json()["code"]) == (409, "medium_revoked")
    assert guest.shown(guest.medium).json()["code"] == "no_phone"
