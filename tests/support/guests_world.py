"""A started gateway with the reference resort and a clock that stands still until it is moved."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from msgspec import Struct, structs

from gateway.bootstrap import Gateway, build
from gateway.command import Channel, Command, Envelope
from gateway.db import rows as r
from gateway.db.load import rows_where
from gateway.services.bookings import CreateBooking, NewGuest
from gateway.services.check_in import CheckIn
from gateway.services.resort import LoadedResort
from gateway.settings import Environment, Settings
from tests.support.resort_world import RESORT
from wallet.resort import Room

R = TypeVar("R")
ARRIVAL = date(2030, 6, 10)
BOOKED_AT = datetime(2030, 5, 1, 10, tzinfo=UTC)
NAMES = ("Quillon", "Abernathy", "Zephyrine", "Tobiah", "Ondine", "Marsvale")


@dataclass
class StillClock:
    """Time that moves only when a test says so."""

    at: datetime = BOOKED_AT

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def elapsed_s(self) -> float:
        return monotonic()


@dataclass
class World:
    """The gateway without its HTTP, and what tests do with it most."""

    gateway: Gateway
    clock: StillClock
    numbers: "count[int]"

    def command(self, body: Struct, key: str = "", actor: str = "staff:test") -> Command[Any]:
        envelope = Envelope(key or f"test-{next(self.numbers)}", actor, Channel.DESK, None, self.clock.now())
        return self.gateway.command(envelope, body)

    def do(self, name: str, body: Struct, key: str = "") -> dict[str, Any]:
        return self.gateway.conveyor.call(name, self.command(body, key))

    def submit(self, name: str, body: Struct) -> "Future[dict[str, Any]]":
        return self.gateway.conveyor.submit(name, self.command(body))

    def book(self, product: str = "family-package", guests: int = 4, arrival: date = ARRIVAL) -> "Party":
        return Party(self, self.do("booking.create", self.book_wish(product, guests, arrival)))

    def book_wish(
        self, product: str = "family-package", guests: int = 4, arrival: date = ARRIVAL
    ) -> CreateBooking:
        people = tuple(
            NewGuest(NAMES[n % 4], NAMES[-1], email=f"{NAMES[0]}@example.org", child=n == 3)
            for n in range(guests)
        )
        references = (f"R{next(self.numbers):05}",)
        return CreateBooking(product, arrival, people, "1234 XYZ", references, "hash")

    def checked_in(self, **more: Any) -> "Party":
        party = self.book(**more)
        self.clock.at = RESORT.instant(party.row.arrival_day, RESORT.day_starts) + timedelta(hours=11)
        self.do("party.check_in", CheckIn(party.id))
        return party

    def checked_in_now(self, party: "Party") -> list[str]:
        """Check a party in at this moment and return its rooms."""
        rooms: list[str] = self.do("party.check_in", CheckIn(party.id))["rooms"]
        return rooms

    def load_room_type(self, room_type: str) -> None:
        """Load the resort anew: its rooms, and its products with nights, are of another type."""
        rooms = tuple(structs.replace(room, type=room_type) for room in RESORT.rooms)
        products = tuple(
            structs.replace(product, room_type=room_type) if product.nights else product
            for product in RESORT.products
        )
        self.gateway.do("resort.load", LoadedResort(structs.replace(RESORT, rooms=rooms, products=products)))

    def load_rooms(self, count: int) -> None:
        """Load the resort anew with so many rooms of the one type; those of the reference resort come first."""
        more = tuple(Room(f"3{n:02}", "hotel", "family", 3) for n in range(count))
        rooms = (*RESORT.rooms, *more)[:count]
        self.gateway.do("resort.load", LoadedResort(structs.replace(RESORT, rooms=rooms)))

    def rows(self, kind: type[R], /, **equal: Any) -> list[R]:
        with self.gateway.database.read() as connection:
            found = rows_where(connection, kind)
        return [row for row in found if all(getattr(row, name) == value for name, value in equal.items())]

    def events(self, party_id: str) -> list[str]:
        return [entry.kind for entry in self.gateway.feed.entries_of_party(party_id, 0)]

    def assert_books_balance(self) -> None:
        """Every transfer sums to zero, every balance is the sum of its postings."""
        sums: dict[str, int] = {}
        balances: dict[str, int] = {}
        for posting in self.rows(r.PostingRow):
            sums[posting.transfer_id] = sums.get(posting.transfer_id, 0) + posting.amount_minor
            balances[posting.account_id] = balances.get(posting.account_id, 0) + posting.amount_minor
        assert sums, "nothing was posted"
        assert set(sums.values()) == {0}
        for account in self.rows(r.AccountRow):
            assert account.balance_minor == balances.get(account.id, 0)

    def balance(self, account_id: str) -> int:
        return sum(row.amount_minor for row in self.rows(r.PostingRow, account_id=account_id))


@dataclass
class Party:
    """A booked party."""

    world: World
    answer: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.answer["party_id"])

    @property
    def tokens(self) -> list[str]:
        return [guest["token_id"] for guest in self.answer["guests"]]

    @property
    def row(self) -> r.PartyRow:
        (row,) = self.world.rows(r.PartyRow, id=self.id)
        return row

    @property
    def folio(self) -> int:
        return self.world.balance(self.row.folio_account_id)

    def rights(self, kind: str, token: int = 0) -> list[r.EntitlementRow]:
        return self.world.rows(r.EntitlementRow, token_id=self.tokens[token], kind=kind)


@contextmanager
def world(url: str, folder: Path, clock: StillClock | None = None) -> Iterator[World]:
    clock = clock or StillClock()
    settings = Settings(environment=Environment.SIMULATION, directory=folder / "gateway", database_url=url)
    gateway = build(settings, clock=clock)
    try:
        gateway.start()
        gateway.do("resort.load", LoadedResort(RESORT))
        yield World(gateway, clock, count())
    finally:
        gateway.stop()
