"""What a till's edge sends: taps for a sale, and the journal that brings them home."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from gateway.services.edge import Enrolment, NewEdge
from gateway.services.holds import PlaceHold
from gateway.services.journal import TakeJournal
from gateway.services.media import AddPhone
from gateway.services.tokens import SetPin
from tests.support.guests_world import Party, World
from wallet.credential import Credential, medium_tag
from wallet.ids import uuid7
from wallet.journal import GENESIS, EntryKind, JournalBatch, JournalEntry, chain
from wallet.proof import Proof
from wallet.tap import Approved, Decision, PinCheck, Presented, Refused, Sale, SaleLine, Tap
from wallet.token import Step, Use


def enrol(world: World, edge: str, venue: str, public_key: str = "00" * 32) -> None:
    world.do("edge.add", NewEdge(edge, venue, "hash"))
    world.do("edge.enrol", Enrolment(edge, "hash", public_key))


def sale(amount_minor: int) -> Sale:
    line = SaleLine("platter", 1, amount_minor, "vat10")
    return Sale("sale-1", "harbour-grill", "EUR", (line,), amount_minor)


def new_tap(
    world: World,
    token_id: str,
    amount_minor: int,
    at: datetime | None = None,
    medium_id: str = "",
    **more: Any,
) -> Tap:
    at = at or world.clock.at
    seed = hashlib.sha256(f"{next(world.numbers)}".encode()).digest()
    medium_id = medium_id or uuid7(at, seed[10:20])
    credential = Credential(
        token_id, medium_tag(medium_id), "", at - timedelta(minutes=1), at + timedelta(days=1), 1, "00"
    )
    made = {"touchpoint": "till-grill", "sale": sale(amount_minor), "pin": PinCheck.RIGHT} | more
    presented = Presented(Proof.CHIP_UID, credential)
    return Tap(uuid7(at, seed[:10]), made["touchpoint"], "reader", at, presented, made["sale"], made["pin"])


def phone(world: World, token_id: str) -> str:
    return str(world.do("medium.add_phone", AddPhone(token_id))["medium_id"])


def hold(world: World, party: Party, amount_minor: int, token: int = 0) -> str:
    """Hold an amount for a tap of one of the party, and return the tap's id."""
    token_id = party.tokens[token]
    world.do("token.set_pin", SetPin(token_id, "scrypt1$salt$digest"))
    tap = new_tap(world, token_id, amount_minor, medium_id=phone(world, token_id))
    answer = world.do("hold.place", PlaceHold("shops", tap, token_id))
    assert answer == {"answer": "held"}, answer
    return tap.tap_id


class Edge:
    """An edge that journals taps and brings them home."""

    def __init__(self, world: World, edge: str, venue: str) -> None:
        enrol(world, edge, venue)
        self.world, self.edge = world, edge
        self.number, self.head = 0, GENESIS

    def entry(self, tap: Tap, decision: Decision) -> JournalEntry:
        credential = tap.presented.credential
        assert credential is not None
        return JournalEntry(
            edge=self.edge,
            epoch="0190a000-0000-7000-8000-000000000001",
            number=self.number + 1,
            kind=EntryKind.TAP,
            at=tap.at,
            rulebook=1,
            position=0,
            previous=self.head,
            tap=tap,
            token_id=credential.token_id,
            decision=decision,
        )

    def batch(self, *verdicts: tuple[Tap, Decision]) -> JournalBatch:
        """Journal the taps with what the guest saw."""
        entries = []
        for tap, decision in verdicts:
            entry = self.entry(tap, decision)
            entries.append(entry)
            self.number, self.head = entry.number, chain(self.head, entry)
        return JournalBatch(1, self.edge, "0190a000-0000-7000-8000-000000000001", tuple(entries), self.head)

    def bring_home(self, *verdicts: tuple[Tap, Decision]) -> dict[str, Any]:
        return self.world.do("journal.take", TakeJournal(self.batch(*verdicts)))


def charged(world: World, tap: Tap, entitlement_id: str) -> Approved:
    """Return an approval that charges the tap's sale."""
    assert tap.sale is not None
    day = world.gateway.feed.resort().day_of(tap.at)
    amount = tap.sale.total_minor
    use = Use(tap.tap_id, entitlement_id, Step.CHARGE, tap.at, day, tap.sale.outlet, amount)
    return Approved(entitlement_id, (use,))


__all__ = ["Approved", "Edge", "Refused", "charged", "enrol", "hold", "new_tap", "phone", "sale"]
