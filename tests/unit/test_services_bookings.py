"""A booking makes a token for each guest, owes the price, and says who travels in one table alone."""

from datetime import timedelta

import pytest

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.bookings import CreateBooking, NewGuest
from tests.support.guests_world import ARRIVAL, NAMES, World
from wallet.entitlement import Admission, Parking, Photos


def wish(*guests: NewGuest, **more: object) -> CreateBooking:
    made: dict[str, object] = {
        "product": "family-package",
        "arrival_day": ARRIVAL,
        "guests": guests or (NewGuest("A", "B"),),
        "plate": "",
        "references": ("AAAAAA",),
        "sign_in_code_hash": "x",
    }
    return CreateBooking(**(made | more))  # type: ignore[arg-type]  # the fields are right, one of them replaced


def test_a_family_has_a_token_each_and_owes_the_price(world: World) -> None:
    party = world.book()
    guests = world.rows(r.GuestRow, party_id=party.id)
    assert len({guest.token_id for guest in guests}) == len(guests) == 4
    assert [guest["lead"] for guest in party.answer["guests"]] == [True, False, False, False]
    assert party.folio == party.answer["price_minor"] == 149_001
    assert world.balance("deferred_revenue:EUR") == -149_001
    (account,) = world.rows(r.AccountRow, party_id=party.id)
    assert account.limit_minor == 149_001 + 60_000
    world.assert_books_balance()
    assert world.events(party.id) == ["party.booked", "transfer.posted"]


def test_what_a_package_gives_at_once(world: World) -> None:
    party = world.book()
    (admission,), (photos,) = party.rights("admission", 1), party.rights("photos", 1)
    assert isinstance(admission.body, Admission)
    assert isinstance(photos.body, Photos)
    assert (admission.body.from_day, admission.body.until_day) == (ARRIVAL, ARRIVAL + timedelta(days=3))
    assert (admission.body.days, admission.body.parks, photos.body.plan) == (2, ("lagoon",), True)
    assert photos.body.until_at - photos.body.from_at == timedelta(days=4 + 45)
    for token in range(4):
        assert {row.kind for row in world.rows(r.EntitlementRow, token_id=party.tokens[token])} == {
            "admission",
            "photos",
        }
    documents = world.rows(r.TokenDocumentRow, party_id=party.id)
    assert {document.version for document in documents} == {1}
    assert len(documents) == 4


def test_a_day_ticket_parks_on_its_day_and_charges_nothing(world: World) -> None:
    party = world.book("day-ticket", 1)
    (parking,) = party.rights("parking")
    assert isinstance(parking.body, Parking)
    assert parking.body.until_at - parking.body.from_at == timedelta(days=1)
    assert party.rights("spending") == []
    assert party.row.departure_day == ARRIVAL


def test_the_lead_is_who_says_so_else_the_first(world: World) -> None:
    second = wish(NewGuest("A", "B", child=True), NewGuest("C", "D", lead=True))
    guests = world.do("booking.create", second)["guests"]
    assert [guest["lead"] for guest in guests] == [False, True]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (wish(product="yacht"), "unknown_product"),
        (wish(guests=()), "guest_count"),
        (wish(*[NewGuest("A", "B")] * 5), "guest_count"),
        (wish(NewGuest("A", "B", lead=True), NewGuest("C", "D", lead=True)), "one_lead"),
        (wish(NewGuest("A", "B", child=True)), "lead_is_child"),
        (wish(NewGuest(" ", "B")), "name_missing"),
        (wish(arrival_day=ARRIVAL - timedelta(days=60)), "arrival_past"),
        (wish(arrival_day=ARRIVAL + timedelta(days=800)), "arrival_too_far"),
    ],
)
def test_a_booking_that_cannot_be_is_refused_and_leaves_nothing(
    world: World, body: CreateBooking, code: str
) -> None:
    with pytest.raises(Rejection) as refused:
        world.do("booking.create", body)
    assert (refused.value.code, refused.value.status) == (code, 422)
    assert world.rows(r.PartyRow) == []


def test_a_taken_reference_is_never_given_twice(world: World) -> None:
    first = world.do("booking.create", wish())
    second = world.do("booking.create", wish(references=("AAAAAA", "BBBBBB")))
    assert (first["booking_reference"], second["booking_reference"]) == ("AAAAAA", "BBBBBB")
    with pytest.raises(Rejection) as refused:
        world.do("booking.create", wish(references=("AAAAAA", "BBBBBB")))
    assert refused.value.code == "no_reference"


def test_names_stand_in_one_table_alone(world: World) -> None:
    party = world.book()
    (lead,) = [person for person in world.rows(r.PersonRow) if person.plate]
    assert (lead.family_name, lead.plate, lead.guest_id) == (NAMES[-1], "1234 XYZ", party.row.lead_guest_id)
    kinds = (
        r.CommandRow,
        r.PartyRow,
        r.GuestRow,
        r.TokenRow,
        r.TransferRow,
        r.TokenDocumentRow,
        r.EntitlementRow,
    )
    said = "".join(str(world.rows(kind)) for kind in kinds)
    said += str(world.gateway.feed.entries(0))
    assert [name for name in (*NAMES, "1234 XYZ", "example.org") if name in said] == []
