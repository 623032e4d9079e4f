"""Everything a chapter of the story has at hand."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from simulators.beats import Beats
from simulators.clock import SimulationClock
from simulators.demo.api import Api, Session
from simulators.demo.faults import StoryFailed
from simulators.demo.field_control import FieldControl
from simulators.demo.hands import Band, Carried, Hands, Seen
from simulators.demo.narrator import Narrator
from simulators.demo.plan import FIELD, Plan
from simulators.demo.tills import Till
from simulators.dice import Dice
from simulators.lamps import Lamps
from simulators.patience import Patience
from simulators.processes import Supervisor
from wallet.reasons import Reason, sentence
from wallet.resort import Resort

_LOOK_S = 0.03
_FEED_PAGE = 500


@dataclass
class Guest:
    """One person of the story."""

    name: str
    token_id: str
    party_id: str
    pin: str = ""
    carried: Carried | None = None

    @property
    def hand(self) -> Carried:
        """What the guest taps with."""
        assert self.carried is not None, f"{self.name} carries nothing yet"
        return self.carried


@dataclass
class Memory:
    """What later chapters need of earlier ones."""

    first_day: date | None = None
    party_id: str = ""
    booking_reference: str = ""
    price_minor: int = 0
    guests: list[Guest] = field(default_factory=list)
    room: str = ""
    guest_session: Session | None = None
    sign_ins: int = 0
    lost_taps: list[str] = field(default_factory=list)
    charged_minor: dict[str, int] = field(default_factory=dict)
    """What was paid on the folio: the sale's tap → its amount."""
    latecomer: Guest | None = None


class Stage:
    """The house and the people's hands, for one run of the story."""

    def __init__(
        self,
        *,
        plan: Plan,
        resort: Resort,
        dice: Dice,
        beats: Beats,
        clock: SimulationClock,
        supervisor: Supervisor,
        narrator: Narrator,
        staff: dict[str, Session],
        gateway: Api,
    ) -> None:
        self.plan = plan
        self.resort = resort
        self.dice = dice
        self.clock = clock
        self.supervisor = supervisor
        self.narrator = narrator
        self.staff = staff
        self.gateway = gateway
        self.field = FieldControl(plan.field_url, dice)
        self.lamps = Lamps({edge: plan.lamp_log(edge) for edge in plan.edges})
        self.hands = Hands(self.field, self.lamps, beats, self._restarts)
        self.edges = {edge: Api(plan.edge_url(edge), dice, beats, supervisor.moves) for edge in plan.edges}
        self.memory = Memory()
        self._told_position = 0
        self._till_key = plan.till_key_file.read_text(encoding="utf-8")

    # time

    def now_local(self) -> datetime:
        """Return what the clocks at the resort show."""
        return self.resort.local(self.clock.now())

    def let_time_pass(self, until: datetime) -> None:
        """Let simulation time pass; when that moment is over already, nothing happens."""
        self.clock.advance_to(until)

    # taps

    def expect_green(self, touchpoint: str, guest: Guest) -> Seen:
        """Let the guest tap and be let through; StoryFailed when the light is another."""
        seen = self._tap(touchpoint, guest.hand)
        if not seen.is_green:
            raise self._unexpected(touchpoint, guest.hand, seen, "green")
        return seen

    def expect_blue(self, touchpoint: str, guest: Guest, *reasons: Reason) -> Seen:
        """Let the guest tap and be asked to wait for one of `reasons`; StoryFailed when it is otherwise."""
        seen = self._tap(touchpoint, guest.hand)
        if seen.light.light == "green" or seen.light.reason not in reasons:
            raise self._unexpected(touchpoint, guest.hand, seen, f"blue, {' or '.join(reasons)}")
        return seen

    def till(self, touchpoint: str) -> Till:
        """Return a till."""
        edge = self.plan.edge_of(touchpoint)
        return Till(
            touchpoint, self.edges[edge], self._till_key, self.hands, lambda: self.until_online([edge])
        )

    def make_band(self, name: str, kind: str = "ntag216") -> Band:
        """Return a blank band."""
        return Band(self.field.make_chip(kind, self.dice.chip_uid(name), f"{name}'s band"), name)

    def words_of(self, touchpoint: str, tap_id: str, reason: str | None) -> str:
        """Return the sentence shown beside a light, as the edge tells it."""
        edge = self.edges[self.plan.edge_of(touchpoint)]
        for sight in edge.get("/taps", limit=20)["taps"]:
            if sight["lamp"]["tap_id"] == tap_id:
                return str(sight["sentence"])
        # The edge was started again since, and keeps no words over that.
        return sentence(Reason(reason), {}) if reason else "Welcome."

    # waiting for what is under way

    def settle(self, edges: Iterable[str] | None = None) -> None:
        """Wait until the edges (all by default) know everything that the gateway knows now."""
        position = self.feed_position()
        for edge in edges if edges is not None else self.plan.edges:
            self._wait(edge, f"learn of position {position}", lambda told: told["position"] >= position)

    def until_online(self, edges: Iterable[str]) -> None:
        """Wait until these edges reach the gateway."""
        for edge in edges:
            self._wait(edge, "reach the gateway", lambda told: bool(told["online"]))

    def until_offline(self, edges: Iterable[str]) -> None:
        """Wait until these edges have noticed that they are alone."""
        for edge in edges:
            self._wait(edge, "notice that its network is cut", lambda told: not told["online"])

    def until_home(self, edges: Iterable[str] | None = None) -> None:
        """Wait until the edges (all by default) have brought every journal entry home."""
        for edge in edges if edges is not None else self.plan.edges:
            self._wait(edge, "bring its taps home", lambda told: told["backlog"] == 0)

    # the ledger

    def feed_position(self) -> int:
        """Return the last position of the feed."""
        entries = self.new_entries(self._told_position)
        return int(entries[-1]["position"]) if entries else self._told_position

    def new_entries(self, after: int) -> list[dict[str, Any]]:
        """Return the feed's entries after a position."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.gateway.get("/api/v1/feed", self.staff["operations"], after=after, limit=_FEED_PAGE)
            entries: list[dict[str, Any]] = page["entries"]
            found += entries
            if len(entries) < _FEED_PAGE:
                return found
            after = int(entries[-1]["position"])

    def tell_ledger(self) -> None:
        """Narrate what the ledger wrote since this was last told."""
        entries = self.new_entries(self._told_position)
        if not entries:
            return
        self._told_position = int(entries[-1]["position"])
        kinds: dict[str, int] = {}
        for entry in entries:
            kinds[str(entry["kind"])] = kinds.get(str(entry["kind"]), 0) + 1
        told = " · ".join(f"{count} {kind}" if count > 1 else kind for kind, count in kinds.items())
        self.narrator.ledger(f"up to position {self._told_position}: {told}")

    def _tap(self, touchpoint: str, carried: Carried) -> Seen:
        seen = self.hands.tap(touchpoint, carried)
        light = seen.light
        words = self.words_of(touchpoint, light.tap_id, light.reason)
        place = self.resort.touchpoint(touchpoint).name
        self.narrator.light(place, carried.name, green=light.light == "green", words=words)
        return seen

    def _unexpected(self, touchpoint: str, carried: Carried, seen: Seen, expected: str) -> StoryFailed:
        light = seen.light
        words = self.words_of(touchpoint, light.tap_id, light.reason)
        shown = f"{light.light} ({light.reason or light.decision}: {words})"
        return StoryFailed(f"{carried.name} at {touchpoint}: expected {expected}, saw {shown}")

    def _restarts(self, carried: Carried, touchpoint: str) -> int:
        # A chip is gone when the field was killed. A code is gone, too, when the edge was: it is sent once.
        names = [FIELD] if isinstance(carried, Band) else [FIELD, self.plan.edge_of(touchpoint)]
        return sum(self.supervisor.restarts(name) for name in names)

    def _wait(self, edge: str, what: str, arrived: Any) -> None:
        told: dict[str, Any] = {}
        patience = Patience(
            lambda: (told.get("position"), told.get("backlog"), told.get("online"), self.supervisor.moves())
        )
        while patience.lasts():
            self.supervisor.check()
            told = self.edges[edge].get("/status")
            if arrived(told):
                return
            time.sleep(_LOOK_S)
        state = {name: told.get(name) for name in ("online", "position", "backlog", "alarms", "last_errors")}
        raise StoryFailed(f"The edge {edge} did not {what} within {patience.waited_s:.0f} s: {state}")
