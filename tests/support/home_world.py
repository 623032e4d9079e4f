"""A gateway without its doors, a guest with every right, and an edge whose journal is written by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from gateway.clock import SystemClock, SystemEntropy
from gateway.command import Channel, Command, Envelope, Key, KeyKind, Outcome, Service
from gateway.conveyor import Conveyor
from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import rows_where
from gateway.feed import Feed
from gateway.services.conflicts import ConflictResolve
from gateway.services.documents import entitlement_row
from gateway.services.encodings import EncodingConfirm
from gateway.services.holds import HoldExpire, HoldPlace, PlaceHold
from gateway.services.journal import JournalTake, TakeJournal
from gateway.services.set_aside import SetAsideSettle
from gateway.working_set import WorkingSet
from tests.support.gateway_world import LoadResort, Resettle
from tests.support.worlds import BAND, BAND_ID, NOON, PARTY_ID, RESORT, TOKEN_ID, an_id, world_at
from wallet.entitlement import Admission, Bypass, Entitlement, Parking, Photos, RoomKey, Spending
from wallet.journal import GENESIS, EntryKind, JournalBatch, JournalEntry, chain
from wallet.ledger import AccountKind, price_sale
from wallet.medium import MediumState
from wallet.tap import RULEBOOK_VERSION, Approved, Decision, Hold, PinCheck, Sale, Tap
from wallet.token import Step, Use

FOLIO = an_id(50)
OLDER_BAND_ID, ENCODING_ID = an_id(51), an_id(52)
_DAY = timedelta(days=1)

RIGHTS: dict[str, Entitlement] = {
    "room": RoomKey("room", ("101",), NOON - _DAY, NOON + _DAY),
    "parking": Parking("parking", ("lot-a",), NOON - _DAY, NOON + _DAY),
    "admission": Admission("admission", ("lagoon",), date(2027, 3, 1), date(2027, 3, 3), days=2),
    "bypass": Bypass("bypass", "comet", NOON - timedelta(minutes=10), NOON + timedelta(minutes=50)),
    "spending": Spending("spending", FOLIO, "EUR", 30_000, 5_000, NOON - _DAY, NOON + _DAY),
    "photos": Photos("photos", NOON - _DAY, NOON + 45 * _DAY),
}


class Settle(Struct, frozen=True):
    """Make the guest with every right, and the edges, each of a venue."""

    limit_minor: int = 60_000
    edges: tuple[tuple[str, str], ...] = (
        ("park", "park"),
        ("park-2", "park"),
        ("shops", "shops"),
        ("hotel", "hotel"),
    )


class SettleGuest(Service[Settle]):
    name = "test.settle"

    def keys(self, body: Settle) -> frozenset[Key]:
        return frozenset(Key(KeyKind.EDGE, edge) for edge, _ in body.edges)

    def decide(self, state: WorkingSet, command: Command[Settle]) -> Outcome:
        guest, day = an_id(60), date(2027, 3, 1)
        made: tuple[r.Row, ...] = (
            r.PartyRow(
                PARTY_ID,
                "TEST01",
                r.PartyState.CHECKED_IN,
                "p",
                day,
                day,
                0,
                0,
                "EUR",
                FOLIO,
                guest,
                NOON - _DAY,
            ),
            r.GuestRow(guest, PARTY_ID, TOKEN_ID, lead=True),
            r.TokenRow(TOKEN_ID, guest, PARTY_ID, pin_verifier="scrypt1$a$b"),
            r.AccountRow(FOLIO, AccountKind.FOLIO, "EUR", PARTY_ID, limit_minor=command.body.limit_minor),
            r.MediumRow(BAND_ID, TOKEN_ID, BAND.kind, BAND.state, NOON - _DAY, BAND.chip_uid),
            *(
                entitlement_row(TOKEN_ID, right, made_at=NOON - _DAY, resort=state.resort)
                for right in RIGHTS.values()
            ),
            *(
                r.EdgeRow(edge, venue, r.EdgeState.ENROLLED, public_key="00" * 32)
                for edge, venue in command.body.edges
            ),
        )
        return Outcome({}, made)


class Turn(Struct, frozen=True):
    """Revoke the band, put it into another state, or revoke one right."""

    band: bool = False
    state: MediumState | None = None
    right: str = ""


class TurnOff(Service[Turn]):
    name = "test.turn_off"

    def keys(self, body: Turn) -> frozenset[Key]:
        return frozenset({Key(KeyKind.TOKEN, TOKEN_ID)})

    def decide(self, state: WorkingSet, command: Command[Turn]) -> Outcome:
        at = command.envelope.at
        if command.body.state is not None:
            band = state.need(r.MediumRow, BAND_ID)
            return Outcome({}, (replace(band, state=command.body.state),))
        if command.body.band:
            band = state.need(r.MediumRow, BAND_ID)
            return Outcome({}, (replace(band, state=MediumState.REVOKED, revoked_at=at),))
        right = state.need(r.EntitlementRow, command.body.right)
        return Outcome({}, (replace(right, revoked_at=at),))


class WriteOver(Struct, frozen=True):
    """Write the band over an older one of the guest's; its encoder cannot say yet that it did.

    With a chip epoch it is a band with keys.
    """

    chip_epoch: int = 0


class WriteBand(Service[WriteOver]):
    name = "test.write_over"

    def keys(self, body: WriteOver) -> frozenset[Key]:
        return frozenset({Key(KeyKind.TOKEN, TOKEN_ID), Key(KeyKind.STOCK, BAND.chip_uid)})

    def decide(self, state: WorkingSet, command: Command[WriteOver]) -> Outcome:
        band, at = state.need(r.MediumRow, BAND_ID), command.envelope.at
        kind = "ntag424" if command.body.chip_epoch else "ntag216"
        job = r.EncodingRow(
            ENCODING_ID,
            TOKEN_ID,
            PARTY_ID,
            "encoder",
            band.kind,
            r.EncodingState.ISSUED,
            at,
            BAND_ID,
            band.chip_uid,
            issued=r.Issue(at, 1, command.body.chip_epoch, at + _DAY, "content"),
        )
        made: tuple[r.Row, ...] = (
            replace(band, state=MediumState.PENDING),
            replace(band, id=OLDER_BAND_ID, issued_at=band.issued_at - _DAY),
            r.ChipRow(band.chip_uid, "", "", kind, r.ChipState.LINKED, at),
            job,
        )
        return Outcome({}, made)


class GiveAgain(Struct, frozen=True):
    """Give one of the guest's rights once more, under another id."""

    right: str
    new_id: str


class GiveRight(Service[GiveAgain]):
    name = "test.give_again"

    def keys(self, body: GiveAgain) -> frozenset[Key]:
        return frozenset({Key(KeyKind.TOKEN, TOKEN_ID)})

    def decide(self, state: WorkingSet, command: Command[GiveAgain]) -> Outcome:
        right = msgspec.structs.replace(RIGHTS[command.body.right], entitlement_id=command.body.new_id)
        row = entitlement_row(TOKEN_ID, right, made_at=command.envelope.at, resort=state.resort)
        return Outcome({}, (row,))


SERVICES: dict[str, Service[Any]] = {
    service.name: service
    for service in (
        LoadResort(),
        SettleGuest(),
        TurnOff(),
        WriteBand(),
        EncodingConfirm(),
        GiveRight(),
        JournalTake(),
        HoldPlace(),
        HoldExpire(),
        SetAsideSettle(),
        ConflictResolve(),
    )
}


@dataclass
class Journal:
    """An edge's journal, written entry by entry, with the verdicts one wants the guest to have seen."""

    edge: str
    epoch: str = "0190a000-0000-7000-8000-000000000001"
    entries: list[JournalEntry] = field(default_factory=list)
    head: str = GENESIS

    def write(
        self, tap: Tap | None, decision: Decision | None, kind: EntryKind = EntryKind.TAP
    ) -> JournalEntry:
        entry = JournalEntry(
            edge=self.edge,
            epoch=self.epoch,
            number=len(self.entries) + 1,
            kind=kind,
            at=tap.at if tap else NOON,
            rulebook=RULEBOOK_VERSION,
            position=1,
            previous=self.head,
            tap=tap,
            token_id=TOKEN_ID if tap and (tap.presented.credential or tap.presented.sun) else "",
            decision=decision,
            as_of=NOON - _DAY,
        )
        self.entries.append(entry)
        self.head = chain(self.head, entry)
        return entry

    def batch(self, first: int = 1, last: int | None = None) -> JournalBatch:
        entries = tuple(self.entries[first - 1 : last])
        head = self.entries[last].previous if last is not None and last < len(self.entries) else self.head
        return JournalBatch(1, self.edge, self.epoch, entries, head)


@dataclass
class Home:
    """The gateway that journals come home to."""

    database: Database
    feed: Feed
    conveyor: Conveyor
    ids: Iterator[int] = field(default_factory=count)

    def do(self, name: str, body: Struct, command_id: str = "", at_s: float = 3600) -> dict[str, Any]:
        at = NOON + timedelta(seconds=at_s)
        envelope = Envelope(command_id or f"c-{next(self.ids)}", "edge:test", Channel.TOUCHPOINT, None, at)
        return self.conveyor.call(name, Command(envelope, body, SystemEntropy().draw(32)))

    def take(self, journal: Journal, first: int = 1, last: int | None = None) -> dict[str, Any]:
        return self.do("journal.take", TakeJournal(journal.batch(first, last)))

    def hold(self, tap: Tap, edge: str = "shops") -> Hold:
        return msgspec.convert(self.do("hold.place", PlaceHold(edge, tap, TOKEN_ID), at_s=0), Hold)

    def rows(self, kind: type[Any]) -> list[Any]:
        with self.database.read() as connection:
            return rows_where(connection, kind)

    def folio(self) -> r.AccountRow:
        (account,) = [row for row in self.rows(r.AccountRow) if row.id == FOLIO]
        return account


def tap_at(touchpoint: str, number: int, *, at_s: float = 0, sale: Sale | None = None, **more: Any) -> Tap:
    """Return a tap of the guest's band."""
    tap = world_at("till", sale=sale).tap
    return msgspec.structs.replace(
        tap, touchpoint=touchpoint, tap_id=an_id(number), at=NOON + timedelta(seconds=at_s), **more
    )


def basket(items: int, number: int = 1) -> Sale:
    """Return a sale of so many menus at 14.50."""
    return price_sale(RESORT, "grill", [("menu", items)], an_id(700 + number))


def approved(tap: Tap, right: str, step: Step, place: str, amount_minor: int = 0) -> Approved:
    """Return the verdict of an edge that let the guest through by this right."""
    use = Use(tap.tap_id, right, step, tap.at, RESORT.day_of(tap.at), place, amount_minor)
    return Approved(right, (use,))


def sold(tap: Tap) -> Approved:
    """Return the verdict of a till that sold."""
    assert tap.sale is not None
    return approved(tap, "spending", Step.CHARGE, tap.sale.outlet, tap.sale.total_minor)


def shops_with_three_sales() -> Journal:
    """Return the journal of a till that sold three times."""
    journal = Journal("shops")
    for number in (101, 102, 103):
        tap = tap_at("till", number, at_s=number, sale=basket(1, number))
        journal.write(tap, sold(tap))
    return journal


PIN_RIGHT = PinCheck.RIGHT


@contextmanager
def home(url: str, **settled: Any) -> Iterator[Home]:
    """Give a gateway with the resort loaded, the guest settled and four edges enrolled."""
    database = Database(url)
    feed = Feed(database, SystemClock())
    conveyor = Conveyor(database, feed, SERVICES, SystemEntropy())
    feed.start()
    conveyor.start()
    made = Home(database, feed, conveyor)
    try:
        made.do("test.resort", Resettle(RESORT))
        made.do("test.settle", Settle(**settled))
        yield made
    finally:
        conveyor.stop()
        feed.stop()
        database.close()
