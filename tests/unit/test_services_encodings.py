"""Writing a band: one chip, one medium; the same chip the same claims; nothing resurrects."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from gateway.db import rows as r
from gateway.db.tables import party as tables
from gateway.errors import Rejection
from gateway.services.encodings import ConfirmEncoding, IssueEncoding, RequestEncoding
from gateway.services.media import RevokeMedium
from tests.support.guests_world import ARRIVAL, Party, World
from tests.support.resort_world import RESORT
from wallet.medium import MediumKind

CHIP, OTHER_CHIP = "04a1b2c3d4e5f6", "04ffffffffffff"


def asked(world: World, party: Party, token: int = 0, encoder: str = "encoder-desk") -> str:
    wish = RequestEncoding(party.tokens[token], encoder, MediumKind.BAND)
    return str(world.do("encoding.request", wish)["encoding_id"])


def issue(world: World, job: str, chip: str = CHIP, venue: str = "hotel") -> dict[str, Any]:
    return world.do("encoding.issue", IssueEncoding(job, chip, venue))


def written(world: World, party: Party, token: int = 0, chip: str = CHIP) -> str:
    job = asked(world, party, token)
    issue(world, job, chip)
    return str(world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True))["medium_id"])


def states(world: World) -> dict[str, str]:
    return {row.id: row.state.value for row in world.rows(r.MediumRow)}


def test_a_band_is_let_through_once_it_was_read_back(world: World) -> None:
    party = world.book()
    job = asked(world, party)
    issued = issue(world, job)
    assert states(world) == {issued["medium_id"]: "pending"}
    claims = issued["claims"]
    ends_at = RESORT.instant(ARRIVAL + timedelta(days=4 + 2), RESORT.day_starts)
    assert (claims["chip_uid"], claims["token_id"]) == (CHIP, party.tokens[0])
    assert claims["expires_at"] == ends_at.isoformat().replace("+00:00", "Z")
    assert len(claims["grants"]) == 1
    world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True))
    assert states(world) == {issued["medium_id"]: "active"}
    (row,) = world.rows(r.EncodingRow)
    assert (row.state, row.medium_id, row.chip_uid) == (r.EncodingState.DONE, issued["medium_id"], CHIP)


def test_the_same_chip_again_gets_the_same_claims(world: World) -> None:
    job = asked(world, world.book())
    first = issue(world, job)
    world.clock.at += timedelta(seconds=40)
    assert issue(world, job) == first
    world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True))
    assert issue(world, job) == first
    assert len(world.rows(r.MediumRow)) == 1


def test_another_chip_takes_the_place_of_the_one_before(world: World) -> None:
    job = asked(world, world.book())
    first, second = issue(world, job), issue(world, job, OTHER_CHIP)
    assert states(world) == {first["medium_id"]: "revoked", second["medium_id"]: "pending"}
    third = issue(world, job)
    assert third["medium_id"] != first["medium_id"]
    assert sorted(states(world).values()) == ["pending", "revoked", "revoked"]


def test_a_failure_leaves_the_job_waiting_for_another_chip(world: World) -> None:
    job = asked(world, world.book())
    issue(world, job)
    world.do("encoding.confirm", ConfirmEncoding(job, "hotel", False, "The chip is full."))
    (row,) = world.rows(r.EncodingRow)
    assert (row.state, row.sentence, row.medium_id) == (r.EncodingState.WAITING, "The chip is full.", "")
    assert list(states(world).values()) == ["revoked"]
    issue(world, job, OTHER_CHIP)
    assert world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True))["state"] == "done"
    assert world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True))["state"] == "done"


def test_what_is_told_of_another_chip_than_the_last_confirms_nothing(world: World) -> None:
    job = asked(world, world.book())
    first, second = (str(issue(world, job, chip)["medium_id"]) for chip in (CHIP, OTHER_CHIP))
    for ok in (True, False):
        with pytest.raises(Rejection) as refused:
            world.do("encoding.confirm", ConfirmEncoding(job, "hotel", ok, medium_id=first))
        assert (refused.value.code, refused.value.status) == ("other_chip", 409)
    assert states(world) == {first: "revoked", second: "pending"}
    world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True, medium_id=second))
    assert states(world) == {first: "revoked", second: "active"}


def test_a_band_of_another_guest_is_refused(world: World) -> None:
    party, other = world.book(), world.book()
    medium = written(world, party)
    job = asked(world, other)
    with pytest.raises(Rejection) as refused:
        issue(world, job)
    assert (refused.value.code, refused.value.status) == ("chip_in_use", 409)
    assert states(world) == {medium: "active"}


def test_a_chip_written_over_for_the_same_guest_carries_the_new_medium_alone(world: World) -> None:
    party = world.book()
    first = written(world, party)
    second = written(world, party)
    third = written(world, party, chip=OTHER_CHIP)
    assert states(world) == {first: "revoked", second: "active", third: "active"}


@pytest.mark.parametrize("ok", [True, False])
def test_a_band_whose_first_tap_came_home_before_its_encoder_could_confirm_is_done(
    world: World, ok: bool
) -> None:
    party = world.book()
    older = written(world, party)
    job = asked(world, party)
    medium = issue(world, job)["medium_id"]
    with world.gateway.database.write() as connection:  # as its tap does
        connection.execute(update(tables.medium).where(tables.medium.c.id == medium).values(state="active"))
    world.do("encoding.confirm", ConfirmEncoding(job, "hotel", ok))
    assert states(world) == {older: "revoked", medium: "active"}, "the chip holds the newer one"
    assert {row.state for row in world.rows(r.EncodingRow)} == {r.EncodingState.DONE}


def test_a_band_turned_off_while_it_is_written_stays_off(world: World) -> None:
    job = asked(world, world.book())
    medium = issue(world, job)["medium_id"]
    world.do("medium.revoke", RevokeMedium(medium))
    with pytest.raises(Rejection) as refused:
        world.do("encoding.confirm", ConfirmEncoding(job, "hotel", True))
    assert refused.value.code == "medium_revoked"
    assert states(world) == {medium: "revoked"}


def test_an_unfinished_band_of_somebody_else_goes_when_its_chip_is_taken(world: World) -> None:
    party = world.book()
    left = issue(world, asked(world, party, 0))["medium_id"]
    taken = issue(world, asked(world, party, 1))["medium_id"]
    assert states(world) == {left: "revoked", taken: "pending"}


def test_asking_again_replaces_the_job(world: World) -> None:
    party = world.book()
    first = asked(world, party)
    medium = issue(world, first)["medium_id"]
    second = asked(world, party)
    found = {row.id: row.state for row in world.rows(r.EncodingRow)}
    assert found == {first: r.EncodingState.FAILED, second: r.EncodingState.WAITING}
    assert states(world) == {medium: "revoked"}
    with pytest.raises(Rejection) as refused:
        issue(world, first, OTHER_CHIP)
    assert refused.value.code == "not_waiting"


def test_an_edge_serves_its_own_venue_alone(world: World) -> None:
    job = asked(world, world.book())
    for name, body in (
        ("encoding.issue", IssueEncoding(job, CHIP, "park")),
        ("encoding.confirm", ConfirmEncoding(job, "park", True)),
    ):
        with pytest.raises(Rejection) as refused:
            world.do(name, body)
        assert refused.value.status == 404
    assert states(world) == {}


@pytest.mark.parametrize(
    ("encoder", "kind", "code"),
    [
        ("gate-1", MediumKind.BAND, "unknown_encoder"),
        ("nowhere", MediumKind.CARD, "unknown_encoder"),
        ("encoder-desk", MediumKind.PHONE, "not_a_chip"),
    ],
)
def test_only_an_encoder_writes_and_only_chips(
    world: World, encoder: str, kind: MediumKind, code: str
) -> None:
    party = world.book()
    with pytest.raises(Rejection) as refused:
        world.do("encoding.request", RequestEncoding(party.tokens[0], encoder, kind))
    assert refused.value.code == code
