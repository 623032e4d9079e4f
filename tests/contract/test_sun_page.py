"""The page that a guest's phone opens at a band: authentic, new, and silent about the guest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from httpx import Response

from gateway.db import rows as r
from gateway.services.keys import KeyFamily, RetireKeys, RotateChips
from tests.contract.test_chip_keys import OTHER_UID, UID, written
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import NAMES
from wallet.chips.aes import encrypt_cbc
from wallet.chips.keys import KeySlot
from wallet.chips.ntag424 import sun_mac


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        yield made.staff("desk")


@pytest.fixture
def band(desk: Api) -> Api:
    written(desk, EdgeApi(desk, "hotel", "hotel"), desk.book()["guests"][0]["token_id"])
    return desk


def address(desk: Api, counter: int, uid: str = UID, epoch: int = 1, slot: KeySlot = KeySlot.GATE) -> str:
    """Return what a chip with these keys would tell at its n-th reading."""
    keys = desk.world.gateway.chip_keys
    plain = b"\xc7" + bytes.fromhex(uid) + counter.to_bytes(3, "little") + b"\x5a" * 5
    picc = encrypt_cbc(keys.master(KeySlot.READER, epoch), plain)
    mac = sun_mac(keys.key(slot, epoch, uid), bytes.fromhex(uid), counter)
    return f"/tap?e={picc.hex().upper()}&m={mac.hex().upper()}"


def opened(desk: Api, target: str) -> Response:
    return desk.client.get(target, headers={"Accept": "text/html"})


def test_a_reading_says_what_the_band_is_and_nothing_of_the_guest(band: Api) -> None:
    page = opened(band, address(band, 1))
    assert page.status_code == 200
    assert "This is a Passband band" in page.text
    assert 'href="/app"' in page.text
    assert page.headers["cache-control"] == "no-store"
    (token,) = {row.token_id for row in band.world.rows(r.MediumRow)}
    for secret in (*NAMES, UID, token):
        assert secret not in page.text


def test_a_reading_counts_once_and_none_before_it_counts_any_more(band: Api) -> None:
    assert opened(band, address(band, 5)).status_code == 200
    again, before = opened(band, address(band, 5)), opened(band, address(band, 4))
    assert (again.status_code, before.status_code) == (409, 409)
    assert "Tap the band again" in again.text
    assert opened(band, address(band, 6)).status_code == 200


def test_of_one_reading_opened_many_times_at_once_one_is_new(band: Api) -> None:
    target = address(band, 9)
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: opened(band, target).status_code, range(8)))
    assert statuses == [200] + [409] * 7


@pytest.mark.parametrize("how", ["mac", "picc", "till key", "unknown chip", "nothing", "more", "garbage"])
def test_what_no_band_of_ours_has_told_is_said_calmly(band: Api, how: str) -> None:
    target = address(band, 1)
    match how:
        case "mac":
            target = target[:-1] + ("0" if target[-1] != "0" else "1")
        case "picc":
            target = target.replace("?e=", "?e=FF", 1)[: len("/tap?e=") + 32] + target[-19:]
        case "till key":
            target = address(band, 1, slot=KeySlot.TILL)
        case "unknown chip":
            target = address(band, 1, OTHER_UID)
        case "nothing":
            target = "/tap"
        case "more":
            target += "0"
        case "garbage":
            target = "/tap?e=%00%ff&m='"
    page = opened(band, target)
    assert page.status_code == 404
    assert "We do not know this reading" in page.text
    assert opened(band, address(band, 1)).status_code == 200, "it has spent nothing"


def test_a_band_of_an_older_epoch_is_ours_until_that_is_retired(band: Api) -> None:
    band.world.do("keys.rotate_chips", RotateChips())
    assert opened(band, address(band, 1)).status_code == 200
    band.world.do("keys.retire", RetireKeys(KeyFamily.CHIPS, 1, 1, force=True))
    assert opened(band, address(band, 2)).status_code == 404


def test_from_one_address_only_so_many_are_looked_at(band: Api) -> None:
    statuses = [opened(band, "/tap?e=00&m=00").status_code for _ in range(62)]
    assert statuses == [404] * 60 + [429] * 2
