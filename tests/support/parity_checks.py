"""What an edge must know and decide, worked out from the gateway's own tables and from what the test remembers."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from gateway.command import KeyKind
from gateway.db import audit, load
from gateway.db import feed as stored
from gateway.db import rows as r
from gateway.feed import takes_pins
from gateway.publish import RESORT, TOKEN
from gateway.services.documents import split
from gateway.services.draft import Draft
from gateway.services.judgement import document_at
from gateway.working_set import WorkingSet
from tests.support.parity_steps import BASKETS, Touch, tap_of
from tests.support.parity_world import STRANGER, TOKENS, VENUES, ParityWorld, Place
from wallet.decide import decide
from wallet.resort import Direction, Resort, Touchpoint
from wallet.snapshot import facts_from
from wallet.tap import Approved, Facts, Hold, HoldAnswer, PinCheck, Tap
from wallet.token import TokenDocument

LATER = tuple(timedelta(seconds=seconds) for seconds in (0, 600, 3 * 3600, 30 * 3600, 80 * 3600))
"""How long after now the sampled taps happen: an edge may decide on what it knew days ago."""


class Published:
    """What the gateway has told so far, read from its feed alone."""

    def __init__(self, world: ParityWorld) -> None:
        with world.database.read() as connection:
            entries = stored.entries(connection, 0, 100_000)
            versions = {row.version: row.body for row in load.rows_where(connection, r.ResortVersionRow)}
        assert [each.position for each in entries] == list(range(1, world.feed.head + 1)), "the feed is dense"
        self.resorts = versions
        self.announced = [
            (each.position, json.loads(each.body)["version"]) for each in entries if each.kind == RESORT
        ]
        self._tokens: dict[str, list[tuple[int, frozenset[str], TokenDocument]]] = {}
        for each in entries:
            if each.kind == TOKEN:
                document = msgspec.json.decode(each.body, type=TokenDocument)
                told = (each.position, split(each.scopes_after), document)
                self._tokens.setdefault(document.token_id, []).append(told)

    def resort_version(self, position: int) -> int:
        return max((version for at, version in self.announced if at <= position), default=0)

    def may_hold(self, token_id: str, place: Place) -> list[TokenDocument | None]:
        """Return what an edge may hold of a token: what was told last up to its position, or newer from a snapshot."""
        position = place.store.known().position
        told = self._tokens.get(token_id, [])
        seen = [document if place.venue in scopes else None for _, scopes, document in told]
        upto = [index for index, (at, _, _) in enumerate(told) if at <= position]
        newer = [index for index, (at, _, _) in enumerate(told) if position < at <= place.ahead]
        return [seen[index] for index in upto[-1:] + newer] if upto else [None, *(seen[i] for i in newer)]


def check_edge(world: ParityWorld, venue: str) -> None:
    """The edge has the facts and the verdicts that the gateway had published up to the edge's position."""
    place, published = world.places[venue], Published(world)
    known, resort = place.store.known(), place.store.resort()
    if known.as_of is None or resort is None:
        return
    assert resort == published.resorts[resort.version]
    told = published.resort_version(known.position)
    assert told <= resort.version <= max(published.resorts), "no resort older than the position says"
    current = world.up_to_date(venue)
    if current:
        assert resort.version == max(published.resorts)
    forget_told(place, published)
    points = [each for each in resort.touchpoints if each.venue == venue]
    drafts = {token_id: gateway_draft(world, token_id) for token_id in TOKENS} if current else {}
    for index, point in enumerate(points):
        for number, token_id in enumerate((*TOKENS, STRANGER)):
            tap = tap_of(world, Touch(venue, index, number))
            assert tap is not None
            with place.store.writing() as writing:
                rested = writing.facts(tap, online=True)
            assert rested is not None
            document = _expected(published, place, token_id, rested.facts.token, current)
            expected = _facts(point, resort, document, rested.facts, place, token_id)
            assert rested.facts == expected
            _check_told_once(rested.facts)
            _check_pins(place, rested.facts, token_id)
            if token_id in drafts:
                _check_view(drafts[token_id], place, token_id, tap, rested.facts)


def _expected(
    published: Published, place: Place, token_id: str, held: TokenDocument | None, current: bool
) -> TokenDocument | None:
    """Return the published document that the edge should hold, as its venue may see it."""
    choices = published.may_hold(token_id, place)
    if current:
        choices = choices[-1:]
    version = held.version if held else None
    fitting = [each for each in choices if (each.version if each else None) == version]
    assert fitting, f"{place.venue} holds version {version} of {token_id}, told were {choices}"
    document = fitting[-1]
    resort = place.store.resort()
    assert resort is not None
    if document is not None and current:
        return document if takes_pins(resort, place.venue) else replace(document, pin_verifier="")
    if document is not None and held is not None and held.pin_verifier == "":
        # An older document may have been sent when the venue had no till (any more).
        return replace(document, pin_verifier="")
    return document


def _facts(
    point: Touchpoint,
    resort: Resort,
    document: TokenDocument | None,
    seen: Facts,
    place: Place,
    token_id: str,
) -> Facts:
    acknowledged = place.store.mark().acknowledged
    waiting = [(token, amount) for number, token, amount in place.sales if number > acknowledged]
    return facts_from(
        point,
        resort,
        document,
        as_of=place.store.known().as_of,
        online=True,
        local_uses=[each.use for each in place.local if each.token_id == token_id],
        local_pin_tries=seen.pin_tries - (document.pin_tries if document else 0),
        edge_offline_minor=sum(amount for _, amount in waiting) if point.kind == "till" else 0,
        token_offline_minor=sum(a for t, a in waiting if t == token_id) if point.kind == "till" else 0,
    )


def _check_told_once(seen: Facts) -> None:
    """A tap that the document tells counts as the document says, whatever right this edge went by."""
    known = seen.token.uses if seen.token else ()
    told = {use.tap_id for use in known}
    assert {use for use in seen.uses if use.tap_id in told} == set(known)


def _check_pins(place: Place, seen: Facts, token_id: str) -> None:
    """Tries are the document's, once nothing of this edge is on its way any more."""
    told = seen.token.pin_tries if seen.token else 0
    mine = [number for number, token in place.pins if token == token_id]
    assert 0 <= seen.pin_tries <= told + len(mine)
    if not mine:
        assert seen.pin_tries == told


def forget_told(place: Place, published: Published) -> None:
    """Forget, as the edge should, what is both acknowledged and told by the document it holds."""
    acknowledged, versions = place.store.mark().acknowledged, place.evidence().documents
    told: dict[str, set[str]] = {}
    for token_id, version in versions.items():
        for document in published.may_hold(token_id, place):
            if document is not None and document.version == version:
                told[token_id] = {use.tap_id for use in document.uses}
    place.local = [
        each
        for each in place.local
        if each.number > acknowledged or each.use.tap_id not in told.get(each.token_id, ())
    ]


def _check_view(draft: Draft, place: Place, token_id: str, tap: Tap, seen: Facts) -> None:
    """The gateway's view over all its rows gives the verdict that the edge gives, now and later."""
    local = [each.use for each in place.local if each.token_id == token_id]
    for later in LATER:
        document = document_at(draft, token_id, tap.at + later)
        assert document is not None
        view = facts_from(
            seen.touchpoint,
            seen.resort,
            document,
            as_of=seen.as_of,
            online=True,
            local_uses=local,
            local_pin_tries=seen.pin_tries - document.pin_tries,
            edge_offline_minor=seen.edge_offline_minor,
            token_offline_minor=seen.token_offline_minor,
        )
        if seen.token is not None:
            assert set(document.uses) <= set(seen.uses), "the gateway knows a use that it never told"
        for each in _asked(replace(tap, at=tap.at + later)):
            ours, theirs = decide(each, view), decide(each, seen)
            if seen.token is not None:
                assert ours == theirs, f"{place.venue} {each.touchpoint} {each.at}: {ours} is not {theirs}"
            elif seen.touchpoint.direction is not Direction.OUT:
                assert not isinstance(ours, Approved) or isinstance(theirs, Approved), f"{ours}, {theirs}"


def _asked(tap: Tap) -> Iterator[Tap]:
    """Yield the tap, at a till with small and large sales and with what may be found out for them."""
    if tap.sale is None:
        yield tap
        return
    (line,) = tap.sale.lines
    for basket in BASKETS:
        total = line.amount_minor * basket
        lines = (replace(line, quantity=basket, amount_minor=total),)
        sale = replace(tap.sale, lines=lines, total_minor=total)
        yield replace(tap, sale=sale)
        yield replace(tap, sale=sale, pin=PinCheck.RIGHT)
        yield replace(tap, sale=sale, pin=PinCheck.RIGHT, hold=Hold(HoldAnswer.HELD))


def gateway_draft(world: ParityWorld, token_id: str) -> Draft:
    """Return all the gateway knows of a token, loaded as a command of now would load it."""
    with world.database.read() as connection:
        version = load.current_resort_version(connection)
        state = WorkingSet(load.resort_of_version(connection, version))
        state.take(load.load(connection, KeyKind.TOKEN, {token_id}, world.clock.now()))
    return Draft(state)


def check_settled(world: ParityWorld) -> None:
    """Everything is home and told: nothing that the ledger knows is still a use of an edge's own."""
    with world.database.read() as connection:
        set_aside = {(row.edge, row.number) for row in audit.set_aside(connection)}
        documents = {row.token_id: row.body for row in audit.documents_now(connection)}
    for venue in VENUES:
        place = world.places[venue]
        assert world.up_to_date(venue)
        assert place.store.mark().backlog == 0
        held = place.evidence().documents
        aside = {number for edge, number in set_aside if edge == venue}
        tokens_aside = {token for number, token in place.pins if number in aside}
        with closing(sqlite3.connect(place.folder / "edge.sqlite")) as store:
            kept = store.execute("SELECT token_id, tap_id FROM local_use").fetchall()
        for token_id, tap_id in kept:
            told = {use.tap_id for use in documents[token_id].uses} if token_id in held else set()
            assert tap_id not in told, f"{venue} keeps a use of {tap_id} that the document tells"
        for number, token_id in enumerate(TOKENS):
            tap = tap_of(world, Touch(venue, 0, number))
            if tap is None or token_id in tokens_aside:
                continue
            with place.store.writing() as writing:
                rested = writing.facts(tap, online=True)
            assert rested is not None
            facts = rested.facts
            assert facts.token is None or facts.pin_tries == facts.token.pin_tries
            assert (facts.edge_offline_minor, facts.token_offline_minor) == (0, 0)
