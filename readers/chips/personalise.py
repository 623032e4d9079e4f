"""The making of a band from an NTAG 424 DNA, so that a touch torn anywhere is finished by the next.

Every step says the same when it is done again: a key's version on the chip tells whether it was changed, files and
settings are written as they shall be, and the master key, under which all of it happens, is changed last. The UID is
hidden only once the reader key is ours, by which the chip can be asked for it.
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from readers.chips.ntag424 import (
    DATA_FILE,
    DATA_FILE_BYTES,
    NDEF_FILE,
    WRONG_KEY,
    ChipRefused,
    Ntag424,
)
from readers.chips.verify import open_for_reading, verify, verify_sun
from readers.clock import Entropy
from readers.custody import EpochKey, KeySource
from readers.drivers.base import ChipFault, Contact
from readers.transport.base import ChipPlan
from wallet import compact
from wallet.chips import sun
from wallet.chips.keys import FACTORY_KEY, KEY_NO, KeySlot
from wallet.chips.ntag424 import UID_BYTES
from wallet.proof import Proof

_MASTER = KEY_NO[KeySlot.ENCODER]
_FACTORY_EPOCH = 0
_CHANGED_BY_MASTER = (KeySlot.READER, KeySlot.DOOR, KeySlot.GATE, KeySlot.TILL)
_SLOTS_AT_READERS = (KeySlot.DOOR, KeySlot.GATE, KeySlot.TILL)

# NT4H2421Gx, 10.7.1: file option; access rights RW ‖ change, read ‖ write; a key's number, E free, F never.
_DATA_SETTINGS = bytes([0x03, 0x00, 0x4F])
_NDEF_SETTINGS = bytes([0x40, 0x00, 0xE0])
# SDM options (UID, counter, ASCII), then rights: F ‖ counter's, meta data's ‖ file's.
_SDM_SETTINGS = bytes([0xC1, 0xF2, 0x42])


class Strange(ChipFault):
    """The chip holds keys that are not ours, or does not keep what is written: it can't be made a band."""


class PlanKeys:
    """The keys of one plan as a custody has them, for reading back."""

    def __init__(self, plan: ChipPlan) -> None:
        self._keys = plan.keys

    def reader_keys(self) -> tuple[EpochKey, ...]:
        """Return the reader key of the plan."""
        return self.slot_keys(KeySlot.READER, b"")

    def slot_keys(self, slot: KeySlot, uid: bytes) -> tuple[EpochKey, ...]:
        """Return the plan's key; it was made for one chip."""
        return (EpochKey(self._keys.epoch, bytes.fromhex(self._keys.keys[slot])),)


def identify(contact: Contact, keys: KeySource, entropy: Entropy) -> bytes:
    """Return the chip's own UID: shown to anyone by a blank chip, told under a reader key by a band.

    Raises:
        Strange: it hides its UID and takes no reader key of ours.
        ContactLost: gone in the middle.
    """
    if not contact.is_random_uid and len(contact.uid) == UID_BYTES:
        return contact.uid
    chip = Ntag424(contact, entropy)
    chip.select()
    if open_for_reading(chip, keys.reader_keys()) is None:
        raise Strange("This band hides its number and is not one of ours.")
    return chip.card_uid()


def personalise(contact: Contact, plan: ChipPlan, credential: bytes, entropy: Entropy) -> None:
    """Bring the chip to what the plan says, from wherever it stands.

    Raises:
        Strange: it holds other keys than the plan's, and the factory's only where the plan takes them.
        ChipFault: it refuses or answers wrongly.
        ContactLost: gone in the middle; the next touch goes on from there.
    """
    chip = Ntag424(contact, entropy)
    master = _authenticate(chip, plan)
    for slot in _CHANGED_BY_MASTER:
        _change_key(chip, plan, slot)
    _write_credential(chip, credential)
    _write_address(chip, plan.sun_url)
    if plan.random_uid and not contact.is_random_uid:
        chip.set_random_uid()
    if master.epoch != plan.keys.epoch:
        new = bytes.fromhex(plan.keys.keys[KeySlot.ENCODER])
        chip.change_key(_MASTER, master.key, new, plan.keys.epoch)


def read_back(
    contact: Contact,
    plan: ChipPlan,
    uid: bytes,
    issuer_keys: Mapping[str, Ed25519PublicKey],
    entropy: Entropy,
    token_id: str,
) -> None:
    """Return if a door, a gate, a till and a guest's phone would all take the band for this guest's.

    Raises:
        Strange: one of them would not.
        ContactLost: gone in the middle.
    """
    keys = PlanKeys(plan)
    for slot in _SLOTS_AT_READERS:
        shown = verify(contact, issuer_keys, keys, slot, entropy)
        credential = shown.credential if shown and shown.proof is Proof.CHIP_KEY else None
        if credential is None or credential.token_id != token_id or credential.chip_uid != uid.hex():
            why = f" ({shown.fault.value})" if shown and shown.fault else ""
            raise Strange(
                f"The band doesn't prove itself as a {slot.value} asks it to{why}. Take another one."
            )
    if plan.sun_url:
        message = sun.parse_record(contact.read_message() or b"")
        read = verify_sun(message, keys).sun if message else None
        if read is None or read.chip_uid != uid.hex():
            raise Strange("The band's web address doesn't prove itself. Take another one.")


def _authenticate(chip: Ntag424, plan: ChipPlan) -> EpochKey:
    """Open a session under the master key, whichever it is by now, and return that key."""
    known = {each.epoch: bytes.fromhex(each.keys[KeySlot.ENCODER]) for each in (*plan.before, plan.keys)}
    if plan.factory:
        known[_FACTORY_EPOCH] = FACTORY_KEY
    chip.select()
    version = chip.key_version(_MASTER)
    # The chip says which it holds; where it has another word for it, each is tried, the newest first.
    for epoch in sorted(known, key=lambda each: (each != version, -each)):
        try:
            chip.authenticate_first(_MASTER, known[epoch])
        except ChipRefused as refusal:
            if refusal.status != WRONG_KEY:
                raise
            continue
        return EpochKey(epoch, known[epoch])
    raise _not_ours(version)


def _change_key(chip: Ntag424, plan: ChipPlan, slot: KeySlot) -> None:
    """Change one key unless its version says that it was; the version also names the key that it is now."""
    version = chip.key_version(KEY_NO[slot])
    if version == plan.keys.epoch:
        return
    old = {each.epoch: bytes.fromhex(each.keys[slot]) for each in plan.before}
    if plan.factory:
        old[_FACTORY_EPOCH] = FACTORY_KEY
    if version not in old:
        raise _not_ours(version)
    chip.change_key(KEY_NO[slot], old[version], bytes.fromhex(plan.keys.keys[slot]), plan.keys.epoch)


def _not_ours(version: int) -> Strange:
    """Return what to say of a key that is none of the plan's; one of the factory's was ours once, by its number."""
    if version == _FACTORY_EPOCH:
        return Strange(
            "This chip has a band's number and factory keys: it may be a copy. Take another one, and keep this one."
        )
    return Strange("This chip's keys are not ours. Take another one.")


def _write_credential(chip: Ntag424, credential: bytes) -> None:
    packed = compact.pack(credential)
    content = (bytes([len(packed)]) + packed).ljust(DATA_FILE_BYTES, b"\x00")
    if len(content) > DATA_FILE_BYTES:
        raise Strange("The credential doesn't fit in the band.")
    chip.change_file_settings(DATA_FILE, _DATA_SETTINGS)
    # A band in service that holds it already is not put at risk by writing it again.
    if chip.read_file(DATA_FILE, DATA_FILE_BYTES) != content:
        chip.write_file(DATA_FILE, content)


def _write_address(chip: Ntag424, url: str) -> None:
    """Write the web address that the chip fills anew at each read, or an empty message where there is none."""
    if not url:
        chip.change_file_settings(NDEF_FILE, bytes([0x00]) + _NDEF_SETTINGS[1:])
        chip.write_file_plain(NDEF_FILE, bytes(2))
        return
    template = sun.template(url)
    chip.write_file_plain(NDEF_FILE, template.file)
    offsets = (template.picc_offset, template.mac_offset, template.mac_offset)
    packed = b"".join(each.to_bytes(3, "little") for each in offsets)
    chip.change_file_settings(NDEF_FILE, _NDEF_SETTINGS + _SDM_SETTINGS + packed)
