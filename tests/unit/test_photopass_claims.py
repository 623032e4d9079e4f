from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photopass.claims import (
    ClaimCard,
    Claimed,
    Plan,
    check_taken_at,
    claim,
    download_until,
    print_code,
    read_code,
    refuse_download,
    view,
)
from photopass.groups import Guest, LinkCause, PhotoLink, Shot
from photopass.refusals import PhotoReason, PhotoRefusal
from wallet.resort import Policies, Resort

RESORT = Resort("lagoon", "Lagoon", "Europe/Madrid", "EUR")
TAKEN = datetime(2027, 3, 2, 12, tzinfo=UTC)
GUEST = Guest("token-a", "party-a")
SHOT = Shot("p1", TAKEN)
PLAN = Plan("party-a", TAKEN - timedelta(days=1), TAKEN + timedelta(days=1))


def card(*photo_ids: str) -> ClaimCard:
    return ClaimCard("hash", photo_ids or ("p1",), TAKEN, TAKEN + timedelta(days=46))


def linked(party: str = "party-a", at: datetime = TAKEN, **more: object) -> PhotoLink:
    return PhotoLink("p1", f"token-{party[-1]}", party, LinkCause.TAP, at, **more)


def claimed(result: Claimed | PhotoRefusal) -> Claimed:
    assert isinstance(result, Claimed), result
    return result


def local(day: date, hour: int, minute: int, second: int = 0) -> datetime:
    """An instant on the resort clock."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=RESORT.tz).astimezone(UTC)


def test_a_claim_links_the_photos_to_the_guest_and_the_party():
    result = claimed(claim(card("p1", "p2"), [SHOT, Shot("p2", TAKEN)], [], GUEST, TAKEN, RESORT))
    assert {(each.photo_id, each.token_id, each.party_id) for each in result.links} == {
        ("p1", "token-a", "party-a"),
        ("p2", "token-a", "party-a"),
    }
    assert all(each.cause is LinkCause.CLAIM and each.linked_at == TAKEN for each in result.links)
    assert (result.card.claimed_at, result.card.claimed_by) == (TAKEN, "party-a")


@pytest.mark.parametrize(
    ("day", "hour", "minute", "second", "ok"),
    [
        # 45 days after 2 March is 16 April; a resort day ends at 04:00, and clocks change in between.
        (date(2027, 4, 16), 12, 0, 0, True),
        (date(2027, 4, 17), 3, 59, 59, True),
        (date(2027, 4, 17), 4, 0, 0, False),
    ],
)
def test_photos_can_be_claimed_for_45_days_to_the_end_of_the_resort_day(day, hour, minute, second, ok):
    result = claim(card(), [SHOT], [], GUEST, local(day, hour, minute, second), RESORT)
    if ok:
        assert claimed(result).links
    else:
        assert result == PhotoRefusal(PhotoReason.CLAIM_OVER, {"until_day": "2027-04-16"})


def test_of_an_old_card_the_younger_photos_can_still_be_claimed():
    shots = [SHOT, Shot("p2", TAKEN + timedelta(days=1))]
    result = claimed(claim(card("p1", "p2"), shots, [], GUEST, local(date(2027, 4, 17), 12, 0), RESORT))
    assert [each.photo_id for each in result.links] == ["p2"]
    assert result.over == ("p1",)


def test_a_card_is_claimed_by_one_party():
    first = claimed(claim(card(), [SHOT], [], GUEST, TAKEN, RESORT))
    other = claim(first.card, [SHOT], first.links, Guest("token-b", "party-b"), TAKEN, RESORT)
    assert other == PhotoRefusal(PhotoReason.CLAIMED_BY_OTHERS)
    again = claimed(claim(first.card, [SHOT], first.links, GUEST, TAKEN + timedelta(days=1), RESORT))
    assert again.links == ()
    assert again.card == first.card


def test_the_policies_set_the_days():
    strict = Resort("x", "X", "UTC", "EUR", policies=Policies(photo_claim_days=1, photo_download_days=2))
    assert download_until(TAKEN, strict) == date(2027, 3, 4)
    assert claimed(claim(card(), [SHOT], [], GUEST, TAKEN + timedelta(days=1), strict)).links
    assert isinstance(claim(card(), [SHOT], [], GUEST, TAKEN + timedelta(days=2), strict), PhotoRefusal)


def test_without_a_plan_a_photo_is_watermarked_and_not_handed_over():
    seen = view(SHOT, [linked()], [], RESORT)
    assert seen.marked
    assert refuse_download(seen, TAKEN, RESORT) == PhotoRefusal(PhotoReason.PLAN_NOT_OWNED)


@pytest.mark.parametrize(
    "plan",
    [
        Plan("party-b", PLAN.from_at, PLAN.until_at),
        Plan("party-a", TAKEN - timedelta(days=2), TAKEN),
        Plan("party-a", TAKEN + timedelta(seconds=1), TAKEN + timedelta(days=2)),
    ],
)
def test_a_plan_of_others_or_of_another_time_does_not_count(plan: Plan):
    assert view(SHOT, [linked()], [plan], RESORT).marked


def test_an_ended_link_gives_nothing():
    assert view(SHOT, [linked(unlinked_at=TAKEN)], [PLAN], RESORT).marked


@pytest.mark.parametrize(
    ("day", "hour", "minute", "ok"),
    [(date(2027, 4, 1), 23, 0, True), (date(2027, 4, 2), 3, 59, True), (date(2027, 4, 2), 4, 0, False)],
)
def test_downloads_last_30_days_from_the_link(day, hour, minute, ok):
    seen = view(SHOT, [linked(at=TAKEN)], [PLAN], RESORT)
    assert not seen.marked
    refusal = refuse_download(seen, local(day, hour, minute), RESORT)
    assert refusal == (None if ok else PhotoRefusal(PhotoReason.DOWNLOAD_OVER, {"until_day": "2027-04-01"}))


def test_who_claims_late_downloads_for_30_days_from_the_claim():
    claimed_at = TAKEN + timedelta(days=40)
    seen = view(SHOT, [linked(), linked(at=claimed_at)], [PLAN], RESORT)
    assert refuse_download(seen, claimed_at + timedelta(days=30), RESORT) is None
    assert refuse_download(seen, claimed_at + timedelta(days=31), RESORT) is not None


def test_the_camera_s_clock_must_be_bearable():
    assert check_taken_at(TAKEN, TAKEN - timedelta(seconds=300), RESORT) is None
    ahead = check_taken_at(TAKEN, TAKEN - timedelta(seconds=301), RESORT)
    assert ahead == PhotoRefusal(PhotoReason.TAKEN_IN_FUTURE)
    assert check_taken_at(TAKEN, TAKEN + timedelta(days=45), RESORT) is None
    old = check_taken_at(TAKEN, TAKEN + timedelta(days=46), RESORT)
    assert old == PhotoRefusal(PhotoReason.TAKEN_TOO_LONG_AGO, {"days": "45"})


@given(
    st.text("23456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=12, max_size=12), st.booleans(), st.sampled_from(" -")
)
def test_a_code_survives_how_people_type_it(code: str, lower: bool, gap: str):
    printed = print_code(code)
    assert [len(group) for group in printed.split("-")] == [4, 4, 4]
    typed = printed.replace("-", gap).lower() if lower else printed.replace("-", gap)
    assert read_code(f"  {typed} ") == code
    assert read_code(typed.replace(gap, "")) == code
    assert read_code(f"https://resort.example/app/photos#claim={printed}") == code


@pytest.mark.parametrize(
    "text",
    ["", "7Q2M-9XKD", "7Q2M9XKD4RPTX", "x" * 5000 + "claim=7Q2M9XKD4RPT", "7Q2M-9XKD-4RP€", "7Q2M_9XKD_4R"],
)
def test_what_cannot_be_a_code_is_none(text: str):
    assert read_code(text) is None
