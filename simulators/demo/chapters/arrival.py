"""Check-in, three bands and a phone, the car, the own room and another one."""

from simulators.demo.chapters import times
from simulators.demo.chapters.encoding import encode_band
from simulators.demo.chapters.phone import carry_phone
from simulators.demo.faults import StoryFailed
from simulators.demo.stage import Stage
from wallet.reasons import Reason

DOORS = ("door-101", "door-102")


def play(stage: Stage) -> None:
    """Check in and use the rights that begin with it."""
    memory, desk = stage.memory, stage.staff["desk"]
    party = f"/api/v1/parties/{memory.party_id}"
    payment = {"amount_minor": memory.price_minor, "tender": "card_terminal"}
    stage.gateway.command("pay package", f"{party}/payments", payment, desk)
    rooms = stage.gateway.command("check in", f"{party}/check-in", {}, desk)["rooms"]
    memory.room = str(rooms[0])
    price = times.money(stage, memory.price_minor)
    stage.narrator.say(f"The package ({price}) is paid, the party checked in: room {memory.room}.")
    lead, *children, other = memory.guests
    for guest, kind in zip((lead, *children), ("ntag424", "ntag216", "ntag424"), strict=True):
        guest.carried = encode_band(stage, guest, kind)
    assert memory.guest_session is not None, "the family has booked"
    carry_phone(stage, other, memory.guest_session)
    lead.pin = stage.dice.pin("lead")
    path = f"/api/v1/tokens/{lead.token_id}/pin"
    stage.gateway.command("pin", path, {"pin": lead.pin}, memory.guest_session, "PUT")
    stage.narrator.say(f"{other.name} carries the pass on the phone; {lead.name} chooses a PIN.")
    stage.settle()
    stage.expect_green("lane-in", lead)
    own, another = _doors(memory.room)
    stage.expect_green(own, children[0])
    stage.expect_blue(another, children[1], Reason.OTHER_ROOM)
    stage.until_home(("hotel",))
    stage.tell_ledger()


def _doors(room: str) -> tuple[str, str]:
    own = f"door-{room}"
    if own not in DOORS:
        raise StoryFailed(f"Room {room} has no door in the demo; expected one of {', '.join(DOORS)}.")
    return own, next(door for door in DOORS if door != own)
