"""One tap, start to finish: read, decided and journalled, shown."""

import logging
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from readers.clock import Clock, Entropy, new_id
from readers.custody import KeySource
from readers.drivers.base import Contact
from readers.outputs import Outputs, Sight
from readers.presentation import present
from readers.settings import ReaderSettings
from readers.tills import Tills
from readers.transport.base import HoldRequest
from readers.trust import Trust
from readers.writer import Verdict, Writer
from wallet import pin
from wallet.chips.keys import KeySlot
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Ask, Asks, Decision, Hold, PinCheck, Presented, Refused, Tap

log = logging.getLogger(__name__)

ROUNDS_MAX = 30
"""More questions than any tap can lead to: PIN tries end at the policy's limit, a hold is asked once."""

RECENT_MAX = 200


class Tapping:
    """Takes the taps of all readers of an edge, each in its reader's own thread."""

    def __init__(
        self,
        *,
        writer: Writer,
        trust: Trust,
        custody: KeySource,
        slot_at: Callable[[str], KeySlot | None],
        tills: Tills,
        outputs: Outputs,
        hold: Callable[[HoldRequest], Hold],
        clock: Clock,
        entropy: Entropy,
        pin_wait_s: float,
    ) -> None:
        """Args:
        slot_at: gives the key slot of a touchpoint's kind, None while the touchpoint is not known.
        hold: asks the gateway to hold a sale's amount; gives UNREACHABLE when no answer comes in time.
        pin_wait_s: how long a tap waits for the guest's PIN.
        """
        self._writer = writer
        self._trust = trust
        self._custody = custody
        self._slot_at = slot_at
        self._tills = tills
        self._outputs = outputs
        self._hold = hold
        self._clock = clock
        self._entropy = entropy
        self._pin_wait_s = pin_wait_s
        self._recent: deque[Sight] = deque(maxlen=RECENT_MAX)
        self._faults: Counter[tuple[str, Reason]] = Counter()

    def take(self, reader: ReaderSettings, contact: Contact) -> Sight:
        """Take one tap and return what was shown. Green is shown only for what is durably journalled.

        Whatever fails on the way, the guest sees "please wait"; the fault goes on to the driver, which counts it.
        """
        tap_id, at = new_id(self._clock, self._entropy), self._clock.now()
        unread = Presented(Proof.CHIP_UID, fault=Reason.MEDIUM_UNREADABLE)
        tap = Tap(tap_id, reader.touchpoint, reader.id, at, unread)
        decision: Decision = Refused(Reason.MEDIUM_UNREADABLE)
        sale = None
        try:
            slot = self._slot_at(reader.touchpoint)
            presented = present(contact, self._trust.issuer_keys, self._custody, slot, self._entropy)
            if presented.fault is not None:
                self._faults[reader.id, presented.fault] += 1
            decision = Refused(Reason.JOURNAL_FULL)
            # A chip that could not be read leaves the sale to the next tap.
            sale = self._tills.claim(reader.touchpoint, tap_id) if presented.credential else None
            tap = msgspec.structs.replace(tap, presented=presented, sale=sale)
            decision = self._settled(tap).decision
        finally:
            sight = self._show(tap, decision)
            if sale is not None:
                self._tills.settle(sale.sale_id, decision)
        return sight

    def recent(self, limit: int) -> tuple[Sight, ...]:
        """Return what was shown last, the latest first."""
        return tuple(reversed(self._recent))[:limit]

    def faults(self, reader_id: str, reason: Reason) -> int:
        """Return how often a reader could not make a guest of what was held to it, for this reason, since the start."""
        return self._faults[reader_id, reason]

    def _settled(self, tap: Tap) -> Verdict:
        """Find out what is asked until the tap is decided."""
        for _ in range(ROUNDS_MAX):
            verdict = self._writer.decide(tap)
            match verdict.decision:
                case Asks(what=Ask.HOLD):
                    tap = msgspec.structs.replace(tap, hold=self._ask_hold(tap))
                case Asks(what=Ask.PIN):
                    self._show(tap, verdict.decision)
                    tap = msgspec.structs.replace(tap, pin=self._ask_pin(tap, verdict.pin_verifier))
                case _:
                    return verdict
        raise AssertionError(f"tap {tap.tap_id} was asked {ROUNDS_MAX} times")

    def _ask_hold(self, tap: Tap) -> Hold:
        credential = tap.presented.credential
        assert credential is not None, "a till takes no SUN message, and a hold is asked for a guest"
        return self._hold(HoldRequest(tap, credential.token_id))

    def _ask_pin(self, tap: Tap, verifier: str) -> PinCheck:
        assert tap.sale is not None, "a PIN is asked for a sale"
        pepper = self._trust.pin_pepper
        if pepper is None:
            log.error("a PIN is asked at %s, but this edge was given no pepper", tap.touchpoint)
            return PinCheck.NOT_GIVEN
        given = self._tills.await_pin(tap.sale.sale_id, self._pin_wait_s)
        if given is None:
            return PinCheck.NOT_GIVEN
        try:
            return PinCheck.RIGHT if pin.verify(verifier, given, pepper) else PinCheck.WRONG
        except ValueError:
            # A verifier of a later scheme can't be checked here, which is not the guest's wrong try.
            log.exception("a PIN can't be checked at %s", tap.touchpoint)
            return PinCheck.NOT_GIVEN

    def _show(self, tap: Tap, decision: Decision) -> Sight:
        sight = self._outputs.show(tap.tap_id, tap.touchpoint, tap.reader, decision, self._clock.now())
        self._recent.append(sight)
        return sight
