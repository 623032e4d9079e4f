"""After the story: a couple whose stay has just begun, so that whoever plays on has bands that open something."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from simulators.demo.chapters import photo, times
from simulators.demo.chapters.booking import PRODUCT
from simulators.demo.chapters.encoding import encode_band
from simulators.demo.chapters.phone import carry_phone
from simulators.demo.faults import StoryFailed
from simulators.demo.people import couple
from simulators.demo.stage import Guest, Stage

CLOCK = "11:00"
"""A window that begins now is good for the longest time of all that are open."""

_PICKS = (("comet", "11:00", 0), ("galleon", "12:00", 0), ("galleon", "11:00", 1), ("falls", "12:00", 1))
"""Attraction, window and which of the two holds it: both may ride something now, and something else afterwards."""


@dataclass(frozen=True)
class Couple:
    """Two guests who stay: one with a band and a PIN, one with a band and the phone."""

    party_id: str
    booking_reference: str
    room: str
    guests: tuple[Guest, Guest]


def play(stage: Stage) -> Couple:
    """Let a couple check in, and return once every edge knows what they may do.

    Raises:
        StoryFailed: something of it was refused or took too long.
        Refused: the gateway refused a command.
    """
    times.pass_until(stage, times.departure_day(stage), CLOCK)
    stage.narrator.chapter("For whoever plays on: a couple stays", stage.now_local())
    staying = _check_in(stage)
    lead, other = staying.guests
    lead.carried, _ = encode_band(stage, lead), encode_band(stage, other, "ntag424")
    carry_phone(stage, other, stage.staff["desk"])
    lead.pin = stage.dice.pin("couple")
    pin = f"/api/v1/tokens/{lead.token_id}/pin"
    stage.gateway.command("couple's pin", pin, {"pin": lead.pin}, stage.staff["desk"], "PUT")
    _book_picks(stage, staying.guests)
    stage.settle()
    _take_photo(stage, staying.guests)
    stage.narrator.say(
        f"{lead.name} (a band, PIN {lead.pin}) and {other.name} (a band and the phone) have just moved into room "
        f"{staying.room} for three nights. At the workbench their bands are live; it says what each may do."
    )
    stage.tell_ledger()
    return staying


def _check_in(stage: Stage) -> Couple:
    people, desk = couple(stage.dice), stage.staff["desk"]
    wish = {
        "product": PRODUCT,
        "arrival_day": times.departure_day(stage).isoformat(),
        "guests": [
            {"given_name": person.given_name, "family_name": person.family_name, "lead": number == 0}
            for number, person in enumerate(people)
        ],
    }
    booked = stage.gateway.command("couple books", "/api/v1/bookings", wish)
    party = f"/api/v1/parties/{booked['party_id']}"
    payment = {"amount_minor": booked["price_minor"], "tender": "card_terminal"}
    stage.gateway.command("couple pays", f"{party}/payments", payment, desk)
    rooms = stage.gateway.command("couple checks in", f"{party}/check-in", {}, desk)["rooms"]
    first, second = (
        Guest(person.given_name, entry["token_id"], booked["party_id"])
        for person, entry in zip(people, booked["guests"], strict=True)
    )
    return Couple(booked["party_id"], booked["booking_reference"], str(rooms[0]), (first, second))


def _book_picks(stage: Stage, guests: tuple[Guest, Guest]) -> None:
    day = times.departure_day(stage)
    for attraction, clock, who in _PICKS:
        wish: dict[str, Any] = {
            "token_ids": [guests[who].token_id],
            "attraction": attraction,
            "starts_at": times.at(stage, day, clock).isoformat(),
        }
        answer = stage.gateway.command(
            f"couple's {attraction} {who}", "/api/v1/reservations", wish, stage.staff["desk"]
        )
        if answer.get("booked") is False:
            raise StoryFailed(f"{attraction} at {clock} was not booked: {answer.get('sentence')}")


def _take_photo(stage: Stage, guests: tuple[Guest, Guest]) -> None:
    """A photo of both: the photographer's page shows the latest of the last minutes."""
    for guest in guests:
        stage.expect_green(photo.POINT, guest)
    stage.until_home(("park",))
    fields = {"photo_point": photo.POINT, "taken_at": stage.clock.now().astimezone(UTC).isoformat()}
    picture = photo.draw_picture(stage.dice.seed, len(guests))
    stage.gateway.upload("couple's photo", "/api/v1/photos", fields, picture, stage.staff["photographer"])
