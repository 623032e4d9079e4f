"""Every kind of entry is told in a plain sentence, in the guest's name, without a gap."""

import ast
from pathlib import Path

import pytest

import gateway.services
from gateway.services.timeline import TOLD, Teller
from tests.support.resort_world import RESORT
from wallet.reasons import Language

TELLER = Teller(RESORT, {"t": "Quillon"})
WINDOW = {"attraction": "comet", "starts_at": "2030-06-10T08:00:00+00:00"}


@pytest.mark.parametrize(
    ("kind", "body", "sentence"),
    [
        ("tap.approved", {"kind": "door", "touchpoint": "door-101"}, "Quillon opened Room 101."),
        ("tap.approved", {"kind": "parking_lane", "touchpoint": "lane-in"}, "Quillon drove in at Entry."),
        ("tap.approved", {"kind": "parking_lane", "touchpoint": "lane-out"}, "Quillon drove out at Exit."),
        ("tap.approved", {"kind": "park_gate", "touchpoint": "gate-1"}, "Quillon entered at Gate 1."),
        (
            "tap.approved",
            {
                "kind": "till",
                "touchpoint": "till-grill",
                "amount_minor": 1450,
                "currency": "EUR",
                "offline": True,
            },
            "Quillon paid 14.50 EUR at Grill till, while the reader was offline.",
        ),
        ("tap.approved", {"kind": "door", "touchpoint": "gone"}, "Quillon opened gone."),
        (
            "tap.refused",
            {"touchpoint": "door-101", "reason": "other_room", "detail": {"rooms": "102"}},
            "Quillon at Room 101: This key opens room 102.",
        ),
        (
            "tap.refused",
            {"touchpoint": "gate-1", "reason": "of_tomorrow"},
            "Quillon at Gate 1: The reason is not known here.",
        ),
        ("reservation.booked", WINDOW, "Quillon has a reservation: Comet, 2030-06-10 10:00."),
        ("party.checked_in", {"rooms": ["101"]}, "Checked in, room 101."),
        ("party.cancelled", {"fee_minor": 29800, "currency": "EUR"}, "Cancelled; the fee is 298.00 EUR."),
        ("medium.revoked", {"kind": "band"}, "Quillon: band turned off."),
        (
            "transfer.posted",
            {
                "kind": "payment",
                "currency": "EUR",
                "description": "Payment",
                "tender": "card_terminal",
                "postings": [{"amount_minor": -500}, {"amount_minor": 500}],
            },
            "Payment of 5.00 EUR by card terminal.",
        ),
        ("something.quite_new", {}, "Something quite new."),
    ],
)
def test_a_sentence_for_each_kind(kind: str, body: dict[str, object], sentence: str) -> None:
    assert TELLER.tell(kind, "t", body) == sentence


def test_a_forgotten_guest_has_no_name_and_refusals_speak_spanish() -> None:
    refused = {"touchpoint": "door-101", "reason": "other_room", "detail": {"rooms": "102"}}
    spanish = Teller(RESORT, {}, Language.SPANISH)
    assert (
        spanish.tell("tap.refused", "t", refused) == "A guest at Room 101: Esta llave abre la habitación 102."
    )


def test_no_event_of_a_party_is_told_by_its_bare_name() -> None:
    """Whatever a service tells of a party has a sentence of its own here."""
    folder = Path(gateway.services.__file__).parent
    told: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event":
                of_party = any(word.arg == "party_id" for word in node.keywords) or len(node.args) > 2
                kind = node.args[0]
                if of_party and isinstance(kind, ast.Constant):
                    told.add(str(kind.value))
    assert {"party.booked", "medium.revoked"} <= told
    assert told - TOLD == set()
