"""Photos over HTTP: who may do and see what, and what comes of hostile input."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.auth import token_hash
from gateway.bootstrap import Gateway, build
from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.db.write import write_rows
from gateway.services.resort import LoadedResort
from gateway.settings import Environment, Settings
from tests.support.photo_world import NOON, RESORT, Family, put_family, put_tap
from tests.support.pictures import bomb_jpeg, jpeg, picture, png

_keys = count()


@dataclass
class HandClock:
    """Wall time that a test sets."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()

    elapsed_s = monotonic


@dataclass
class Plaza:
    """A gateway's HTTP with sessions for anyone."""

    gateway: Gateway
    client: TestClient
    clock: HandClock
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(
        self, who: str | Family | None, method: str, path: str, key: str = "", **more: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key or f"photo-http-{next(_keys)}"}
        if who is not None:
            headers["Authorization"] = f"Bearer {self._session(who)}"
        return self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    def upload(self, data: bytes, who: Any = "photographer", key: str = "", **form: Any) -> httpx.Response:
        form = {"photo_point": "plaza-1"} | form
        files = {"file": ("../../evil name.jpg", data, "image/jpeg")}
        return self.ask(who, "POST", "/photos", key, data=form, files=files)

    def family(self, *, plan: bool = False, tapped: bool = True) -> Family:
        made = put_family(self.gateway.database, plan=plan)
        for token_id in made.token_ids if tapped else ():
            put_tap(self.gateway.database, token_id, made.party_id, self.clock.at - timedelta(seconds=5))
        return made

    def _session(self, who: str | Family) -> str:
        role, party_id = ("guest", who.party_id) if isinstance(who, Family) else (who, None)
        token = f"session of {party_id or role}"
        if token not in self.tokens:
            self.tokens[token] = token
            with self.gateway.database.write() as connection:
                subject = f"staff:{role}"
                if party_id:
                    (lead,) = [
                        g for g in rows_where(connection, r.GuestRow) if g.party_id == party_id and g.lead
                    ]
                    subject = f"guest:{lead.id}"
                row = r.SessionRow(
                    token_hash(token), subject, (role,), party_id, NOON, NOON + timedelta(days=400)
                )
                write_rows(connection, [row], [])
        return token


@pytest.fixture
def plaza(database_url: str, tmp_path: Path) -> Iterator[Plaza]:
    settings = Settings(
        environment=Environment.SIMULATION, directory=tmp_path / "gw", database_url=database_url
    )
    clock = HandClock()
    gateway = build(settings, clock=clock)
    with TestClient(create_app(gateway), raise_server_exceptions=False) as client:
        gateway.do("resort.load", LoadedResort(RESORT))
        yield Plaza(gateway, client, clock)


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["code"])


def test_a_photo_from_upload_to_download(plaza: Plaza):
    owner, other = plaza.family(plan=True), plaza.family()
    answer = plaza.upload(jpeg(picture(2000, 1500), gps=True, orientation=6))
    assert answer.status_code == 201, answer.text
    photo_id = answer.json()["photo_id"]
    assert {each["token_id"] for each in answer.json()["linked"]} == {*owner.token_ids, *other.token_ids}
    (mine,) = plaza.ask(owner, "GET", f"/parties/{owner.party_id}/photos").json()["photos"]
    assert (mine["photo_id"], mine["marked"], mine["download_until"]) == (photo_id, False, "2027-04-01")
    assert {each["party_id"] for each in mine["linked"]} == {owner.party_id}
    assert (mine["width_px"], mine["height_px"]) == (1500, 2000)
    (theirs,) = plaza.ask(other, "GET", f"/parties/{other.party_id}/photos").json()["photos"]
    assert (theirs["marked"], theirs["download_until"]) == (True, None)
    got = plaza.ask(owner, "GET", f"/photos/{photo_id}/original")
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9_.-]+\.jpg"', got.headers["content-disposition"])
    assert got.content.startswith(b"\xff\xd8")
    assert b"SecretCam" not in got.content
    packed = plaza.ask(owner, "GET", f"/parties/{owner.party_id}/photos.zip")
    with zipfile.ZipFile(BytesIO(packed.content)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [got.content]


# What each answers: the party that owns a plan, one in the photo without, one not in it, and staff.
WHO = ("owner", "other", "stranger", "desk", "photographer")
ACCESS: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "/photos/{photo}/preview"): (200, 200, 404, 200, 200),
    ("GET", "/photos/{photo}/thumbnail"): (200, 200, 404, 200, 200),
    ("GET", "/photos/{photo}/original"): (200, 403, 404, 200, 403),
    ("GET", "/parties/{owner}/photos"): (200, 404, 404, 200, 403),
    ("GET", "/parties/{owner}/photos.zip"): (200, 404, 404, 200, 403),
    ("GET", "/parties/{other}/photos.zip"): (404, 403, 404, 403, 403),
    ("GET", "/photo-points/plaza/recent"): (403, 403, 403, 403, 200),
    ("POST", "/photos/{photo}/unlink"): (200, 404, 404, 200, 403),
    ("POST", "/photo-claim-cards"): (403, 403, 403, 403, 201),
    ("POST", "/photos"): (403, 403, 403, 403, 201),
    ("POST", "/photo-claims"): (404, 404, 404, 422, 403),
}


def test_who_may_do_what(plaza: Plaza):
    owner, other, stranger = plaza.family(plan=True), plaza.family(), plaza.family(tapped=False)
    photo_id = plaza.upload(jpeg()).json()["photo_id"]
    bodies: dict[str, dict[str, Any]] = {
        "/photos/{photo}/unlink": {"json": {"token_id": owner.token_ids[0]}},
        "/photo-claim-cards": {"json": {"photo_ids": [photo_id]}},
        "/photo-claims": {"json": {"code": "2222-2222-2222"}},
        "/photos": {"data": {"photo_point": "plaza"}, "files": {"file": ("x.png", png())}},
    }
    askers: dict[str, Any] = {"owner": owner, "other": other, "stranger": stranger}
    seen: dict[tuple[str, str], tuple[int, ...]] = {}
    for method, pattern in ACCESS:
        path = pattern.format(photo=photo_id, owner=owner.party_id, other=other.party_id)
        more = bodies.get(pattern, {})
        seen[method, pattern] = tuple(
            plaza.ask(askers.get(name, name), method, path, **more).status_code for name in WHO
        )
        assert plaza.ask(None, method, path, **more).status_code == 401
        assert plaza.ask("operations", method, path, **more).status_code == 403
    assert seen == ACCESS


def test_a_claim_card_is_claimed_in_the_app(plaza: Plaza):
    family = plaza.family(tapped=False)
    photo_id = plaza.upload(jpeg()).json()["photo_id"]
    wish = {"json": {"photo_ids": [photo_id]}}
    card = plaza.ask("photographer", "POST", "/photo-claim-cards", "card-key-1", **wish).json()
    assert plaza.ask("photographer", "POST", "/photo-claim-cards", "card-key-1", **wish).json() == card
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", card["code"])
    assert card["qr"].startswith("<svg")
    typed = card["code"].lower().replace("-", " ")
    answer = plaza.ask(family, "POST", "/photo-claims", json={"code": typed})
    assert answer.json() == {
        "claimed": True, "photo_ids": [photo_id], "over": [], "reason": None, "sentence": None
    }  # fmt: skip
    assert plaza.ask(family, "GET", f"/photos/{photo_id}/preview").status_code == 200
    late = plaza.ask(plaza.family(), "POST", "/photo-claims", json={"code": card["code"]}).json()
    assert (late["claimed"], late["reason"]) == (False, "photo_claimed_by_others")
    assert "another party" in late["sentence"]


def test_claim_codes_cannot_be_tried_at_will(plaza: Plaza):
    family = plaza.family(tapped=False)
    photo_id = plaza.upload(jpeg()).json()["photo_id"]
    card = plaza.ask("photographer", "POST", "/photo-claim-cards", json={"photo_ids": [photo_id]}).json()
    statuses = [
        plaza.ask(family, "POST", "/photo-claims", json={"code": f"2222-2222-22{number}"}).status_code
        for number in range(22, 36)
    ]
    assert statuses == [404] * 10 + [429] * 4
    assert plaza.ask(family, "POST", "/photo-claims", json={"code": card["code"]}).status_code == 429


def test_the_photographer_sees_who_the_next_photo_goes_to(plaza: Plaza):
    first = plaza.family()
    photo_id = plaza.upload(jpeg()).json()["photo_id"]
    plaza.clock.at += timedelta(seconds=30)
    second = plaza.family()
    seen = plaza.ask("photographer", "GET", "/photo-points/plaza-1/recent").json()
    assert {each["token_id"] for each in seen["group"]} == set(second.token_ids)
    assert {each["token_id"] for each in seen["taps"]} == {*first.token_ids, *second.token_ids}
    (photo,) = seen["photos"]
    assert (photo["photo_id"], len(photo["linked"])) == (photo_id, 2)
    assert plaza.ask("photographer", "GET", "/photo-points/nowhere/recent").status_code == 404


def test_guests_chosen_by_hand_and_nobody(plaza: Plaza):
    tapped, chosen = plaza.family(), plaza.family(tapped=False)
    answer = plaza.upload(jpeg(), token_ids=chosen.token_ids).json()
    assert {each["token_id"] for each in answer["linked"]} == set(chosen.token_ids)
    assert plaza.upload(png(), token_ids="").json()["linked"] == []
    assert plaza.ask(tapped, "GET", f"/parties/{tapped.party_id}/photos").json() == {"photos": []}


def test_the_same_upload_again_has_one_effect(plaza: Plaza):
    family = plaza.family()
    first = plaza.upload(jpeg(), key="upload-key-1")
    assert plaza.upload(jpeg(), key="upload-key-1").json() == first.json()
    assert plaza.upload(jpeg()).json() == first.json()
    other = plaza.upload(png(), key="upload-key-1")
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert len(plaza.ask(family, "GET", f"/parties/{family.party_id}/photos").json()["photos"]) == 1


@pytest.mark.parametrize(
    ("data", "form", "status", "code"),
    [
        (b"", {}, 422, "photo_file_empty"),
        (b"<html><script>alert(1)</script>", {}, 422, "photo_not_an_image"),
        (jpeg()[:-2], {}, 422, "photo_image_damaged"),
        (bomb_jpeg(), {}, 422, "photo_image_too_large"),
        (bytes(26 << 20), {}, 413, "too_large"),
        (jpeg(), {"photo_point": "../../etc"}, 404, "not_found"),
        (jpeg(), {"photo_point": "gate-1"}, 404, "not_found"),
        (jpeg(), {"taken_at": "2027-03-02T13:00:00Z"}, 422, "photo_taken_in_future"),
        (jpeg(), {"taken_at": "2027-03-02T12:00:00"}, 422, "invalid"),
        (jpeg(), {"token_ids": ["no-such-token"]}, 404, "not_found"),
    ],
)
def test_what_cannot_be_taken_in_is_refused(plaza: Plaza, data: bytes, form: dict, status: int, code: str):
    answer = plaza.upload(data, **form)
    assert (answer.status_code, code_of(answer)) == (status, code)
    with plaza.gateway.database.read() as connection:
        assert rows_where(connection, r.PhotoRow) == []


@pytest.mark.parametrize(
    "photo_id", ["..%2f..%2fmaster.key", "%2e%2e", "'; DROP TABLE photo; --", "x" * 4000]
)
def test_ids_that_are_none_lead_nowhere(plaza: Plaza, photo_id: str):
    for look in ("preview", "thumbnail", "original"):
        assert plaza.ask("desk", "GET", f"/photos/{photo_id}/{look}").status_code == 404


def test_downloads_end_and_say_so(plaza: Plaza):
    owner = plaza.family(plan=True)
    photo_id = plaza.upload(jpeg()).json()["photo_id"]
    plaza.clock.at += timedelta(days=30)
    assert plaza.ask(owner, "GET", f"/photos/{photo_id}/original").status_code == 200
    plaza.clock.at += timedelta(days=1)
    answer = plaza.ask(owner, "GET", f"/photos/{photo_id}/original")
    assert (answer.status_code, code_of(answer)) == (409, "photo_download_over")
    assert answer.json()["detail"] == "The photo could be downloaded until 2027-04-01."


UPLOADS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from gateway.bootstrap import running
from gateway.settings import Environment, Settings

settings = Settings(
    environment=Environment.SIMULATION, directory=Path(sys.argv[1]), database_url=sys.argv[2]
)
with running(settings) as gateway:
    gateway.album.take_in(sys.stdin.buffer.read())
    os.kill(os.getpid(), signal.SIGKILL)  # the bytes are kept, the command was never sent
"""


def test_killed_between_bytes_and_record_the_retry_brings_it_on_record(plaza: Plaza):
    family = plaza.family(plan=True)
    settings = plaza.gateway.settings
    for upload in (jpeg(), png()):
        ended = subprocess.run(
            [sys.executable, "-c", UPLOADS_AND_DIES, str(settings.directory), settings.database_url],
            input=upload,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL
    assert len(list((settings.directory / "photos").glob("??/*"))) == 10
    photo_id = plaza.upload(jpeg()).json()["photo_id"]
    for path in (settings.directory / "photos").glob("??/*"):
        os.utime(path, (0, 0))
    assert len(plaza.gateway.album.sweep()) == 5
    assert plaza.ask(family, "GET", f"/photos/{photo_id}/original").status_code == 200
    assert plaza.ask(family, "GET", f"/photos/{photo_id}/preview").status_code == 200
