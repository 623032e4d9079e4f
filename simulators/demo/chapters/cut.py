"""Shops and park lose the gateway: small sales go on, a lost band is reported, someone buys a ticket."""

from simulators.demo.chapters import times
from simulators.demo.chapters.encoding import encode_band
from simulators.demo.chapters.paying import expect_paid, expect_unpaid
from simulators.demo.people import latecomer
from simulators.demo.stage import Guest, Stage
from wallet.reasons import Reason

CUT_OFF = ("park", "shops")


def play(stage: Stage) -> None:
    """Cut both networks and go on."""
    lead, lost, *_ = stage.memory.guests
    day = times.park_day(stage)
    stage.settle(CUT_OFF)
    for edge in CUT_OFF:
        stage.field.cut(edge)
    stage.until_offline(CUT_OFF)
    stage.narrator.say("The cables of shops and park are cut. Their edges decide alone.")
    expect_paid(stage, "sun-hat", "till-shop", {"sun-hat": 1}, lead, asks_pin=False, offline=True)
    times.pass_until(stage, day, "14:40")
    _report_lost(stage, lost)
    expect_unpaid(stage, "sun-hats", "till-shop", {"sun-hat": 2}, lead, Reason.OFFLINE_ABOVE_FLOOR)
    times.pass_until(stage, day, "14:50")
    _buy_ticket(stage)
    assert stage.memory.latecomer is not None
    stage.expect_green("gate-2", stage.memory.latecomer)
    times.pass_until(stage, day, "15:05")
    seen = stage.expect_green("gate-1", lost)
    if seen.light.light == "green":
        stage.memory.lost_taps.append(seen.light.tap_id)
    stage.narrator.say("The cut-off gate can't know yet that this band was reported lost: it will be told.")


def _report_lost(stage: Stage, guest: Guest) -> None:
    memory = stage.memory
    party = stage.gateway.get(f"/api/v1/parties/{memory.party_id}", memory.guest_session)
    media = next(entry["media"] for entry in party["guests"] if entry["token_id"] == guest.token_id)
    medium = next(medium for medium in media if medium["state"] == "active")
    path = f"/api/v1/media/{medium['medium_id']}/revoke"
    stage.gateway.command("lost band", path, {"note": "Lost near the lagoon."}, memory.guest_session)
    stage.narrator.say(f"{guest.name}'s band is lost; {memory.guests[0].name} turns it off in the app.")


def _buy_ticket(stage: Stage) -> None:
    person, memory, desk = latecomer(stage.dice), stage.memory, stage.staff["desk"]
    body = {
        "product": "day-ticket",
        "arrival_day": times.park_day(stage).isoformat(),
        "guests": [{"given_name": person.given_name, "family_name": person.family_name, "lead": True}],
    }
    booked = stage.gateway.command("ticket", "/api/v1/bookings", body)
    party = f"/api/v1/parties/{booked['party_id']}"
    payment = {"amount_minor": booked["price_minor"], "tender": "cash"}
    stage.gateway.command("pay ticket", f"{party}/payments", payment, desk)
    stage.narrator.say(f"{person.given_name} buys a day ticket at the hotel's desk, after the cut.")
    guest = Guest(person.given_name, booked["guests"][0]["token_id"], booked["party_id"])
    guest.carried = encode_band(stage, guest)
    memory.latecomer = guest
