"""Taps as guests make them: hold the band there, wait for the light, take it away; again if there was none."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.beats import Beats
from simulators.demo.faults import Refused, StoryFailed
from simulators.demo.field_control import FieldControl
from simulators.lamps import Lamps, Light
from wallet.reasons import Reason

LIGHT_WAIT_S = 6.0
TRIES_MAX = 8

# What a guest does again without a thought: the band was moved too early, or the reader had just been started.
_TRY_AGAIN = {Reason.MEDIUM_UNREADABLE, Reason.CREDENTIAL_MALFORMED, Reason.JOURNAL_FULL}
# What one reads after a tap whose light never came because its edge died between journal and lamp.
_SPENT_UNSEEN = {
    Reason.ALREADY_INSIDE,
    Reason.RESERVATION_REDEEMED,
    Reason.VEHICLES_ALL_INSIDE,
    Reason.VEHICLE_NOT_INSIDE,
}


@dataclass(frozen=True)
class Band:
    """A chip on a wrist."""

    chip: str
    owner: str

    @property
    def name(self) -> str:
        """How the story calls it."""
        return f"{self.owner}'s band"


@dataclass
class Phone:
    """A phone that signs a fresh code each time; between, it needs no network."""

    owner: str
    medium_id: str
    credential: Callable[[], str]
    """What the phone keeps, in hex."""
    now: Callable[[], datetime]
    picture: str = ""
    """The code that was shown last, as a picture of the screen would have it."""
    _shown_at: datetime | None = None

    @property
    def name(self) -> str:
        """How the story calls it."""
        return f"{self.owner}'s phone"

    def moment(self) -> datetime:
        """Return the moment of the next code, of a later second than the one before: each code is good once."""
        at = self.now().replace(microsecond=0)
        if self._shown_at is not None:
            at = max(at, self._shown_at + timedelta(seconds=1))
        self._shown_at = at
        return at


@dataclass(frozen=True)
class Screenshot:
    """A picture of a phone's screen in another hand."""

    owner: str
    code: str

    @property
    def name(self) -> str:
        """How the story calls it."""
        return "A screenshot"


Carried = Band | Phone | Screenshot


@dataclass(frozen=True)
class Seen:
    """What came of a tap: the last light, and how often it was tried without any."""

    light: Light
    unseen: int

    @property
    def is_green(self) -> bool:
        """Whether the guest was let through, now or by the try before whose light never came."""
        return self.light.light == "green" or self.was_spent_unseen

    @property
    def was_spent_unseen(self) -> bool:
        """Whether the right was spent by a try whose light never came."""
        return self.unseen > 0 and self.light.reason in _SPENT_UNSEEN


class Hands:
    """Makes taps through the emulated chips and codes, never around them."""

    def __init__(
        self, field: FieldControl, lamps: Lamps, beats: Beats, restarts: Callable[[Carried, str], int]
    ) -> None:
        """Args:
        beats: counts the taps.
        restarts: how often what holds the medium to a touchpoint's reader was started again; a light that is
            waited for over that may never come.
        """
        self._field = field
        self._lamps = lamps
        self._beats = beats
        self._restarts = restarts

    def tap(self, touchpoint: str, carried: Carried) -> Seen:
        """Tap until a light says something final, and return it.

        Raises:
            StoryFailed: no light after many tries.
        """
        unseen = 0
        for _ in range(TRIES_MAX):
            light = self.tap_once(touchpoint, carried)
            if light is None:
                unseen += 1
            elif light.reason not in _TRY_AGAIN:
                return Seen(light, unseen)
        raise StoryFailed(f"{carried.name} was held to {touchpoint} {TRIES_MAX} times without a verdict.")

    def tap_once(self, touchpoint: str, carried: Carried) -> Light | None:
        """Hold it there once and return the light, None when there was none."""
        self._beats.tick()
        mark = self._lamps.mark()
        before = self._restarts(carried, touchpoint)

        def in_vain() -> bool:
            return self._restarts(carried, touchpoint) != before

        if not isinstance(carried, Band):
            try:
                self._show(f"{touchpoint}-qr", carried)
            except Refused:
                return None  # its edge is just being started again
            return self._lamps.wait(touchpoint, mark, LIGHT_WAIT_S, in_vain)
        reader = f"{touchpoint}-nfc"
        self._field.present(reader, carried.chip)
        try:
            return self._lamps.wait(touchpoint, mark, LIGHT_WAIT_S, in_vain)
        finally:
            self._field.remove(reader)

    def _show(self, scanner: str, carried: Phone | Screenshot) -> None:
        if isinstance(carried, Screenshot):
            self._field.show(scanner, carried.code)
            return
        carried.picture = self._field.show_pass(
            scanner, carried.medium_id, carried.credential(), carried.moment()
        )

    def final_light(self, tap_id: str) -> Light | None:
        """Return the last light of a tap that was asked for a PIN, None when it never comes."""
        return self._lamps.wait_final(tap_id, LIGHT_WAIT_S)
