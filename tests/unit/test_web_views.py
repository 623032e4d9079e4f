"""How pages shape what the ledger tells: picks, the next thing to do, rings, lengths of time and typed amounts."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.db.bench import Carried
from gateway.resort_toml import read_resort
from gateway.web.guest_find import days_of
from gateway.web.guest_media import minor_of
from gateway.web.guest_today import next_thing
from gateway.web.party import PartySeen, party_of, picks_of
from gateway.web.telling import amount_of
from gateway.web.workbench import view
from gateway.web.workbench.field import Cable, Chip, EdgeSeen, Lamp, Reader, Sight, Status

RESORT = read_resort((Path(__file__).parents[2] / "simulators/demo/resort.toml").read_text(encoding="utf-8"))
DAY = date(2030, 6, 10)
WINDOW = datetime.fromisoformat("2030-06-10T13:00:00Z")


def party(state: str = "checked_in", **uses: list[str]) -> PartySeen:
    """Two guests who hold the same window; `uses` are the steps of each."""
    guests: list[dict[str, Any]] = [
        {
            "guest_id": f"g-{name}",
            "token_id": f"t-{name}",
            "given_name": name,
            "entitlements": [
                {
                    "kind": "bypass",
                    "entitlement_id": f"e-{name}",
                    "attraction": "comet",
                    "starts_at": "2030-06-10T13:00:00Z",
                    "ends_at": "2030-06-10T14:00:00Z",
                    "uses": [{"step": step, "at": "2030-06-10T13:05:00Z"} for step in uses.get(name, [])],
                }
            ],
        }
        for name in ("Quillon", "Zephyrine")
    ]
    whole = {"party_id": "p", "booking_reference": "R", "product": "family-package", "guests": guests}
    return party_of(whole | {"state": state, "arrival_day": "2030-06-10", "departure_day": "2030-06-13"})


@pytest.mark.parametrize(
    ("after_min", "state"),
    [(-66, "booked"), (-65, "soon"), (-6, "soon"), (-5, "open"), (75, "open"), (76, "lapsed")],
)
def test_a_pick_is_open_as_long_as_the_rulebook_accepts_it(after_min: int, state: str) -> None:
    (pick,) = picks_of(party(), RESORT, WINDOW + timedelta(minutes=after_min))
    assert pick.state == state
    assert [name for _, name in pick.holders] == ["Quillon", "Zephyrine"]


@pytest.mark.parametrize(("after_h", "state"), [(1, "entered"), (12, "entered"), (13, "lapsed")])
def test_who_entered_may_merge_until_the_resort_day_ends(after_h: int, state: str) -> None:
    """The window is at 15:00 resort time, the day ends at 04:00."""
    seen = party(Quillon=["entrance"], Zephyrine=["entrance"])
    (pick,) = picks_of(seen, RESORT, WINDOW + timedelta(hours=after_h))
    assert pick.state == state


def test_members_who_went_ahead_have_a_line_of_their_own() -> None:
    seen = party(Quillon=["entrance", "merge"], Zephyrine=["entrance"])
    picks = picks_of(seen, RESORT, WINDOW + timedelta(minutes=10))
    assert [(pick.state, pick.holders[0][1]) for pick in picks] == [
        ("entered", "Zephyrine"),
        ("redeemed", "Quillon"),  # over, so it stands below what is still to come
    ]
    assert not any(pick.shown()["can_cancel"] for pick in picks)


@pytest.mark.parametrize(
    ("state", "after_min", "title"),
    [
        ("checked_in", 0, "Comet"),
        ("checked_in", -120, "Comet"),
        ("booked", 100, "Check in at the front desk"),
        ("booked", -3000, "Your stay"),
        ("checked_out", 100, "See you again"),
        ("checked_in", 100, "Choose a ride"),
    ],
)
def test_the_next_thing_fits_the_moment(state: str, after_min: int, title: str) -> None:
    now, seen = WINDOW + timedelta(minutes=after_min), party(state)
    picks = picks_of(seen, RESORT, now) if after_min > -3000 else []
    assert next_thing(seen, picks, RESORT, now)["title"] == title


def test_days_that_are_over_are_not_offered() -> None:
    assert days_of(party(), DAY + timedelta(days=2)) == [date(2030, 6, 12), date(2030, 6, 13)]
    assert days_of(party(), DAY + timedelta(days=30)) == [date(2030, 6, 13)]


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("12", 1200),
        ("12,5", 1250),
        ("0.01", 1),
        ("0", 0),
        ("-1", None),
        ("1.005", None),
        ("NaN", None),
        ("x", None),
        ("1e9", None),
    ],
)
def test_an_amount_is_read_exactly_or_not_at_all(text: str, minor: int | None) -> None:
    assert minor_of(text) == minor


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3661, "1 h 1 min"), (90061, "1 d 1 h")],
)
def test_a_span_is_told_in_the_two_units_that_matter(seconds: int, words: str) -> None:
    assert view.span(timedelta(seconds=seconds)) == words


def edge(*sights: Sight, alive: bool = True) -> EdgeSeen:
    readers = (
        Reader("gate-1-nfc", "gate-1", "udp:x", "up"),
        Reader("gate-1-qr", "gate-1", "scanner:socket://x", "up"),
    )
    status = Status("park", True, WINDOW - timedelta(seconds=9), 3, readers, WINDOW) if alive else None
    return EdgeSeen("park", Cable("up", "http://127.0.0.1:1"), status, sights)


def sight(decision: str, age_s: float) -> Sight:
    return Sight(Lamp("t", "gate-1", "gate-1-nfc", decision, "", WINDOW - timedelta(seconds=age_s)), "Words.")


@pytest.mark.parametrize(
    ("decision", "age_s", "state"),
    [
        ("approved", 1, "approved"),
        ("refused", 1, "waiting"),
        ("approved", 7, "rest"),
        ("asks", 7, "asks"),
        ("asks", 31, "rest"),
    ],
)
def test_a_tile_shows_a_verdict_for_a_moment_and_a_question_until_it_lapses(
    decision: str, age_s: float, state: str
) -> None:
    (card,) = view.edge_cards([edge(sight(decision, age_s))], RESORT)
    (tile,) = card["readers"]
    assert tile["state"] == state
    assert tile["takes"] == "bands and codes"
    assert card["facts_age"] == "9 s"
    assert card["lease_left"] == "23 h 59 min"


@pytest.mark.parametrize(
    ("here", "left"),
    [
        (("gate-out",), "the whole stay"),
        (("door-101",), "the whole stay"),
        (("gate-out", "gate-1"), "19 min 51 s"),
        (("gate-1", "till-grill"), "9 min 51 s"),
    ],
)
def test_an_edges_lease_is_the_shortest_of_its_ways_in(here: tuple[str, ...], left: str) -> None:
    readers = tuple(Reader(f"{each}-nfc", each, "udp:x", "up") for each in here)
    status = Status("park", False, WINDOW - timedelta(seconds=9), 3, readers, WINDOW)
    policies = replace(RESORT.policies, gate_lease_s=1200, till_lease_s=600)
    seen = EdgeSeen("park", Cable("cut", "http://127.0.0.1:1"), status, ())
    (card,) = view.edge_cards([seen], replace(RESORT, policies=policies))
    assert card["lease_left"] == left


def test_an_edge_that_does_not_answer_has_no_readers_to_press() -> None:
    (card,) = view.edge_cards([edge(alive=False)], RESORT)
    assert (card["alive"], card["readers"]) == (False, [])


def test_the_tray_holds_what_is_in_the_field_and_marks_what_is_not_ours() -> None:
    carried = [
        Carried("m2", "t1", "phone", "revoked", "", "Quillon"),
        Carried("m1", "t1", "band", "active", "04aa", "Quillon"),
        Carried("m3", "t1", "band", "active", "real", "Quillon"),
    ]
    tray = view.media(
        carried, [Chip("04aa", "ntag216"), Chip("04bb", "type4", "Blank")], "m2", RESORT, WINDOW
    )
    assert [row["id"] for row in tray] == ["m1", "m2", "chip:04bb"]
    assert [row["chosen"] for row in tray] == [False, True, False]
    assert [row["revoked"] for row in tray] == [False, True, False]


def test_the_tray_offers_first_what_opens_something() -> None:
    def held(name: str, state: str, party_state: str) -> Carried:
        return Carried(name, name, "phone", state, "", name, "ABC123", party_state=party_state)

    carried = [
        held("lost", "revoked", "checked_in"),
        held("gone", "active", "checked_out"),
        held("day guest", "active", "booked"),
        held("in house", "active", "checked_in"),
    ]
    tray = view.media(carried, [], "", RESORT, WINDOW)
    assert [row["guest"] for row in tray] == ["in house", "day guest", "gone", "lost"]
    assert [row["chosen"] for row in tray] == [True, False, False, False]
    assert tray[2]["role"] == "guest of ABC123, checked out"
    assert tray[3]["may"] == ["Turned off: opens nothing"]


def test_money_is_told_once() -> None:
    postings = [{"amount_minor": 500}, {"amount_minor": -455}, {"amount_minor": -45}]
    assert amount_of("transfer.posted", {"postings": postings}) == 500
    assert amount_of("hold.placed", {"amount_minor": 500}) == 500
    assert amount_of("tap.approved", {"amount_minor": 500}) is None
