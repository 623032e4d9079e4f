"""The encoder: writes a guest's credential onto the next chip, and tells only what it read back."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from readers.backoff import Backoff
from readers.chips.personalise import identify, personalise, read_back
from readers.clock import Entropy
from readers.custody import KeySource
from readers.drivers.base import BadRecord, ChipKind, Contact, ContactLost, DriverError
from readers.store import Store, StoreUnwritable
from readers.transport.base import (
    EncodingDesk,
    EncodingJob,
    IssuedCredential,
    NotAccepted,
    TransportFault,
    Unreachable,
)
from readers.trust import Trust
from wallet.credential import CredentialFault, open_credential

log = logging.getLogger(__name__)

# What each chip's user memory (NXP data sheets: 144, 504, 888 B) leaves beside the NDEF wrapping.
_CAPACITY_BYTES = {
    ChipKind.NTAG213: 124,
    ChipKind.NTAG215: 484,
    ChipKind.NTAG216: 868,
    ChipKind.NTAG424: 234,
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
        self,
        desk: EncodingDesk,
        trust: Trust,
        store: Store,
        keys: KeySource,
        entropy: Entropy,
        backoff: Backoff,
        *,
        wait_s: float,
    ) -> None:
        """Args:
        store: remembers over a restart what has to be confirmed.
        keys: asks a band that hides its number who it is.
        wait_s: how long one request waits for a job.
        """
        self._desk = desk
        self._trust = trust
        self._keys = keys
        self._entropy = entropy
        self._backoff = backoff
        self._wait_s = wait_s
        self._jobs: tuple[EncodingJob, ...] = ()
        self._store = store
        # In memory too: a disk that takes nothing for a while keeps no band from being confirmed.
        self._owed = store.owed_confirmations()
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
        """Write the band that waits at this encoder, or what the chip itself is due; read it back and tell."""
        job = None
        try:
            if contact.chip_kind is ChipKind.QR:
                return Encoded(False, "A code can't be made a band.")
            uid = self._uid(contact)
            job = self._job_at(touchpoint) or self._desk.touch(touchpoint, uid.hex())
            return self._encode(job, contact, uid)
        except ContactLost:
            sentence = "The band left too early. Hold it to the encoder again."
        except (DriverError, NotAccepted) as no:
            sentence = str(no)
        except TransportFault as fault:
            self.last_error = str(fault)
            sentence = f"The gateway can't be asked now: {fault}"
        return Encoded(False, sentence, job.encoding_id if job else "")

    def waiting(self, touchpoint: str) -> tuple[str, ...]:
        """Return the encoding ids that wait at an encoder."""
        return tuple(
            job.encoding_id
            for job in self._jobs
            if job.encoder == touchpoint and job.encoding_id not in self._done
        )

    def _uid(self, contact: Contact) -> bytes:
        if contact.chip_kind is ChipKind.NTAG424:
            return identify(contact, self._keys, self._entropy)
        if contact.is_random_uid or not contact.uid:
            raise BadRecord("This can't be made a band: it has no number of its own.")
        return contact.uid

    def _encode(self, job: EncodingJob, contact: Contact, uid: bytes) -> Encoded:
        kind = contact.chip_kind
        capacity = _CAPACITY_BYTES.get(kind, _CAPACITY_UNKNOWN_BYTES)
        issued = self._desk.issue(job.encoding_id, uid.hex(), kind.value, capacity)
        try:
            self._write(job, contact, uid, issued)
        except ContactLost:
            raise
        except DriverError as fault:
            self._desk.confirm(job.encoding_id, ok=False, sentence=str(fault), medium_id=issued.medium_id)
            raise
        self._done.add(job.encoding_id)
        self._keep(job.encoding_id, lambda: self._store.owe_confirmation(job.encoding_id, issued.medium_id))
        try:
            with self._telling:
                self._owed[job.encoding_id] = issued.medium_id
                self._confirm(job.encoding_id)
        except NotAccepted:
            # Nobody may leave with it: the gateway lets it through nowhere.
            raise
        except TransportFault as fault:
            self.last_error = str(fault)
            return Encoded(
                True, "The band is written. The gateway is told as soon as it can be.", job.encoding_id
            )
        return Encoded(True, "The band is ready.", job.encoding_id)

    def _write(self, job: EncodingJob, contact: Contact, uid: bytes, issued: IssuedCredential) -> None:
        """Write what was issued and read it back as the resort's readers will."""
        data = bytes.fromhex(issued.credential)
        if not self._holds(data, uid.hex(), job.token_id):
            raise BadRecord("No reader would take what was issued for this band.")
        if issued.chip is not None:
            personalise(contact, issued.chip, data, self._entropy)
            keys = self._trust.issuer_keys
            read_back(contact, issued.chip, uid, keys, self._entropy, job.token_id)
            return
        contact.write_credential(data)
        if contact.read_credential() != data:
            raise BadRecord("The band doesn't hold what was written. Take another one.")

    def _tell(self) -> None:
        """Confirm what was written earlier. The gateway's no is final; TransportFault leaves the rest for later."""
        with self._telling:
            for encoding_id in tuple(self._owed):
                try:
                    self._confirm(encoding_id)
                except NotAccepted as refusal:
                    log.warning("encoding %s is not confirmed: %s", encoding_id, refusal)

    def _confirm(self, encoding_id: str) -> None:
        """Confirm one that is owed, and owe it no more once the gateway has answered, by a no (NotAccepted) too."""
        try:
            self._desk.confirm(encoding_id, ok=True, sentence="", medium_id=self._owed[encoding_id])
        except NotAccepted:
            # If its job still waits, which only the gateway knows, it is for the next touch.
            self._done.discard(encoding_id)
            self._jobs = tuple(job for job in self._jobs if job.encoding_id != encoding_id)
            self._settle(encoding_id)
            raise
        self._settle(encoding_id)

    def _settle(self, encoding_id: str) -> None:
        del self._owed[encoding_id]
        self._keep(encoding_id, lambda: self._store.settle_confirmation(encoding_id))

    def _keep(self, encoding_id: str, write: Callable[[], None]) -> None:
        try:
            write()
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
