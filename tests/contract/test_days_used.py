"""Days of a ticket that were used: what is issued afterwards, for a band or a phone, grants none of them again."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import insert

from gateway.db import rows as r
from gateway.db.tables import party as tables
from tests.contract.test_chip_keys import UID, issued, job
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import ARRIVAL
from tests.support.resort_world import RESORT
from wallet import qr
from wallet.credential import AdmissionGrant, open_credential
from wallet.token import Step


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        yield made.staff("desk")


def days_granted(desk: Api, signed: bytes, chip_uid: str) -> list[int]:
    """Return the days of each ticket that the credential grants."""
    keys = {
        name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        for name, key in desk.world.gateway.issuer.public_keys().items()
    }
    grants = open_credential(signed, keys, chip_uid).grants
    return [grant.days for grant in grants if isinstance(grant, AdmissionGrant)]


def use_a_day(desk: Api, token: str, day: date) -> None:
    (right,) = desk.world.rows(r.EntitlementRow, token_id=token, kind="admission")
    used = {
        "tap_id": f"{day:%Y%m%d}-in",
        "entitlement_id": right.id,
        "token_id": token,
        "step": Step.PARK_IN,
        "at": RESORT.instant(day, RESORT.day_starts) + timedelta(hours=5),
        "day": day,
        "place": right.body.parks[0],
        "amount_minor": 0,
    }
    with desk.world.gateway.database.write() as connection:  # as its tap does
        connection.execute(insert(tables.tap_use).values(used))


def test_days_that_were_used_are_granted_to_no_band_and_no_phone(desk: Api) -> None:
    hotel, token = EdgeApi(desk, "hotel", "hotel"), desk.book()["guests"][0]["token_id"]
    assert desk.post(f"/tokens/{token}/media", {"kind": "phone"}).status_code == 201

    def granted() -> tuple[list[int], list[int]]:
        band = bytes.fromhex(issued(hotel, job(desk, token)).credential)
        phone = qr.decode(desk.get(f"/tokens/{token}/pass").json()["qr"])
        return days_granted(desk, band, UID), days_granted(desk, phone, "")

    for used, left in ((0, [2]), (1, [1]), (2, [])):
        today = ARRIVAL + timedelta(days=used)
        desk.world.clock.at = RESORT.instant(today, RESORT.day_starts) + timedelta(hours=4)
        if used:
            use_a_day(desk, token, today - timedelta(days=1))
        assert granted() == (left, left)
