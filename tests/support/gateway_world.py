"""A small resort and small services with which the conveyor and the feed are tried, on a real database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from gateway.clock import Clock, SystemClock, SystemEntropy
from gateway.command import Channel, Command, Envelope, Event, Key, KeyKind, Outcome, Service
from gateway.conveyor import Conveyor
from gateway.db import locks
from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.errors import Rejection
from gateway.feed import Feed
from gateway.services.documents import entitlement_row
from gateway.working_set import WorkingSet
from wallet.entitlement import Admission
from wallet.ledger import AccountKind, TransferKind
from wallet.medium import MediumKind, MediumState
from wallet.resort import Park, Resort, Touchpoint, TouchpointKind, Venue

RESORT = Resort(
    code="lagoon",
    name="Lagoon Resort",
    zone="Europe/Madrid",
    currency="EUR",
    venues=(Venue("park", "Park"), Venue("cove", "Cove"), Venue("shops", "Shops")),
    parks=(
        Park("lagoon", "Lagoon", "park", time(9), time(23)),
        Park("reef", "Reef", "cove", time(9), time(23)),
    ),
    touchpoints=(
        Touchpoint("gate-1", "Gate 1", TouchpointKind.PARK_GATE, "park", "lagoon"),
        Touchpoint("gate-9", "Gate 9", TouchpointKind.PARK_GATE, "cove", "reef"),
    ),
)

_ids = count()


class Resettle(Struct, frozen=True):
    """Make version n of the resort."""

    resort: Resort


class LoadResort(Service[Resettle]):
    name, alone = "test.resort", True

    def keys(self, body: Resettle) -> frozenset[Key]:
        return frozenset({Key(KeyKind.RESORT, "current")})

    def decide(self, state: WorkingSet, command: Command[Resettle]) -> Outcome:
        row = r.ResortVersionRow(
            command.body.resort.version, command.body.resort, command.envelope.at, "test"
        )
        return Outcome({}, (row,))


class NewParty(Struct, frozen=True):
    """Make a party of one with a token admitted to the parks."""

    parks: tuple[str, ...] = ("lagoon",)
    pin: str = ""


class MakeParty(Service[NewParty]):
    name = "test.party"

    def keys(self, body: NewParty) -> frozenset[Key]:
        return frozenset()

    def decide(self, state: WorkingSet, command: Command[NewParty]) -> Outcome:
        party, guest, token, folio, right = (command.new_id(n) for n in range(5))
        at, day = command.envelope.at, date(2030, 1, 1)
        admission = Admission(right, command.body.parks, day, day + timedelta(days=1))
        made: tuple[r.Row, ...] = (
            r.PartyRow(
                party, party[-12:].upper(), r.PartyState.BOOKED, "p", day, day, 0, 0, "EUR", folio, guest, at
            ),
            r.GuestRow(guest, party, token, lead=True),
            r.PersonRow(guest, "Ada", "Marsh", "ada@example.org"),
            r.TokenRow(token, guest, party, command.body.pin),
            r.AccountRow(folio, AccountKind.FOLIO, "EUR", party, limit_minor=100_000),
            entitlement_row(token, admission, made_at=at, resort=state.resort),
        )
        answer = {"party_id": party, "guest_id": guest, "token_id": token, "folio": folio}
        return Outcome(answer, made, (Event("party.booked", {"guests": 1}, party),))


class Charge(Struct, frozen=True):
    """Charge the folio."""

    account_id: str
    amount_minor: int
    wrong: bool = False


class ChargeFolio(Service[Charge]):
    name = "test.charge"

    def keys(self, body: Charge) -> frozenset[Key]:
        return frozenset({Key(KeyKind.ACCOUNT, body.account_id)})

    def decide(self, state: WorkingSet, command: Command[Charge]) -> Outcome:
        body, at = command.body, command.envelope.at
        account = state.need(r.AccountRow, body.account_id)
        after = account.balance_minor + body.amount_minor
        if account.limit_minor is not None and after > account.limit_minor:
            raise Rejection("over_limit", 409, "over the limit")
        transfer = command.new_id(0)
        made: tuple[r.Row, ...] = (
            replace(account, balance_minor=after),
            r.TransferRow(
                transfer,
                TransferKind.SALE,
                at,
                at.date(),
                "EUR",
                body.amount_minor,
                "x",
                command.envelope.id,
                account.party_id,
            ),
            r.PostingRow(transfer, 1, account.id, "EUR", body.amount_minor),
            r.PostingRow(transfer, 2, "revenue:x", "EUR", -body.amount_minor + int(body.wrong)),
        )
        return Outcome(
            {"balance_minor": after}, made, (Event("transfer.posted", {"id": transfer}, account.party_id),)
        )


class Move(Struct, frozen=True):
    """Let a token into other parks, or give it a band."""

    token_id: str
    parks: tuple[str, ...] = ()
    band: str = ""


class MoveToken(Service[Move]):
    name = "test.move"

    def keys(self, body: Move) -> frozenset[Key]:
        return frozenset({Key(KeyKind.TOKEN, body.token_id)})

    def decide(self, state: WorkingSet, command: Command[Move]) -> Outcome:
        body, at = command.body, command.envelope.at
        token = state.need(r.TokenRow, body.token_id)
        if body.band:
            medium = r.MediumRow(
                command.new_id(0), token.id, MediumKind.BAND, MediumState.ACTIVE, at, body.band
            )
            return Outcome({"medium_id": medium.id}, (medium,))
        (right,) = state.find(r.EntitlementRow, token_id=token.id)
        assert isinstance(right.body, Admission)
        new = msgspec.structs.replace(right.body, parks=body.parks)
        return Outcome({}, (replace(right, body=new),))


class Burst(Struct, frozen=True):
    """Fail in a chosen place: "decide", "keys", "write" or "late"."""

    where: str


class Fail(Service[Burst]):
    name = "test.fail"

    def keys(self, body: Burst) -> frozenset[Key]:
        if body.where == "keys":
            raise RuntimeError("no keys")
        return frozenset({Key(KeyKind.ACCOUNT, "none")})

    def expand(self, state: WorkingSet, body: Burst) -> frozenset[Key]:
        late = body.where == "late" and state.holds(Key(KeyKind.ACCOUNT, "none"))
        return frozenset({Key(KeyKind.PARTY, "too-late")} if late else ())

    def decide(self, state: WorkingSet, command: Command[Burst]) -> Outcome:
        if command.body.where == "decide":
            raise RuntimeError("no decision")
        if command.body.where == "unheld":
            at = command.envelope.at
            return Outcome({}, (r.MediumRow("m", "t", MediumKind.BAND, MediumState.ACTIVE, at),))
        # The guest that this token belongs to does not exist: the database itself refuses it.
        return Outcome({}, (r.TokenRow(command.new_id(0), "nobody", "nowhere"),))


SERVICES: dict[str, Service[Any]] = {
    service.name: service for service in (LoadResort(), MakeParty(), ChargeFolio(), MoveToken(), Fail())
}


@dataclass
class House:
    """A gateway without its doors: database, feed and conveyor."""

    database: Database
    feed: Feed
    conveyor: Conveyor

    def do(self, name: str, body: Struct, command_id: str = "", actor: str = "staff:test") -> dict[str, Any]:
        return self.conveyor.call(name, command(body, command_id, actor))

    def party(self, *parks: str) -> dict[str, Any]:
        return self.do("test.party", NewParty(parks or ("lagoon",)))


def command(body: Struct, command_id: str = "", actor: str = "staff:test") -> Command[Any]:
    at = datetime.now(UTC)
    # A test's second process counts for itself, and must not take the ids of the first.
    envelope = Envelope(command_id or f"test-{os.getpid()}-{next(_ids)}", actor, Channel.DESK, None, at)
    return Command(envelope, body, SystemEntropy().draw(32))


class HandClock:
    """The machine's clock, moved forward by hand: all of it by `ahead_s`, the day alone by `day_ahead_s`."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.day_ahead_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s + self.day_ahead_s)

    def monotonic(self) -> float:
        return SystemClock().monotonic() + self.ahead_s + self.day_ahead_s

    def elapsed_s(self) -> float:
        return SystemClock().elapsed_s() + self.ahead_s


@contextmanager
def held(gateway: House, name: str) -> Iterator[None]:
    """Hold a key like another process that stopped in the middle: on SQLite the writer itself."""
    with Database(str(gateway.database.url.render_as_string(hide_password=False))).write() as other:
        locks.hold(other, [name])
        yield


@contextmanager
def house(url: str, *, load: bool = True, clock: Clock | None = None, **options: Any) -> Iterator[House]:
    database = Database(url)
    feed = Feed(database, clock or SystemClock())
    conveyor = Conveyor(database, feed, SERVICES, SystemEntropy(), **options)
    feed.start()
    conveyor.start()
    made = House(database, feed, conveyor)
    try:
        if load:
            made.do("test.resort", Resettle(RESORT))
        yield made
    finally:
        conveyor.stop()
        feed.stop()
        database.close()
