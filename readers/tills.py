"""The sales that wait at this edge's tills: opened by the till and paid by the next tap there."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from readers.clock import Clock
from readers.outputs import reason_of, sentence_of
from wallet.journal import JournalEntry
from wallet.money import share
from wallet.resort import Resort, TouchpointKind
from wallet.tap import Approved, Decision, Sale, SaleLine

QUANTITY_MAX = 999
LINES_MAX = 100
SALES_KEPT = 200


class SaleState(StrEnum):
    """Where a sale is: waiting for a tap, being decided, waiting for a PIN, or done."""

    OPEN = "open"
    DECIDING = "deciding"
    ASKS_PIN = "asks_pin"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"


_DONE = (SaleState.APPROVED, SaleState.REFUSED, SaleState.CANCELLED)


class TillFault(Exception):
    """The till asked for something that can't be; `status` and `code` go with the sentence."""

    def __init__(self, status: int, code: str, explanation: str) -> None:
        super().__init__(explanation)
        self.status = status
        self.code = code


class Wanted(Struct, frozen=True):
    """One line as the till sends it."""

    item: str
    quantity: int


class SaleView(Struct, frozen=True, omit_defaults=True):
    """A sale as the till sees it."""

    sale_id: str
    total_minor: int
    state: str
    reason: str = ""
    sentence: str = ""
    tap_id: str = ""


@dataclass
class _Sale:
    sale: Sale
    touchpoint: str
    opened_s: float
    state: SaleState = SaleState.OPEN
    tap_id: str = ""
    reason: str = ""
    sentence: str = ""
    pins: list[str] = field(default_factory=list)

    def view(self) -> SaleView:
        shown = SaleState.OPEN if self.state is SaleState.DECIDING else self.state
        return SaleView(
            self.sale.sale_id, self.sale.total_minor, shown.value, self.reason, self.sentence, self.tap_id
        )


class Tills:
    """Keeps at most one open sale per touchpoint. Across a restart, the journal alone knows a sale."""

    def __init__(
        self,
        clock: Clock,
        *,
        resort: Callable[[], Resort | None],
        paid: Callable[[str], JournalEntry | None],
        sale_wait_s: float,
    ) -> None:
        """Args:
        resort: the resort as known now.
        paid: the last journalled verdict on a sale id.
        sale_wait_s: how long an open sale waits for its tap.
        """
        self._clock = clock
        self._resort = resort
        self._paid = paid
        self._sale_wait_s = sale_wait_s
        self._sales: dict[str, _Sale] = {}
        self._changed = threading.Condition()
        self._closed = False

    def close(self) -> None:
        """Take no more sales and let go of taps that wait for a PIN: the edge is stopping."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def open(self, touchpoint: str, sale_id: str, lines: tuple[Wanted, ...]) -> SaleView:
        """Open a sale and return it; the same sale again returns what became of it.

        Raises:
            TillFault: no such till or item, a sale is open there already, or the id stands for another sale.
        """
        sale = self._priced(touchpoint, sale_id, lines)
        with self._changed:
            self._expire()
            known = self._sales.get(sale_id)
            if known is None:
                known = self._from_journal(sale_id)
            if known is not None:
                if known.sale != sale or known.touchpoint != touchpoint:
                    raise TillFault(422, "idempotency_key_reused", f"sale {sale_id} stands for another sale")
                return known.view()
            if self._closed:
                raise TillFault(503, "edge_stopping", "this edge is stopping; try again in a moment")
            if self._at(touchpoint) is not None:
                raise TillFault(409, "sale_open", "a sale is open at this till; finish or cancel it first")
            self._trim()
            self._sales[sale_id] = opened = _Sale(sale, touchpoint, self._clock.elapsed_s())
            return opened.view()

    def view(self, touchpoint: str, sale_id: str, *, unlike: str = "", wait_s: float = 0.0) -> SaleView:
        """Return the sale; with `wait_s`, once its state is not `unlike` or that many seconds passed.

        Raises:
            TillFault: no such sale.
        """
        deadline = self._clock.elapsed_s() + wait_s
        with self._changed:
            while True:
                self._expire()
                sale = self._found(touchpoint, sale_id)
                left = deadline - self._clock.elapsed_s()
                if (
                    left <= 0
                    or self._closed
                    or sale.state in _DONE
                    or sale.view().state != (unlike or "open")
                ):
                    return sale.view()
                self._changed.wait(min(left, 1.0))

    def give_pin(self, touchpoint: str, sale_id: str, pin: str) -> SaleView:
        """Hand the PIN to the tap that waits for it.

        Raises:
            TillFault: no such sale, or it doesn't ask for a PIN.
        """
        with self._changed:
            sale = self._found(touchpoint, sale_id)
            if sale.state is not SaleState.ASKS_PIN:
                raise TillFault(409, "pin_not_asked", "this sale doesn't ask for a PIN")
            sale.pins.append(pin)
            sale.state = SaleState.DECIDING
            self._changed.notify_all()
            return sale.view()

    def cancel(self, touchpoint: str, sale_id: str) -> SaleView:
        """Cancel a sale that waits for a tap or a PIN.

        Raises:
            TillFault: no such sale, or a tap is being decided or was approved.
        """
        with self._changed:
            sale = self._found(touchpoint, sale_id)
            if sale.state in (SaleState.DECIDING, SaleState.APPROVED):
                raise TillFault(409, "sale_paid", "the tap was taken; ask for the sale's state")
            if sale.state is SaleState.ASKS_PIN:
                sale.pins.append("")
                sale.state = SaleState.DECIDING
            elif sale.state is SaleState.OPEN:
                sale.state = SaleState.CANCELLED
            self._changed.notify_all()
            return sale.view()

    def claim(self, touchpoint: str, tap_id: str) -> Sale | None:
        """Return the sale that a tap at this touchpoint pays, and let no other tap pay it."""
        with self._changed:
            self._expire()
            sale = self._at(touchpoint)
            if sale is None or sale.state is not SaleState.OPEN:
                return None
            sale.state, sale.tap_id = SaleState.DECIDING, tap_id
            return sale.sale

    def await_pin(self, sale_id: str, wait_s: float) -> str | None:
        """Ask the till for the guest's PIN and return it, None when none came in time."""
        deadline = self._clock.elapsed_s() + wait_s
        with self._changed:
            sale = self._sales[sale_id]
            sale.state = SaleState.ASKS_PIN
            self._changed.notify_all()
            while not sale.pins:
                left = deadline - self._clock.elapsed_s()
                if left <= 0 or self._closed:
                    sale.state = SaleState.DECIDING
                    return None
                self._changed.wait(left)
            return sale.pins.pop(0) or None

    def settle(self, sale_id: str, decision: Decision) -> None:
        """Write the final verdict of the tap that claimed the sale."""
        with self._changed:
            sale = self._sales[sale_id]
            sale.state = SaleState.APPROVED if isinstance(decision, Approved) else SaleState.REFUSED
            sale.reason, sale.sentence = reason_of(decision), sentence_of(decision)
            self._changed.notify_all()

    def _priced(self, touchpoint_id: str, sale_id: str, lines: tuple[Wanted, ...]) -> Sale:
        resort = self._resort()
        if resort is None:
            raise TillFault(503, "resort_unknown", "this edge doesn't know the price list yet")
        try:
            touchpoint = resort.touchpoint(touchpoint_id)
            if touchpoint.kind is not TouchpointKind.TILL:
                raise KeyError(f"{touchpoint_id!r} is not a till")
            outlet = resort.outlet(touchpoint.place)
        except KeyError as error:
            raise TillFault(404, "till_unknown", str(error.args[0])) from None
        if not lines or len(lines) > LINES_MAX:
            raise TillFault(422, "lines_invalid", f"a sale has 1 to {LINES_MAX} lines")
        priced = []
        for line in lines:
            if not 1 <= line.quantity <= QUANTITY_MAX:
                raise TillFault(422, "quantity_invalid", f"a quantity is 1 to {QUANTITY_MAX}")
            try:
                item = outlet.item(line.item)
                tax = resort.tax(item.tax)
            except KeyError as error:
                raise TillFault(422, "item_unknown", str(error.args[0])) from None
            net = line.quantity * item.price_minor
            amount = net if tax.included else net + share(net, tax.rate_bp, 10_000)
            priced.append(SaleLine(item.id, line.quantity, amount, tax.id))
        total = sum(line.amount_minor for line in priced)
        return Sale(sale_id, outlet.id, resort.currency, tuple(priced), total)

    def _at(self, touchpoint: str) -> _Sale | None:
        for sale in self._sales.values():
            if sale.touchpoint == touchpoint and sale.state not in _DONE:
                return sale
        return None

    def _found(self, touchpoint: str, sale_id: str) -> _Sale:
        sale = self._sales.get(sale_id) or self._from_journal(sale_id)
        if sale is None or sale.touchpoint != touchpoint:
            raise TillFault(404, "sale_unknown", f"there is no sale {sale_id} at this till")
        return sale

    def _from_journal(self, sale_id: str) -> _Sale | None:
        entry = self._paid(sale_id)
        if entry is None or entry.tap is None or entry.tap.sale is None or entry.decision is None:
            return None
        state = SaleState.APPROVED if isinstance(entry.decision, Approved) else SaleState.REFUSED
        return _Sale(
            entry.tap.sale,
            entry.tap.touchpoint,
            0.0,
            state,
            entry.tap.tap_id,
            reason_of(entry.decision),
            sentence_of(entry.decision),
        )

    def _expire(self) -> None:
        oldest_s = self._clock.elapsed_s() - self._sale_wait_s
        for sale in self._sales.values():
            if sale.state is SaleState.OPEN and sale.opened_s < oldest_s:
                sale.state = SaleState.CANCELLED

    def _trim(self) -> None:
        done = [sale_id for sale_id, sale in self._sales.items() if sale.state in _DONE]
        for sale_id in done[: max(0, len(self._sales) - SALES_KEPT)]:
            del self._sales[sale_id]
