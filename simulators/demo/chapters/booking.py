"""A party of four books a package: one room, three nights, two park days, a car, a folio, a photo plan."""

from simulators.demo.api import Session
from simulators.demo.chapters import times
from simulators.demo.faults import Refused, StoryFailed
from simulators.demo.people import family
from simulators.demo.stage import Guest, Stage

PRODUCT = "family-package"
_SIGN_IN_TRIES_MAX = 4


def play(stage: Stage) -> None:
    """Book, and sign in with the code that came with the booking."""
    people = family(stage.dice)
    lead = people[0]
    stage.narrator.say(f"{lead.given_name} {lead.family_name} books the family package for four on the web.")
    body = {
        "product": PRODUCT,
        "arrival_day": times.arrival_day(stage).isoformat(),
        "guests": [
            {
                "given_name": person.given_name,
                "family_name": person.family_name,
                "child": person.child,
                "lead": person is lead,
                **({"email": person.email} if person is lead else {}),
            }
            for person in people
        ],
        "plate": "0000 PBD",
    }
    booked = stage.gateway.command("book", "/api/v1/bookings", body)
    memory = stage.memory
    memory.party_id = booked["party_id"]
    memory.booking_reference = booked["booking_reference"]
    memory.price_minor = booked["price_minor"]
    memory.guests = [
        Guest(person.given_name, entry["token_id"], memory.party_id)
        for person, entry in zip(people, booked["guests"], strict=True)
    ]
    if len({guest.token_id for guest in memory.guests}) != len(people):
        raise StoryFailed("Two guests of one booking share a token.")
    memory.guest_session = guest_session(stage, booked["sign_in_code"])
    price, deposit = (times.money(stage, booked[name]) for name in ("price_minor", "deposit_minor"))
    stage.narrator.say(
        f"Booking {memory.booking_reference}: {price}, of which {deposit} now. One token per guest."
    )
    stage.tell_ledger()


def guest_session(stage: Stage, first_code: str) -> Session:
    """Return the lead's session; once it has run out, the desk gives another one-time code."""
    codes = [first_code]

    def sign_in() -> str:
        memory, why = stage.memory, ""
        for _ in range(_SIGN_IN_TRIES_MAX):
            number = memory.sign_ins = memory.sign_ins + 1
            code = codes.pop() if codes else _code_from_desk(stage, number)
            body = {"booking_reference": memory.booking_reference, "code": code}
            try:
                answer = stage.gateway.command(f"sign in {number}", "/api/v1/sign-in", body)
            except Refused as refusal:
                # A code works once, also when its answer was lost: ask for another.
                why = str(refusal)
                continue
            return str(answer["session_token"])
        raise StoryFailed(f"The lead could not sign in: {why}")

    return Session(sign_in)


def _code_from_desk(stage: Stage, number: int) -> str:
    path = f"/api/v1/parties/{stage.memory.party_id}/sign-in-codes"
    return str(stage.gateway.command(f"code {number}", path, {}, stage.staff["desk"])["code"])
