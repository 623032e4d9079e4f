"""What was shown once is known where it was shown, and everywhere it was shown is known at the gateway."""

from datetime import timedelta

from gateway.command import KeyKind
from gateway.db import load
from gateway.db import rows as r
from gateway.services.draft import Draft
from gateway.services.presented import other_with_code, sun_counter
from gateway.working_set import WorkingSet
from tests.support.parity_steps import Touch, tap_of
from tests.support.parity_world import TOKENS, ParityWorld, Place
from wallet.tap import Facts, Tap

_CHIPS = tuple((token, number) for token in range(len(TOKENS) + 1) for number in (0, 1))


def check_shown_at_edge(world: ParityWorld, venue: str) -> None:
    """The edge's facts tell the highest counter and the codes that the test has seen it be shown."""
    place = world.places[venue]
    for tap in _samples(world, venue):
        with place.store.writing() as writing:
            rested = writing.facts(tap, online=True)
        assert rested is not None
        assert rested.facts.sun_counter == _highest([place], tap)
        if _is_fresh(tap, rested.facts):  # an edge forgets a code that is refused for its age anyway
            assert rested.facts.code_seen == _was_shown([place], tap)


def check_shown_at_gateway(world: ParityWorld) -> None:
    """With everything home, the gateway knows of what was shown anywhere as much as all edges together."""
    places = list(world.places.values())
    with world.database.read() as connection:
        aside = {(row.edge, row.number) for row in load.rows_where(connection, r.SetAsideRow)}
    if aside:
        return  # what was set aside waits for a person, and with it what it showed
    for venue in world.places:
        for tap in _samples(world, venue):
            draft = _draft(world, tap)
            assert sun_counter(draft, tap) == _highest(places, tap)
            assert (other_with_code(draft, tap) is not None) == _was_shown(places, tap)


def _samples(world: ParityWorld, venue: str) -> list[Tap]:
    """Return a tap of now for each chip and each code that there is."""
    touches = [Touch(venue, 0, token, medium=number, counter=1) for token, number in _CHIPS]
    touches += [Touch(venue, 0, name // 10, code=name % 10) for name in sorted(world.codes)]
    return [tap for touch in touches if (tap := tap_of(world, touch)) is not None]


def _is_fresh(tap: Tap, facts: Facts) -> bool:
    policies, shown_at = facts.policies, tap.presented.shown_at
    return shown_at is not None and tap.at - shown_at <= timedelta(
        seconds=policies.code_valid_s + policies.code_skew_s
    )


def _highest(places: list[Place], tap: Tap) -> int:
    sun = tap.presented.sun
    shown = (seen.presented.sun for place in places for seen in place.shown)
    return max(
        (seen.counter for seen in shown if sun is not None and seen and seen.chip_uid == sun.chip_uid),
        default=-1,
    )


def _was_shown(places: list[Place], tap: Tap) -> bool:
    code = tap.presented.code_id
    return bool(code) and any(seen.presented.code_id == code for place in places for seen in place.shown)


def _draft(world: ParityWorld, tap: Tap) -> Draft:
    """Return what the gateway knows of what the tap shows, loaded as its journal's command would load it."""
    sun, code, now = tap.presented.sun, tap.presented.code_id, world.clock.now()
    with world.database.read() as connection:
        version = load.current_resort_version(connection)
        state = WorkingSet(load.resort_of_version(connection, version))
        if sun is not None:
            for kind in (KeyKind.STOCK, KeyKind.SUN):
                state.take(load.load(connection, kind, {sun.chip_uid}, now))
        if code:
            state.take(load.load(connection, KeyKind.CODE, {code}, now))
    return Draft(state)
