"""Who a chip with keys is: asked with the reader key, proven with its own key for this kind of touchpoint.

Seven exchanges for a band in order, six where its UID is not hidden: select, authenticate (2), UID, credential,
authenticate (2). Only a band of an earlier epoch, or one that is no band of ours, costs more.
"""

from collections.abc import Collection, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from readers.chips.ntag424 import DATA_FILE, DATA_FILE_BYTES, WRONG_KEY, ChipRefused, NotGenuine, Ntag424
from readers.clock import Entropy
from readers.custody import EpochKey, KeySource
from readers.drivers.base import ChipFault, Contact, NoCommands
from wallet import compact
from wallet.chips.keys import KEY_NO, KeySlot
from wallet.chips.ntag424 import UID_BYTES
from wallet.chips.sun import SunMessage, authentic
from wallet.credential import CredentialFault, open_credential
from wallet.proof import Proof, SunRead
from wallet.reasons import Reason
from wallet.tap import Presented

_READER_KEY_NO = KEY_NO[KeySlot.READER]


def verify(
    contact: Contact,
    issuer_keys: Mapping[str, Ed25519PublicKey],
    custody: KeySource,
    slot: KeySlot,
    entropy: Entropy,
) -> Presented | None:
    """Return what a chip with keys shows, None for a medium that is none or that no key of ours opens.

    Raises:
        ContactLost: gone in the middle.
    """
    chip = Ntag424(contact, entropy)
    try:
        chip.select()
        reader_epoch = open_for_reading(chip, custody.reader_keys())
        if reader_epoch is None:
            return _unopened(chip, custody.reader_keys())
    except (NoCommands, ChipRefused):
        return None
    except NotGenuine:
        return _fault(Reason.CHIP_NOT_PROVEN)
    try:
        return _proven(chip, contact, issuer_keys, custody, slot, reader_epoch)
    except ChipRefused:
        # Our reader key opens it, and what should follow is not there: it was never finished.
        return _fault(Reason.MEDIUM_PENDING)
    except NotGenuine:
        return _fault(Reason.CHIP_NOT_PROVEN)
    except CredentialFault as fault:
        return _fault(fault.reason)


def verify_sun(message: SunMessage, custody: KeySource) -> Presented:
    """Return whose SUN message it is: the reader key opens it, the gate's key of that chip proves it."""
    shown = authentic(
        message,
        [key for _, key in custody.reader_keys()],
        lambda uid: (key for _, key in custody.slot_keys(KeySlot.GATE, uid)),
    )
    if shown is None:
        return _fault(Reason.CHIP_NOT_PROVEN)
    return Presented(Proof.SUN, sun=SunRead(shown.uid.hex(), shown.counter))


def credential_of(file: bytes, uid: bytes) -> bytes:
    """Return the signed credential that the chip's own file holds.

    Raises:
        CredentialFault: it holds none.
    """
    length, packed = file[0], file[1:]
    if not length:
        raise CredentialFault(Reason.MEDIUM_PENDING, "no credential was written yet")
    if length != compact.packed_bytes(packed):
        raise CredentialFault(Reason.CREDENTIAL_MALFORMED, "the file and its credential differ in length")
    return compact.unpack(packed[:length], uid.hex())


def open_for_reading(chip: Ntag424, keys: Collection[EpochKey]) -> int | None:
    """Authenticate with the first reader key that the chip takes and return its epoch; None when it takes none.

    Raises:
        ChipRefused: it knows no EV2 authentication.
    """
    for epoch, key in keys:
        try:
            chip.authenticate_first(_READER_KEY_NO, key)
        except ChipRefused as refusal:
            if refusal.status != WRONG_KEY:
                raise
            continue
        return epoch
    return None


def _proven(
    chip: Ntag424,
    contact: Contact,
    issuer_keys: Mapping[str, Ed25519PublicKey],
    custody: KeySource,
    slot: KeySlot,
    reader_epoch: int,
) -> Presented:
    hidden = contact.is_random_uid or len(contact.uid) != UID_BYTES
    uid = chip.card_uid() if hidden else contact.uid
    data = credential_of(chip.read_file(DATA_FILE, DATA_FILE_BYTES), uid)
    credential = open_credential(data, dict(issuer_keys), uid.hex())
    keys = custody.slot_keys(slot, uid)
    # A band is of one epoch but for the moments in which an encoder holds it: the one that opened it comes first.
    for tries, (_, key) in enumerate(sorted(keys, key=lambda each: each.epoch != reader_epoch)):
        if tries and open_for_reading(chip, custody.reader_keys()) is None:
            break
        try:
            chip.authenticate_non_first(KEY_NO[slot], key)
        except ChipRefused as refusal:
            if refusal.status != WRONG_KEY:
                return _fault(Reason.CHIP_NOT_PROVEN)
            continue
        return Presented(Proof.CHIP_KEY, credential=credential)
    return _unproven(chip, KEY_NO[slot], keys)


def _unopened(chip: Ntag424, known: Collection[EpochKey]) -> Presented | None:
    """Tell a band whose epoch this edge was not told of from a chip of somebody else's, which is None."""
    version = _version(chip, _READER_KEY_NO)
    return _fault(Reason.CHIP_KEY_UNKNOWN) if _is_strange(version, known) else None


def _unproven(chip: Ntag424, key_no: int, tried: Collection[EpochKey]) -> Presented:
    """Return why none of the keys fits: the chip's is of an epoch not known here, or it is a forgery."""
    strange = not tried or _is_strange(_version(chip, key_no), tried)
    return _fault(Reason.CHIP_KEY_UNKNOWN if strange else Reason.CHIP_NOT_PROVEN)


def _is_strange(version: int, known: Collection[EpochKey]) -> bool:
    return bool(version) and version not in {each.epoch for each in known}


def _version(chip: Ntag424, key_no: int) -> int:
    """Return a key's version outside of a session, 0 from a chip that does not tell."""
    try:
        chip.select()
        return chip.key_version(key_no)
    except ChipFault:
        return 0


def _fault(reason: Reason) -> Presented:
    return Presented(Proof.CHIP_UID, fault=reason)
