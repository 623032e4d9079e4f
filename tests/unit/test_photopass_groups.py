from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from photopass.groups import (
    BY_SYSTEM,
    Guest,
    LinkCause,
    PhotoLink,
    PhotoTap,
    Shot,
    gather,
    group_before,
    link,
    unlink,
)

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def tap(token: str, second: float, party: str = "") -> PhotoTap:
    return PhotoTap(f"tap-{token}-{second}", token, party or f"party-{token[0]}", at(second))


def tokens(taps: tuple[PhotoTap, ...]) -> list[str]:
    return [each.token_id for each in taps]


def test_all_who_tapped_before_the_shot_are_the_group():
    taps = [tap("a1", 0), tap("a2", 5), tap("b1", 9), tap("c1", 31)]
    assert tokens(group_before(at(30), taps, [])) == ["a1", "a2", "b1"]


def test_a_shot_ends_the_group_for_those_who_tap_after_it():
    taps = [tap("a1", 0), tap("b1", 40)]
    assert tokens(group_before(at(50), taps, [Shot("p1", at(30))])) == ["b1"]


def test_shots_in_a_row_belong_to_one_group():
    taps = [tap("a1", 0), tap("a2", 1)]
    shots = [Shot("p1", at(10)), Shot("p2", at(11)), Shot("p3", at(12))]
    assert tokens(group_before(at(12), taps, shots)) == ["a1", "a2"]


def test_the_window_is_closed_at_both_ends():
    assert tokens(group_before(at(120), [tap("a1", 0)], [])) == ["a1"]
    assert tokens(group_before(at(120.001), [tap("a1", 0)], [])) == []
    assert tokens(group_before(at(30.001), [tap("a1", 0)], [], window_s=30)) == []
    assert tokens(group_before(at(0), [tap("a1", 0)], [])) == ["a1"]


def test_who_taps_twice_is_linked_once():
    found = group_before(at(9), [tap("a1", 0), tap("a1", 3)], [])
    assert [each.at for each in found] == [at(3)]


def test_guests_chosen_by_hand_win_over_taps():
    by_hand = link("p1", [Guest("z1", "party-z")], LinkCause.HAND, at(1))
    assert gather(Shot("p1", at(1), by_hand=True), by_hand, [tap("a1", 0)], [], at(2)) == ()
    assert gather(Shot("p1", at(1), by_hand=True), (), [tap("a1", 0)], [], at(2)) == ()


def test_a_late_tap_links_the_photo_that_was_taken_after_it():
    (new,) = gather(Shot("p1", at(10)), (), [tap("a1", 0)], [], at(5000))
    assert new == PhotoLink("p1", "a1", "party-a", LinkCause.TAP, at(5000))


def test_a_late_tap_shows_that_another_group_stood_there():
    old = link("p2", [Guest("a1", "party-a")], LinkCause.TAP, at(20))
    shots = [Shot("p1", at(10)), Shot("p2", at(20))]
    ended, new = gather(shots[1], old, [tap("a1", 0), tap("b1", 15)], shots, at(99))
    assert (ended.token_id, ended.unlinked_at, ended.unlinked_by) == ("a1", at(99), BY_SYSTEM)
    assert (new.token_id, new.live) == ("b1", True)


def test_what_a_person_unlinked_stays_unlinked():
    old = unlink(link("p1", [Guest("a1", "party-a")], LinkCause.TAP, at(1)), ["a1"], "guest:1", at(5))
    assert gather(Shot("p1", at(1)), old, [tap("a1", 0)], [], at(9)) == ()


def test_what_was_withdrawn_by_mistake_comes_back():
    old = unlink(link("p1", [Guest("a1", "party-a")], LinkCause.TAP, at(1)), ["a1"], BY_SYSTEM, at(5))
    (again,) = gather(Shot("p1", at(1)), old, [tap("a1", 0)], [], at(9))
    assert again.live
    assert again.unlinked_by == ""


def test_a_claimed_photo_is_not_withdrawn():
    claimed = link("p1", [Guest("a1", "party-a")], LinkCause.CLAIM, at(1))
    assert gather(Shot("p1", at(1)), claimed, [], [], at(9)) == ()


links_strategy = st.lists(
    st.builds(
        PhotoLink,
        photo_id=st.just("p1"),
        token_id=st.sampled_from(["a1", "a2", "b1", "b2", "c1", "d1"]),
        party_id=st.sampled_from(["party-a", "party-b"]),
        cause=st.sampled_from(LinkCause),
        linked_at=st.just(at(0)),
        unlinked_at=st.sampled_from([None, at(1)]),
    ),
    unique_by=lambda each: each.token_id,
)


@given(links_strategy, st.sets(st.sampled_from(["a1", "a2", "b1", "x9"])))
def test_unlinking_ends_these_links_and_no_other(links: list[PhotoLink], strangers: set[str]):
    changed = unlink(links, strangers, "staff:7", at(60))
    before = {each.token_id: each for each in links}
    assert {each.token_id for each in changed} == {each.token_id for each in links if each.live} & strangers
    for each in changed:
        assert not each.live
        assert each.unlinked_by == "staff:7"
        # Everything else of the link is as it was.
        assert (each.photo_id, each.party_id, each.cause, each.linked_at) == (
            before[each.token_id].photo_id,
            before[each.token_id].party_id,
            before[each.token_id].cause,
            before[each.token_id].linked_at,
        )


moments = st.lists(st.integers(0, 600), max_size=8, unique=True)


@given(moments, moments, st.randoms(use_true_random=False), st.integers(1, 300))
def test_whatever_the_order_of_arrival_the_links_are_the_same(tap_seconds, shot_seconds, dice, window_s):
    """An edge that was cut off and a camera that was bring taps and photos late, in any order."""
    guests = "abcdefgh"
    taps = [tap(guests[index] + "1", second) for index, second in enumerate(sorted(tap_seconds))]
    shots = [Shot(f"p{second}", at(second)) for second in shot_seconds]
    expected = {
        (shot.photo_id, each.token_id)
        for shot in shots
        for each in group_before(shot.taken_at, taps, shots, window_s)
    }
    arriving: list[PhotoTap | Shot] = [*taps, *shots]
    dice.shuffle(arriving)
    known_taps: list[PhotoTap] = []
    known_shots: list[Shot] = []
    links: dict[tuple[str, str], PhotoLink] = {}
    for number, thing in enumerate(arriving):
        if isinstance(thing, Shot):
            known_shots.append(thing)
        else:
            known_taps.append(thing)
        for shot in known_shots:
            own = [each for each in links.values() if each.photo_id == shot.photo_id]
            for each in gather(shot, own, known_taps, known_shots, at(1000 + number), window_s):
                links[each.photo_id, each.token_id] = each
    assert {where for where, each in links.items() if each.live} == expected


@given(moments, moments, st.integers(0, 600))
def test_a_group_is_never_split_and_never_mixed(tap_seconds, shot_seconds, taken):
    taps = [tap(f"g{second}", second) for second in tap_seconds]
    shots = [Shot(f"p{second}", at(second)) for second in shot_seconds]
    group = group_before(at(taken), taps, shots)
    seconds = [(each.at - NOON).total_seconds() for each in group]
    assert all(taken - 120 <= second <= taken for second in seconds)
    if seconds:
        first, last = min(seconds), max(seconds)
        assert last == max(second for second in tap_seconds if second <= taken)
        assert not [second for second in shot_seconds if first <= second < last]
        assert sorted(seconds) == sorted(second for second in tap_seconds if first <= second <= taken)
