"""THE rulebook: what a tap is, what may be known when it happens, and the one way to decide it."""

from enum import StrEnum

from msgspec import Struct

from wallet.credential import Credential
from wallet.instant import Instant
from wallet.proof import Proof, SunRead
from wallet.reasons import Reason
from wallet.resort import Policies, Resort, Touchpoint
from wallet.token import TokenDocument, Use

RULEBOOK_VERSION = 5
"""Grows with each change of a verdict; a journal entry carries the version that decided it."""


class Presented(Struct, frozen=True, omit_defaults=True):
    """What the reader made of a medium: a verified credential or SUN message, or the reason why there is none.

    Args:
        shown_at: when a phone signed its code, on the phone's clock.
        code_id: names one code of a phone, so that the same one is known when it is shown again.
    """

    proof: Proof
    credential: Credential | None = None
    fault: Reason | None = None
    sun: SunRead | None = None
    shown_at: Instant | None = None
    code_id: str = ""


class SaleLine(Struct, frozen=True, omit_defaults=True):
    """One line of a sale; `amount_minor` is quantity × unit price, taxes included."""

    item: str
    quantity: int
    amount_minor: int
    tax: str


class Sale(Struct, frozen=True, omit_defaults=True):
    """What a till wants to be paid for."""

    sale_id: str
    outlet: str
    currency: str
    lines: tuple[SaleLine, ...]
    total_minor: int


class PinCheck(StrEnum):
    """What became of the PIN that was asked for."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_GIVEN = "not_given"


class Refused(Struct, frozen=True, tag="refused", tag_field="decision", omit_defaults=True):
    """Do not let the guest through; `detail` fills the gaps of the reason's sentence."""

    reason: Reason
    detail: dict[str, str] = {}


class HoldAnswer(StrEnum):
    """What the gateway said when asked to hold the amount."""

    HELD = "held"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class Hold(Struct, frozen=True, omit_defaults=True):
    """What became of asking the gateway to hold the amount; `refusal` says why it would not."""

    answer: HoldAnswer
    refusal: Refused | None = None


class Tap(Struct, frozen=True, omit_defaults=True):
    """One tap. `tap_id` is minted once by the reader; what was asked for comes back under the same id."""

    tap_id: str
    touchpoint: str
    reader: str
    at: Instant
    presented: Presented
    sale: Sale | None = None
    pin: PinCheck | None = None
    hold: Hold | None = None


class Facts(Struct, frozen=True):
    """Everything that may be known about a tap: the rulebook reads nothing else.

    Args:
        touchpoint: where the tap happens.
        resort: the resort's data and policies.
        token: the guest's document, or None when there is none here.
        uses: the document's uses and the local ones not yet in it, each tap once, in order of time.
        pin_tries: wrong PINs since the last right one, local ones included.
        as_of: the instant (gateway's clock) up to which this place knows all changes; None when it never knew any.
        online: whether the gateway answered recently; the gateway itself is always online.
        edge_offline_minor: what this edge has approved without the gateway and not yet brought home.
        token_offline_minor: the same for this token alone.
        sun_counter: the highest read counter known of the presented chip from other taps; -1 when none is.
        code_seen: whether another tap has shown the same code of a phone.
    """

    touchpoint: Touchpoint
    resort: Resort
    token: TokenDocument | None
    uses: tuple[Use, ...]
    pin_tries: int
    as_of: Instant | None
    online: bool
    edge_offline_minor: int = 0
    token_offline_minor: int = 0
    sun_counter: int = -1
    code_seen: bool = False

    @property
    def policies(self) -> Policies:
        """The resort's policies."""
        return self.resort.policies


class Flag(StrEnum):
    """What an approval leaves for someone to look at."""

    BY_GRANT = "by_grant"
    MEDIUM_NOT_YET_KNOWN = "medium_not_yet_known"
    OFFLINE = "offline"
    BY_SUN = "by_sun"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    LET_OUT = "let_out"
    """On the way out only: no right is known here, or the medium would let nobody in."""


class Approved(Struct, frozen=True, tag="approved", tag_field="decision", omit_defaults=True):
    """Let the guest through: by which right, which uses that makes, and what is to be looked at afterwards.

    `entitlement_id` is empty where a guest of whom no right is known is let out.
    """

    entitlement_id: str
    uses: tuple[Use, ...] = ()
    flags: tuple[Flag, ...] = ()


class Ask(StrEnum):
    """What has to be found out before this tap can be decided."""

    PIN = "pin"
    HOLD = "hold"


class Asks(Struct, frozen=True, tag="asks", tag_field="decision", omit_defaults=True):
    """Not decided yet: find out `what` and decide again under the same tap id."""

    what: Ask


Decision = Approved | Refused | Asks
