"""What an edge asks of the gateway, and how asking may fail.

TransportFault
├── Unreachable     no answer, or one that asks to come again later: try again
├── Denied          the gateway doesn't accept this edge's signature: a person has to look
├── JournalRefused  the pushed entries don't continue what the gateway has
├── FeedGone        the feed can't be continued from there: a snapshot is needed
└── NotAccepted     the gateway understood and says no; the sentence says why
"""

from typing import Protocol

from msgspec import Struct

from wallet.chips.keys import KeySlot
from wallet.journal import JournalBatch, JournalReceipt
from wallet.snapshot import FeedBatch, Snapshot
from wallet.tap import Hold, Tap


class TransportFault(Exception):
    """Asking the gateway failed; the message is one plain sentence."""


class Unreachable(TransportFault):
    """No answer came, or one that asks to come again; `retry_after_s` says when, if it does."""

    def __init__(self, explanation: str, retry_after_s: float | None = None) -> None:
        super().__init__(explanation)
        self.retry_after_s = retry_after_s


class Denied(TransportFault):
    """The gateway doesn't accept this edge."""


class FeedGone(TransportFault):
    """The feed can't be continued from the position asked for."""


class NotAccepted(TransportFault):
    """The gateway understood and says no."""


class JournalRefused(TransportFault):
    """The entries don't continue what the gateway has: up to `acknowledged`, with chain value `head`.

    `position` is the feed's, up to which what those entries did is told; 0 from a gateway that doesn't say.
    """

    def __init__(self, explanation: str, acknowledged: int, head: str, position: int = 0) -> None:
        super().__init__(explanation)
        self.acknowledged = acknowledged
        self.head = head
        self.position = position


class Anchors(Struct, frozen=True, omit_defaults=True):
    """What an edge trusts, and the secrets of its kinds of touchpoint; all keys in hex.

    Args:
        issuer_keys: key id → public key.
        pin_pepper: only where PINs are taken.
        reader_keys: epoch → the key that asks a chip who it is.
        chip_masters: slot → epoch → master, only of kinds where bands must pass that are not known yet.
        version: changes with any of these; a feed batch that names another one has news of them.
    """

    edge: str
    venue: str
    issuer_keys: dict[str, str]
    pin_pepper: str | None = None
    resort_version: int = 0
    reader_keys: dict[int, str] = {}
    chip_masters: dict[KeySlot, dict[int, str]] = {}
    version: str = ""


class HoldRequest(Struct, frozen=True):
    """Asks the gateway to hold the amount of the tap's sale under the tap's id."""

    tap: Tap
    token_id: str


class EncodingJob(Struct, frozen=True):
    """A medium that the desk wants written at an encoder."""

    encoding_id: str
    token_id: str
    encoder: str
    kind: str


class IssuedCredential(Struct, frozen=True):
    """The credential (hex) to be written for a job, the same each time it is asked for the same chip."""

    credential: str
    medium_id: str
    chip: "ChipPlan | None" = None


class ChipKeySet(Struct, frozen=True):
    """All keys of one chip in one epoch: slot → 16 bytes in hex."""

    epoch: int
    keys: dict[KeySlot, str]


class ChipPlan(Struct, frozen=True):
    """How a chip with keys is to be personalised. Held in memory only, for the chip that lies on the encoder.

    Args:
        keys: the keys to be written.
        before: what the chip may carry from earlier, newest first.
        sun_url: the address of its SUN message.
        random_uid: whether it is to hide its UID from strangers, which can't be undone.
        factory: whether it may still carry factory keys. Not once it was read back as a band: what has a band's UID
            and factory keys then would be an emulator that wants the band's keys.
    """

    keys: ChipKeySet
    before: tuple[ChipKeySet, ...] = ()
    sun_url: str = ""
    random_uid: bool = True
    factory: bool = True


class Transport(Protocol):
    """The gateway, as an edge that runs readers needs it. Every method may raise Unreachable or Denied."""

    def anchors(self) -> Anchors:
        """Return what is to be trusted now."""
        ...

    def snapshot(self, after: str | None, position: int | None, mark: str = "") -> Snapshot:
        """Return the page that follows token id `after` of the run at `position`; a new run's first for None.

        Args:
            mark: the one that came with `position`.
        Raises:
            FeedGone: the pages before were told by the gateway's ledger as it was before it was restored.
        """
        ...

    def feed(self, after: int, wait_s: float, mark: str = "") -> FeedBatch:
        """Return what follows position `after`, waiting up to `wait_s` seconds for something to happen.

        Args:
            mark: the one that came with `after`, empty when none did.
        Raises:
            FeedGone: it can't be continued from there.
        """
        ...

    def push(self, batch: JournalBatch) -> JournalReceipt:
        """Bring entries home and return what the gateway has. Sending a batch again is harmless.

        Raises:
            JournalRefused: the entries don't continue what the gateway has.
        """
        ...

    def hold(self, request: HoldRequest) -> Hold:
        """Return the answer, UNREACHABLE when none came in time. Never raises a TransportFault."""
        ...

    def answered_at_s(self) -> float | None:
        """Return when the gateway last answered, on the clock's elapsed seconds; None before that."""
        ...


class EncodingDesk(Protocol):
    """The gateway, as an encoder needs it. Every method may raise Unreachable or Denied."""

    def jobs(self, wait_s: float) -> tuple[EncodingJob, ...]:
        """Return the jobs that wait for this edge's encoders, waiting up to `wait_s` seconds for one."""
        ...

    def touch(self, encoder: str, chip_uid: str) -> EncodingJob:
        """Return what is to be done with a chip that was held to an encoder without a job waiting there.

        Raises:
            NotAccepted: nothing is; the sentence says so.
        """
        ...

    def issue(self, encoding_id: str, chip_uid: str, chip_kind: str, capacity_bytes: int) -> IssuedCredential:
        """Return the credential for that chip.

        Raises:
            NotAccepted: the chip can't be used for this job; the sentence says why.
        """
        ...

    def confirm(self, encoding_id: str, *, ok: bool, sentence: str, medium_id: str) -> None:
        """Tell that the credential was read back from the chip, or why it was not written.

        Args:
            medium_id: what was issued for that chip; empty when it is not known any more. Told late, it lets no other
                chip through that the job was given to meanwhile.
        Raises:
            NotAccepted: the band goes into service nowhere; the sentence says why.
        """
        ...
