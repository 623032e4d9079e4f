"""Through the gate, three picks, one tap too early, one in its window through entrance and merge."""

from collections.abc import Sequence
from typing import Any

from simulators.demo.chapters import times
from simulators.demo.faults import StoryFailed
from simulators.demo.hands import Phone, Screenshot
from simulators.demo.stage import Guest, Stage
from wallet.reasons import Reason

PICKS = (("comet", "11:00"), ("galleon", "15:00"), ("carousel", "17:00"))


def play(stage: Stage) -> None:
    """Spend a morning in the park."""
    guests = stage.memory.guests
    day = times.park_day(stage)
    stage.settle(("park",))
    for guest in guests:
        stage.expect_green("gate-1", guest)
    windows = _windows(stage)
    for attraction, clock in PICKS:
        book_pick(stage, windows, attraction, clock, guests)
    stage.settle(("park",))
    times.pass_until(stage, day, "10:20")
    lead, *_, other = guests
    stage.expect_blue("comet-entrance", lead, Reason.WINDOW_NOT_OPEN)
    times.pass_until(stage, day, "11:05")
    _try_screenshot(stage, other)
    for guest in (other, lead):
        stage.expect_green("comet-entrance", guest)
        stage.expect_green("comet-merge", guest)
    stage.until_home(("park",))
    stage.tell_ledger()


def book_pick(
    stage: Stage, windows: Sequence[dict[str, Any]], attraction: str, clock: str, guests: Sequence[Guest]
) -> None:
    """Book a return window for all of `guests` together. StoryFailed when it is refused."""
    at = times.at(stage, times.park_day(stage), clock)
    found = [
        each
        for each in windows
        if each["attraction"] == attraction and times.instant(each["starts_at"]) == at
    ]
    if not found:
        raise StoryFailed(f"{attraction} has no return window at {clock}.")
    body = {
        "token_ids": [guest.token_id for guest in guests],
        "attraction": attraction,
        "starts_at": found[0]["starts_at"],
    }
    answer = stage.gateway.command(
        f"pick {attraction}", "/api/v1/reservations", body, stage.memory.guest_session
    )
    if answer.get("booked") is False:
        raise StoryFailed(f"{attraction} at {clock} was not booked: {answer.get('sentence')}")
    stage.narrator.say(f"In the app: {found[0]['name']} at {clock} for {len(guests)}.")


def _try_screenshot(stage: Stage, owner: Guest) -> None:
    """Let a stranger hold a picture of the owner's screen to the ride: it shows a code of this morning."""
    phone = owner.hand
    assert isinstance(phone, Phone), "the story's fourth guest carries a phone"
    taken = Screenshot(owner.name, phone.picture)
    stranger = Guest("A stranger", owner.token_id, owner.party_id, carried=taken)
    stage.expect_blue("comet-entrance", stranger, Reason.CODE_STALE)


def _windows(stage: Stage) -> list[dict[str, Any]]:
    day = times.park_day(stage).isoformat()
    answer = stage.gateway.get("/api/v1/attractions/windows", stage.memory.guest_session, day=day)
    windows: list[dict[str, Any]] = answer["windows"]
    return windows
