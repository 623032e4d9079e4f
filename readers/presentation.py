"""From a medium at a reader to what the rulebook is told: a verified credential, or why there is none."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from readers.chips.verify import verify, verify_sun
from readers.clock import Entropy
from readers.custody import KeySource
from readers.drivers.base import ChipFault, ChipKind, Contact, ContactLost
from wallet import phone, qr
from wallet.chips import sun
from wallet.chips.keys import KeySlot
from wallet.chips.ndef import MalformedNdef, find_credential
from wallet.credential import CredentialFault, open_credential
from wallet.phone import PhoneFault
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Presented

IssuerKeys = Mapping[str, Ed25519PublicKey]


def present(
    contact: Contact, issuer_keys: IssuerKeys, custody: KeySource, slot: KeySlot | None, entropy: Entropy
) -> Presented:
    """Return what the contact shows. Never raises for what a guest may hold to the reader.

    Args:
        issuer_keys: key id → public key of those who sign credentials.
        slot: the key slot of this kind of touchpoint, None while it is not known what the touchpoint is.
    """
    try:
        proven = verify(contact, issuer_keys, custody, slot, entropy) if slot else None
        if proven is not None:
            return proven
        if contact.chip_kind is ChipKind.QR:
            return _code(contact.read_credential(), issuer_keys)
        return _plain(contact, contact.read_message(), issuer_keys, custody, slot)
    except ContactLost:
        return Presented(Proof.CHIP_UID, fault=Reason.MEDIUM_UNREADABLE)
    except (ChipFault, MalformedNdef):
        return Presented(Proof.CHIP_UID, fault=Reason.CREDENTIAL_MALFORMED)


def _plain(
    contact: Contact,
    message: bytes | None,
    issuer_keys: IssuerKeys,
    custody: KeySource,
    slot: KeySlot | None,
) -> Presented:
    """Return what a chip shows to anyone who reads it."""
    shown = sun.parse_record(message or b"")
    if shown is not None:
        # Only the gates' key can tell whether it is ours; elsewhere a band must prove itself.
        gate = slot is KeySlot.GATE
        return verify_sun(shown, custody) if gate else _fault(Proof.CHIP_UID, Reason.CHIP_NOT_PROVEN)
    if contact.is_random_uid:
        return _fault(Proof.CHIP_UID, Reason.RANDOM_IDENTITY)
    data = find_credential(message) if message else None
    if data is None:
        return _fault(Proof.CHIP_UID, Reason.CREDENTIAL_MISSING)
    return _opened(Proof.CHIP_UID, data, issuer_keys, contact.uid.hex())


def _code(text: bytes | None, issuer_keys: IssuerKeys) -> Presented:
    """Return what a scanned code shows: a credential alone, or one that the guest's phone signs each time."""
    try:
        data = qr.decode((text or b"").decode("ascii"))
        if not phone.is_phone_code(data):
            return _opened(Proof.QR, data, issuer_keys, "")
        code = phone.decode(data)
    except (qr.QrFault, UnicodeDecodeError, PhoneFault):
        return _fault(Proof.QR, Reason.CREDENTIAL_MALFORMED)
    opened = _opened(Proof.DEVICE_KEY, code.credential, issuer_keys, "")
    if opened.credential is None:
        return opened
    try:
        phone.check(code, opened.credential.device_key)
    except PhoneFault:
        return _fault(Proof.DEVICE_KEY, Reason.CREDENTIAL_FORGED)
    return Presented(
        Proof.DEVICE_KEY, credential=opened.credential, shown_at=code.shown_at, code_id=code.code_id
    )


def _opened(proof: Proof, data: bytes, issuer_keys: IssuerKeys, chip_uid: str) -> Presented:
    try:
        return Presented(proof, credential=open_credential(data, dict(issuer_keys), chip_uid))
    except CredentialFault as fault:
        return _fault(proof, fault.reason)


def _fault(proof: Proof, reason: Reason) -> Presented:
    return Presented(proof, fault=reason)
