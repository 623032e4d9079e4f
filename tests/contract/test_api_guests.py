"""A family's way over HTTP on both databases, and what a guest must not reach."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, event, select

from gateway.db import rows as r
from gateway.db.tables import metadata
from tests.support.api_world import Api, EdgeApi, api
from tests.support.guests_world import ARRIVAL, NAMES, World
from tests.support.resort_world import RESORT
from wallet import qr
from wallet.credential import open_credential

OPENS_AT = RESORT.instant(ARRIVAL, RESORT.parks[0].opens)
CHIP = {"chip_uid": "04a1b2c3d4e5f6", "chip_kind": "ntag216", "capacity_bytes": 868}


@pytest.fixture
def anyone(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with api(database_url, tmp_path) as made:
        yield made


def keys(world: World) -> dict[str, Ed25519PublicKey]:
    public = world.gateway.issuer.public_keys()
    return {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in public.items()}


def test_a_family_from_booking_to_check_out(anyone: Api) -> None:
    booking = anyone.book()
    party, lead = booking["party_id"], booking["guests"][0]
    guest, desk = anyone.guest(booking), anyone.staff("desk")
    for path in ("", "/folio"):
        due = guest.get(f"/parties/{party}{path}").json()
        assert due["deposit_due_minor"] == 40_000
        assert datetime.fromisoformat(due["deposit_due_at"]) == anyone.world.clock.at
    anyone.world.clock.at += timedelta(minutes=1)
    assert (
        desk.post(f"/parties/{party}/payments", {"amount_minor": 40_000, "tender": "cash"}).status_code == 201
    )
    paid = guest.get(f"/parties/{party}/folio").json()
    assert (paid["deposit_due_minor"], paid["deposit_due_at"]) == (0, None)
    booked = guest.post(
        "/reservations",
        {
            "token_ids": [each["token_id"] for each in booking["guests"]],
            "attraction": "comet",
            "starts_at": OPENS_AT.isoformat(),
        },
    ).json()
    assert booked["booked"]
    windows = guest.get("/attractions/windows", day=str(ARRIVAL)).json()["windows"]
    left = {(each["attraction"], each["starts_at"]): each["left"] for each in windows}
    assert left["comet", booked["starts_at"]] == 16
    assert len(windows) == 4 * 14
    assert guest.put(f"/tokens/{lead['token_id']}/pin", {"pin": "4711"}).status_code == 200
    anyone.world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts) + timedelta(hours=9)
    assert desk.post(f"/parties/{party}/check-in", {}).json()["rooms"] == ["101"]
    # The guest's session from forty days ago is over: the desk gives out a new code.
    assert guest.get(f"/parties/{party}").status_code == 401
    guest = anyone.guest(
        booking | {"sign_in_code": desk.post(f"/parties/{party}/sign-in-codes").json()["code"]}
    )
    seen = guest.get(f"/parties/{party}").json()
    assert (seen["state"], seen["rooms"], seen["balance_minor"]) == ("checked_in", ["101"], 109_001)
    first = next(each for each in seen["guests"] if each["lead"])
    assert (first["given_name"], first["pin_set"]) == (NAMES[0], True)
    assert {right["kind"] for right in first["entitlements"]} == {
        "admission",
        "photos",
        "bypass",
        "room",
        "parking",
        "spending",
    }
    assert guest.put(f"/tokens/{first['token_id']}/limits", {"daily_limit_minor": 5_000}).status_code == 200
    settled = desk.post(f"/parties/{party}/check-out", {"tender": "card_terminal"}).json()
    assert (settled["settled"], settled["paid_minor"]) == (True, 109_001)
    folio = guest.get(f"/parties/{party}/folio").json()
    assert [line["amount_minor"] for line in folio["lines"]] == [149_001, -40_000, -109_001]
    assert (folio["balance_minor"], folio["currency"]) == (0, "EUR")
    anyone.world.assert_books_balance()


def test_the_timeline_tells_everything_in_sentences(anyone: Api) -> None:
    booking = anyone.book(guests=2)
    guest, party = anyone.guest(booking), booking["party_id"]
    wish = {
        "token_ids": [booking["guests"][1]["token_id"]],
        "attraction": "comet",
        "starts_at": (OPENS_AT + timedelta(days=20)).isoformat(),
    }
    assert guest.post("/reservations", wish).json()["reason"] == "no_admission"
    entries = guest.get(f"/parties/{party}/timeline").json()["entries"]
    assert [entry["kind"] for entry in entries] == [
        "party.booked",
        "transfer.posted",
        "session.opened",
        "reservation.refused",
    ]
    sentences = [entry["sentence"] for entry in entries]
    assert sentences[1] == "Family package was put on the folio: 1490.01 EUR."
    assert sentences[3] == (
        f"{NAMES[1]} at Comet, 2030-06-30 09:00: A ticket for Lagoon Park on this day is needed first."
    )
    assert (entries[3]["channel"], entries[3]["actor"]) == (
        "web",
        f"guest:{booking['guests'][0]['guest_id']}",
    )
    spanish = guest.get(f"/parties/{party}/timeline", lang="es", after=entries[2]["position"]).json()
    assert "Primero hace falta una entrada" in spanish["entries"][0]["sentence"]
    assert spanish["next"] == entries[3]["position"]
    second = booking["guests"][1]["guest_id"]
    only = guest.get(f"/parties/{party}/timeline", guest=second).json()["entries"]
    assert [entry["kind"] for entry in only] == ["reservation.refused"]
    assert guest.get(f"/parties/{party}/timeline", guest="someone").json()["entries"] == []
    told = guest.post("/reservations?lang=es", wish).json()
    assert "Primero hace falta" in told["sentence"] == told["results"][0]["sentence"]


def test_names_are_in_one_table_of_the_whole_database(anyone: Api) -> None:
    booking = anyone.book()
    desk, party = anyone.staff("desk"), booking["party_id"]
    anyone.world.clock.at = RESORT.instant(ARRIVAL, RESORT.day_starts) + timedelta(hours=9)
    desk.post(f"/parties/{party}/check-in", {})
    desk.put(f"/tokens/{booking['guests'][0]['token_id']}/pin", {"pin": "4711"})
    desk.post(f"/parties/{party}/check-out", {"tender": "cash"})
    identifying = (*NAMES, "9876 QRS", "example.org", booking["sign_in_code"], "4711")
    holding: dict[str, set[str]] = {}
    with anyone.world.gateway.database.read() as connection:
        for table in metadata.sorted_tables:
            text = str(connection.execute(select(table)).all())
            found = {word for word in identifying if word in text}
            if found:
                holding[table.name] = found
    expected = {NAMES[n] for n in range(6)} | {"9876 QRS", "example.org"}
    assert holding == {"person": expected}


def test_a_guest_reaches_the_own_party_alone(anyone: Api) -> None:
    mine, theirs = anyone.book(), anyone.book()
    guest, other = anyone.guest(mine), anyone.guest(theirs)
    token, party = theirs["guests"][0]["token_id"], theirs["party_id"]
    medium = other.post(f"/tokens/{token}/media", {"kind": "phone"}).json()["medium_id"]
    wish = {"token_ids": [token], "attraction": "comet", "starts_at": OPENS_AT.isoformat()}
    right = other.post("/reservations", wish).json()["results"][0]["entitlement_id"]
    before = anyone.world.gateway.feed.head
    answers = [
        guest.get(f"/parties/{party}"),
        guest.get(f"/parties/{party}/folio"),
        guest.get(f"/parties/{party}/timeline"),
        guest.get(f"/tokens/{token}/pass"),
        guest.post(f"/parties/{party}/cancel"),
        guest.post(f"/media/{medium}/revoke"),
        guest.post(f"/tokens/{token}/media", {"kind": "phone"}),
        guest.put(f"/tokens/{token}/pin", {"pin": "0000"}),
        guest.put(f"/tokens/{token}/limits", {"daily_limit_minor": 0}),
        guest.post("/reservations", wish | {"token_ids": [mine["guests"][0]["token_id"], token]}),
        guest.post(f"/reservations/{right}/cancel"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    # Nothing tells another's from nobody's.
    unknown = guest.get("/tokens/00000000-0000-7000-8000-000000000000/pass").json()
    assert (
        unknown["detail"].replace("00000000-0000-7000-8000-000000000000", token)
        == answers[3].json()["detail"]
    )
    for path in ("check-in", "check-out", "payments", "sign-in-codes"):
        assert guest.post(f"/parties/{mine['party_id']}/{path}", {}).status_code == 403
    assert guest.get("/parties", q="Quillon").status_code == 403
    assert anyone.get(f"/parties/{party}").status_code == 401
    assert anyone.world.gateway.feed.head == before


def test_a_large_party_books_with_as_many_statements_as_a_small_one(anyone: Api) -> None:
    def statements(guests: int) -> int:
        booking = anyone.book(guests=guests)
        guest = anyone.guest(booking)
        tokens = [each["token_id"] for each in booking["guests"]]
        counted: list[str] = []

        def count(connection: object, cursor: object, statement: str, *_: object) -> None:
            if "FROM token " in statement:
                counted.append(statement)

        wish = {"token_ids": tokens, "attraction": "comet", "starts_at": OPENS_AT.isoformat()}
        event.listen(Engine, "before_cursor_execute", count)
        try:
            assert guest.post("/reservations", wish).json()["booked"]
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        return len(counted)

    assert statements(4) == statements(1) >= 1


def test_a_booking_repeated_tells_the_same_code_and_books_once(anyone: Api) -> None:
    people = [{"given_name": "A", "family_name": "B"}]
    wish = {"product": "day-ticket", "arrival_day": str(ARRIVAL), "guests": people}
    first, again = (anyone.post("/bookings", wish, "booking-key-1") for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = anyone.post("/bookings", wish | {"plate": "X"}, "booking-key-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(anyone.world.rows(r.PartyRow)) == 1
    anyone.guest(first.json())
    used = anyone.client.post(
        "/api/v1/sign-in",
        json={"booking_reference": first.json()["booking_reference"], "code": first.json()["sign_in_code"]},
    )
    assert used.status_code == 401
    desk = anyone.staff("desk")
    code = desk.post(f"/parties/{first.json()['party_id']}/sign-in-codes").json()["code"]
    anyone.guest(first.json() | {"sign_in_code": code})


def test_a_pin_repeated_under_its_key_is_one_wish(anyone: Api) -> None:
    booking = anyone.book()
    guest, token = anyone.guest(booking), booking["guests"][0]["token_id"]
    answers = [
        guest.put(f"/tokens/{token}/pin", {"pin": pin}, "pin-key-1") for pin in ("4711", "4711", "4712")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    for wrong in ("123", "12a4", "123456789"):
        assert guest.put(f"/tokens/{token}/pin", {"pin": wrong}).status_code == 422


def test_the_desk_finds_a_party_by_whatever_the_guest_shows(anyone: Api) -> None:
    booking, other = anyone.book(), anyone.book()
    desk, edge = anyone.staff("desk"), EdgeApi(anyone, "desk", "hotel")
    token = booking["guests"][1]["token_id"]
    wish = {"encoder": "encoder-desk", "kind": "band"}
    job = desk.post(f"/tokens/{token}/encodings", wish).json()["encoding_id"]
    edge.post(f"/edge/encodings/{job}/issue", CHIP)
    reference = booking["booking_reference"].lower()
    for q in (reference, f"{reference[:3]} {reference[3:]}", token, CHIP["chip_uid"], "04:A1:B2:C3:D4:E5:F6"):
        found = desk.get("/parties", q=q).json()["parties"]
        assert [each["party_id"] for each in found] == [booking["party_id"]], q
    named = desk.get("/parties", q=f"{NAMES[0][:4].lower()} {NAMES[-1]}").json()["parties"]
    assert {each["party_id"] for each in named} == {booking["party_id"], other["party_id"]}
    assert named[0]["family_name"] == NAMES[-1]
    assert desk.get("/parties", q="%%").json()["parties"] == []
    assert desk.get("/parties", q="  ").json()["parties"] == []


def test_a_band_is_written_read_back_and_signed_by_the_issuer(anyone: Api) -> None:
    booking = anyone.book()
    desk, edge = anyone.staff("desk"), EdgeApi(anyone, "desk", "hotel")
    token = booking["guests"][0]["token_id"]
    assert edge.get("/edge/encodings").json() == {"encodings": []}
    job = desk.post(f"/tokens/{token}/encodings", {"encoder": "encoder-desk", "kind": "band"}).json()[
        "encoding_id"
    ]
    waiting = {"encoding_id": job, "token_id": token, "encoder": "encoder-desk", "kind": "band"}
    assert edge.get("/edge/encodings?wait_s=5").json() == {"encodings": [waiting]}
    assert EdgeApi(anyone, "park", "park").get("/edge/encodings").json() == {"encodings": []}
    issued = edge.post(f"/edge/encodings/{job}/issue", CHIP, "issue-key-1")
    again = edge.post(f"/edge/encodings/{job}/issue", CHIP, "issue-key-1")
    assert issued.json() == again.json()
    other = CHIP | {"chip_uid": "04000000000001"}
    second = edge.post(f"/edge/encodings/{job}/issue", other, "issue-key-2").json()
    # Back to the first chip under its first key: a new medium, not the dropped one of the stored answer.
    third = edge.post(f"/edge/encodings/{job}/issue", CHIP, "issue-key-1").json()
    assert len({issued.json()["medium_id"], second["medium_id"], third["medium_id"]}) == 3
    credential = open_credential(bytes.fromhex(third["credential"]), keys(anyone.world), CHIP["chip_uid"])
    assert (credential.token_id, len(credential.grants)) == (token, 1)
    small = edge.post(f"/edge/encodings/{job}/issue", CHIP | {"capacity_bytes": 40}, "issue-key-3")
    assert (small.status_code, small.json()["code"]) == (409, "chip_too_small")
    assert edge.post(f"/edge/encodings/{job}/confirm", {"ok": True}).json()["state"] == "done"
    state = desk.get(f"/encodings/{job}", wait_s=5).json()
    assert (state["state"], state["medium_id"]) == ("done", third["medium_id"])
    assert edge.get("/edge/encodings").json() == {"encodings": []}
    answers = anyone.world.rows(r.CommandRow, name="encoding.issue")
    assert third["credential"] not in str(answers)


def test_a_phone_shows_a_pass_that_a_reader_takes(anyone: Api) -> None:
    booking = anyone.book()
    guest, token = anyone.guest(booking), booking["guests"][0]["token_id"]
    assert guest.get(f"/tokens/{token}/pass").json()["code"] == "no_phone"
    medium = guest.post(f"/tokens/{token}/media", {"kind": "phone"}).json()["medium_id"]
    shown = guest.get(f"/tokens/{token}/pass").json()
    credential = open_credential(qr.decode(shown["qr"]), keys(anyone.world), "")
    assert credential.token_id == token
    assert guest.post(f"/tokens/{token}/media", {"kind": "band"}).status_code == 422
    assert guest.post(f"/media/{medium}/revoke", {"note": "lost"}).json()["state"] == "revoked"
    assert guest.get(f"/tokens/{token}/pass").status_code == 409
