"""One gateway and an edge per venue, without doors and wires between them: every message goes over as bytes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gateway.command import Channel, Command, Envelope, Key, KeyKind, Outcome, Service, window_key
from gateway.conveyor import Conveyor
from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.errors import Rejection
from gateway.feed import Feed
from gateway.services.documents import entitlement_row
from gateway.services.holds import HoldPlace, PlaceHold
from gateway.services.journal import JournalTake, TakeJournal
from gateway.services.resort import LoadedResort, LoadResort
from gateway.working_set import WorkingSet
from readers.audit import evidence
from readers.outputs import LampLog, Outputs
from readers.store import OutOfStep, Store
from readers.writer import Writer
from tests.support.home_world import RIGHTS
from tests.support.parity_resort import resort_with
from tests.support.worlds import NOON, an_id
from wallet.entitlement import Entitlement, Spending
from wallet.evidence import EdgeEvidence
from wallet.journal import JournalBatch, JournalReceipt
from wallet.ledger import AccountKind
from wallet.medium import Medium, MediumKind, MediumState
from wallet.snapshot import WIRE_VERSION, FeedBatch, Snapshot, decode, encode
from wallet.tap import Approved, Ask, Asks, Decision, Hold, HoldAnswer, PinCheck, Tap
from wallet.token import Use

TOKENS = tuple(an_id(100 + number) for number in range(3))
"""Two guests travel together, the third alone."""

STRANGER = an_id(199)
VENUES = ("hotel", "park", "shops", "peak")
_DAY = timedelta(days=1)
_WINDOW = r.ReturnWindowRow(
    "comet", NOON - timedelta(minutes=10), NOON + timedelta(minutes=50), 10, len(TOKENS)
)


def party_of(token: int) -> str:
    """Return the party of the token with this number."""
    return an_id(110 + token // 2)


def folio_of(token: int) -> str:
    """Return the account that the token charges."""
    return an_id(120 + token // 2)


def medium_id(token: int, number: int) -> str:
    """Return the id of a token's medium; number 0 is the band it begins with."""
    return an_id(200 + 10 * token + number)


def chip_uid(token: int, number: int) -> str:
    """Return the UID of the chip that a token's medium is on."""
    return f"04{token:06}{number:06}"


def owned(right: Entitlement, token: int, name: str) -> Entitlement:
    """Return the right as one of this token's own, charging the party's folio."""
    mine = msgspec.structs.replace(right, entitlement_id=f"t{token}-{name}")
    return msgspec.structs.replace(mine, account_id=folio_of(token)) if isinstance(mine, Spending) else mine


class Found(Struct, frozen=True):
    """Make the parties, their tokens with every right, and the edges."""


class FoundWorld(Service[Found]):
    name = "test.found"

    def keys(self, body: Found) -> frozenset[Key]:
        return frozenset(
            {Key(KeyKind.EDGE, venue) for venue in VENUES} | {window_key("comet", _WINDOW.starts_at)}
        )

    def decide(self, state: WorkingSet, command: Command[Found]) -> Outcome:
        made: list[r.Row] = []
        at, day = command.envelope.at, NOON.date()
        for number, token_id in enumerate(TOKENS):
            guest, party, folio = an_id(130 + number), party_of(number), folio_of(number)
            if number % 2 == 0:
                reference = f"TEST0{number}"
                state_then = r.PartyState.CHECKED_IN
                made += [
                    r.PartyRow(party, reference, state_then, "p", day, day, 0, 0, "EUR", folio, guest, at),
                    r.AccountRow(folio, AccountKind.FOLIO, "EUR", party, limit_minor=40_000),
                ]
            band = r.MediumRow(medium_id(number, 0), token_id, MediumKind.BAND, MediumState.ACTIVE, at)
            band = replace(band, chip_uid=chip_uid(number, 0))
            made += [
                r.GuestRow(guest, party, token_id, lead=number % 2 == 0),
                r.TokenRow(token_id, guest, party, pin_verifier="scrypt1$a$b"),
                band,
            ]
            rights = [owned(right, number, name) for name, right in RIGHTS.items()]
            made += [entitlement_row(token_id, each, made_at=at, resort=state.resort) for each in rights]
        made.append(_WINDOW)
        made += [r.EdgeRow(venue, venue, r.EdgeState.ENROLLED, public_key="00" * 32) for venue in VENUES]
        return Outcome({}, tuple(made))


class Alter(Struct, frozen=True):
    """Change anything of a token; what is None or empty stays as it is."""

    token: int
    media: tuple[Medium, ...] = ()
    rights: tuple[Entitlement, ...] = ()
    revoked: tuple[str, ...] = ()
    pin_verifier: str | None = None
    pin_tries: int | None = None
    closed: bool | None = None


class AlterToken(Service[Alter]):
    name = "test.alter"

    def keys(self, body: Alter) -> frozenset[Key]:
        return frozenset({Key(KeyKind.TOKEN, TOKENS[body.token])})

    def decide(self, state: WorkingSet, command: Command[Alter]) -> Outcome:
        body, at = command.body, command.envelope.at
        token = state.need(r.TokenRow, TOKENS[body.token])
        made: list[r.Row] = [
            r.MediumRow(m.medium_id, token.id, m.kind, m.state, at, m.chip_uid, m.revoked_at)
            for m in body.media
        ]
        made += [entitlement_row(token.id, each, made_at=at, resort=state.resort) for each in body.rights]
        for name in body.revoked:
            right = state.get(r.EntitlementRow, name)
            if right is not None and right.revoked_at is None:
                made.append(replace(right, revoked_at=at))
        fields = {name: getattr(body, name) for name in ("pin_verifier", "pin_tries", "closed")}
        told = {name: value for name, value in fields.items() if value is not None}
        if told:
            made.append(replace(token, **told))
        return Outcome({}, tuple(made))


class WorldClock:
    """The one time of gateway and edges, moved by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    elapsed_s = monotonic


class CountedEntropy:
    """The gateway's random bytes, the same in each run."""

    def __init__(self) -> None:
        self._next = count(1)

    def draw(self, size: int) -> bytes:
        return next(self._next).to_bytes(size, "big")


@dataclass
class LocalUse:
    """A use made at an edge, as the test itself remembers it."""

    number: int
    token_id: str
    use: Use


class Place:
    """The edge of one venue: the real store, writer and lamp log; and what the test remembers of it."""

    def __init__(self, venue: str, folder: Path, clock: WorldClock) -> None:
        self.venue = venue
        self.folder = folder
        self.lamps = folder / "lamp.jsonl"
        self.online = False
        self.whole = False
        self.local: list[LocalUse] = []
        self.sales: list[tuple[int, str, int]] = []
        self.pins: list[tuple[int, str]] = []
        self.shown: list[Tap] = []
        self.ahead = 0
        """Up to this feed position documents may be here that are newer than the edge's own position."""
        self._clock = clock
        self._log = LampLog(self.lamps)
        self._outputs = Outputs(venue, [self._log])
        self.store = Store(folder / "edge.sqlite", venue, an_id(300 + VENUES.index(venue)), clock.now())
        self.writer = Writer(self.store, clock, online=lambda: self.online, journalled=lambda: None)
        self.writer.start()

    def close(self) -> None:
        self.writer.stop()
        self._log.close()
        self.store.close()

    def tap(self, tap: Tap, token_id: str, pin: PinCheck, hold: Callable[[Tap], Hold]) -> Decision:
        """Take a tap as readers.tapping does: ask until decided, then show."""
        for _ in range(30):
            before = self.store.mark().number
            verdict = self.writer.decide(tap)
            if tap.pin is PinCheck.WRONG:
                self.pins.append((before + 1, token_id))
            match verdict.decision:
                case Asks(what=Ask.HOLD):
                    tap = msgspec.structs.replace(tap, hold=hold(tap))
                case Asks(what=Ask.PIN):
                    tap = msgspec.structs.replace(tap, pin=pin)
                case decision:
                    self.shown.append(tap)
                    self._outputs.show(tap.tap_id, tap.touchpoint, tap.reader, decision, self._clock.now())
                    self._remember(tap, token_id, decision)
                    return decision
        raise AssertionError("a tap was asked without end")

    def _remember(self, tap: Tap, token_id: str, decision: Decision) -> None:
        if not isinstance(decision, Approved):
            return
        number = self.store.mark().number
        self.local += [LocalUse(number, token_id, use) for use in decision.uses]
        if tap.pin is PinCheck.RIGHT:
            self.pins.append((number, token_id))
        if tap.sale is not None and (tap.hold is None or tap.hold.answer is not HoldAnswer.HELD):
            self.sales.append((number, token_id, tap.sale.total_minor))

    def evidence(self) -> EdgeEvidence:
        return evidence(self.venue, self.venue, self.folder, self.lamps)


@dataclass
class ParityWorld:
    """The whole of it."""

    database: Database
    feed: Feed
    conveyor: Conveyor
    clock: WorldClock
    places: dict[str, Place]
    ids: Iterator[int] = field(default_factory=lambda: count(5000))
    codes: dict[int, datetime] = field(default_factory=dict)
    """When each phone made the code with this number: the same code always says the same instant."""

    def do(self, name: str, body: Struct) -> dict[str, Any]:
        envelope = Envelope(f"c-{next(self.ids)}", "staff:test", Channel.DESK, None, self.clock.now())
        entropy = next(self.ids).to_bytes(32, "big")
        return self.conveyor.call(name, Command(envelope, body, entropy), timeout_s=60)

    def wait(self, seconds: int) -> None:
        self.clock.at += timedelta(seconds=seconds)

    def pull(self, venue: str, limit: int) -> None:
        """Bring a batch of the feed to the edge, or its first snapshot."""
        place = self.places[venue]
        if not place.whole:
            self.snapshot(venue, 500)
            return
        self.feed.sweep()
        batch = self.feed.batch_for(venue, place.store.known().position, limit)
        place.store.put_batch(decode(encode(batch), FeedBatch))

    def pull_all(self, venue: str) -> None:
        while not self.up_to_date(venue):
            self.pull(venue, 500)

    def up_to_date(self, venue: str) -> bool:
        place = self.places[venue]
        return place.whole and place.store.known().position == self.feed.head

    def snapshot(self, venue: str, limit: int, between: Callable[[], None] = lambda: None) -> None:
        """Bring a snapshot to the edge page by page, with whatever happens between the pages."""
        place = self.places[venue]
        self.feed.sweep()
        page = decode(encode(self.feed.snapshot_for(venue, "", None, limit)), Snapshot)
        place.store.put_page(page, first=True)
        while page.next_after is not None:
            between()
            sent = self.feed.snapshot_for(venue, page.next_after, page.position, limit)
            page = decode(encode(sent), Snapshot)
            place.store.put_page(page, first=False)
        place.whole, place.ahead = True, self.feed.head

    def old_batch(self, venue: str) -> None:
        """Send a batch from the very beginning: one that is not the next must change nothing."""
        place = self.places[venue]
        known = place.store.known()
        if not place.whole or known.position == 0:
            return
        try:
            place.store.put_batch(decode(encode(self.feed.batch_for(venue, 0)), FeedBatch))
        except OutOfStep:
            assert place.store.known() == known
            return
        raise AssertionError("a batch was applied that does not begin where the edge stands")

    def push(self, venue: str, limit: int, *, heard: bool = True) -> None:
        """Bring entries home; when the answer is not `heard`, the edge sends them again."""
        place = self.places[venue]
        lines = place.store.unacknowledged(limit)
        if not lines:
            return
        entries = tuple(line.entry for line in lines)
        batch = JournalBatch(WIRE_VERSION, venue, entries[0].epoch, entries, lines[-1].head)
        answer = self.do("journal.take", TakeJournal(decode(encode(batch), JournalBatch)))
        receipt = decode(msgspec.json.encode(answer), JournalReceipt)
        if heard:
            assert place.store.acknowledge(receipt.epoch, receipt.acknowledged, receipt.head)

    def hold(self, tap: Tap, venue: str, token_id: str) -> Hold:
        try:
            return msgspec.convert(self.do("hold.place", PlaceHold(venue, tap, token_id)), Hold)
        except Rejection:
            return Hold(HoldAnswer.UNREACHABLE)

    def settle(self) -> None:
        """Bring everything home, then let every edge learn everything."""
        for venue in VENUES:
            self.push(venue, 500)
        for venue in VENUES:
            self.pull_all(venue)


_SERVICES: dict[str, Service[Any]] = {
    service.name: service
    for service in (LoadResort(), FoundWorld(), AlterToken(), JournalTake(), HoldPlace())
}


@contextmanager
def parity_world(url: str, folder: Path) -> Iterator[ParityWorld]:
    """Give a world with the resort loaded, the guests founded, and edges that know nothing yet."""
    clock = WorldClock()
    clock.at -= _DAY
    database = Database(url)
    feed = Feed(database, clock)
    conveyor = Conveyor(database, feed, _SERVICES, CountedEntropy())
    conveyor.start()
    places: dict[str, Place] = {}
    try:
        for venue in VENUES:
            (folder / venue).mkdir()
            places[venue] = Place(venue, folder / venue, clock)
        made = ParityWorld(database, feed, conveyor, clock, places)
        made.do("resort.load", LoadedResort(resort_with()))
        made.do("test.found", Found())
        clock.at = NOON
        yield made
    finally:
        for place in places.values():
            place.close()
        conveyor.stop()
        feed.stop()
        database.close()
