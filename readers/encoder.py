"""The encoder: writes a guest's credential onto the next chip, and tells only what it read back."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from readers.backoff import Backoff
from readers.drivers.base import ChipKind, Contact, ContactLost, DriverError
from readers.store import Store, StoreUnwritable
from readers.transport.base import EncodingDesk, EncodingJob, NotAccepted, TransportFault, Unreachable
from readers.trust import Trust
from wallet.credential import CredentialFault, open_credential

log = logging.getLogger(__name__)

# What each chip's user memory (NXP data sheets: 144, 504, 888 B) leaves beside the NDEF wrapping.
_CAPACITY_BYTES = {
    ChipKind.NTAG213: 124,
    ChipKind.NTAG215: 484,
    ChipKind.NTAG216: 868,
    ChipKind.TYPE4: 234,
}
_CAPACITY_UNKNOWN_BYTES = 124


@dataclass(frozen=True)
class Encoded:
    """What came of holding a chip to an encoder."""

    ok: bool
    sentence: str
    encoding_id: str = ""


class Encoder:
    """Serves the encoders of one edge. A job stays waiting until its credential was read back from a chip.

    What was read back and could not be told, since the network was cut just then, is told once there is a network,
    also by an edge that was started anew meanwhile: until then its job is not offered to another chip.
    """

    def __init__(
        self, desk: EncodingDesk, trust: Trust, store: Store, backoff: Backoff, *, wait_s: float
    ) -> None:
        """`wait_s`: how long one request waits for a job."""
        self._desk = desk
        self._trust = trust
        self._backoff = backoff
        self._wait_s = wait_s
        self._jobs: tuple[EncodingJob, ...] = ()
        self._store = store
        # In memory too: a disk that takes nothing for a while keeps no band from being confirmed.
        self._owed = dict.fromkeys(store.owed_confirmations())
        self._done = set(self._owed)
        self._telling = threading.Lock()
        self.last_error = ""

    def run(self, stop: threading.Event) -> None:
        """Keep the waiting jobs at hand until `stop` is set."""
        while not stop.is_set():
            try:
                self._tell()
                before = self._jobs
                self._fetch(self._wait_s)
                # A job that waits for its chip answers at once; there is no need to ask more than that.
                if before and self._jobs == before:
                    stop.wait(1.0)
            except TransportFault as fault:
                self.last_error = str(fault)
                stop.wait(
                    self._backoff.pause_s(fault.retry_after_s if isinstance(fault, Unreachable) else None)
                )
                continue
            self._backoff.succeed()
            self.last_error = ""

    def take(self, touchpoint: str, contact: Contact) -> Encoded:
        """Write the credential of the job that waits at this encoder, read it back and confirm it."""
        try:
            job = self._job_at(touchpoint)
            if job is None:
                return Encoded(False, "No band waits to be written here. Start it at the desk first.")
            return self._encode(job, contact)
        except TransportFault as fault:
            self.last_error = str(fault)
            return Encoded(False, f"The gateway can't be asked now: {fault}")

    def waiting(self, touchpoint: str) -> tuple[str, ...]:
        """Return the encoding ids that wait at an encoder."""
        return tuple(
            job.encoding_id
            for job in self._jobs
            if job.encoder == touchpoint and job.encoding_id not in self._done
        )

    def _encode(self, job: EncodingJob, contact: Contact) -> Encoded:
        if contact.chip_kind is ChipKind.QR or contact.is_random_uid or not contact.uid:
            return Encoded(False, "This can't be made a band: it has no number of its own.", job.encoding_id)
        uid = contact.uid.hex()
        capacity = _CAPACITY_BYTES.get(contact.chip_kind, _CAPACITY_UNKNOWN_BYTES)
        try:
            issued = self._desk.issue(job.encoding_id, uid, contact.chip_kind.value, capacity)
        except NotAccepted as refusal:
            return Encoded(False, str(refusal), job.encoding_id)
        data = bytes.fromhex(issued.credential)
        try:
            contact.write_credential(data)
            read = contact.read_credential()
        except ContactLost:
            return Encoded(False, "The band left too early. Hold it to the encoder again.", job.encoding_id)
        except DriverError as fault:
            self._desk.confirm(job.encoding_id, ok=False, sentence=str(fault))
            return Encoded(False, str(fault), job.encoding_id)
        if read != data or not self._holds(data, uid, job.token_id):
            sentence = "The band doesn't hold what was written. Take another one."
            self._desk.confirm(job.encoding_id, ok=False, sentence=sentence)
            return Encoded(False, sentence, job.encoding_id)
        self._done.add(job.encoding_id)
        self._owed[job.encoding_id] = None
        self._keep(self._store.owe_confirmation, job.encoding_id)
        try:
            self._tell()
        except TransportFault as fault:
            self.last_error = str(fault)
            return Encoded(
                True, "The band is written. The gateway is told as soon as it can be.", job.encoding_id
            )
        return Encoded(True, "The band is ready.", job.encoding_id)

    def _tell(self) -> None:
        """Confirm what was written. The gateway's no is final; TransportFault leaves the rest for later."""
        with self._telling:
            for encoding_id in tuple(self._owed):
                try:
                    self._desk.confirm(encoding_id, ok=True, sentence="")
                except NotAccepted as refusal:
                    log.warning("encoding %s is not confirmed: %s", encoding_id, refusal)
                del self._owed[encoding_id]
                self._keep(self._store.settle_confirmation, encoding_id)

    def _keep(self, write: Callable[[str], None], encoding_id: str) -> None:
        try:
            write(encoding_id)
        except StoreUnwritable as fault:
            self.last_error = str(fault)
            log.error("encoding %s: %s", encoding_id, fault)

    def _holds(self, data: bytes, uid: str, token_id: str) -> bool:
        try:
            credential = open_credential(data, dict(self._trust.issuer_keys), uid)
        except CredentialFault as fault:
            log.error("the gateway issued a credential that no reader would take: %s", fault)
            return False
        return credential.token_id == token_id

    def _job_at(self, touchpoint: str) -> EncodingJob | None:
        for fresh in (False, True):
            if fresh:
                self._fetch(0.0)
            waiting = self.waiting(touchpoint)
            if waiting:
                return next(job for job in self._jobs if job.encoding_id == waiting[0])
        return None

    def _fetch(self, wait_s: float) -> None:
        self._jobs = self._desk.jobs(wait_s)
        self._done &= {job.encoding_id for job in self._jobs} | self._owed.keys()
