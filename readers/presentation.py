"""From a medium at a reader to what the rulebook is told: a verified credential, or why there is none."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from readers.drivers.base import ChipFault, ChipKind, Contact, ContactLost
from wallet import qr
from wallet.credential import CredentialFault, open_credential
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Presented


def present(contact: Contact, issuer_keys: Mapping[str, Ed25519PublicKey]) -> Presented:
    """Return what the contact shows. Never raises for what a guest may hold to the reader."""
    proof = Proof.QR if contact.chip_kind is ChipKind.QR else Proof.CHIP_UID
    try:
        data = contact.read_credential()
    except ContactLost:
        return Presented(proof, fault=Reason.MEDIUM_UNREADABLE)
    except ChipFault:
        return Presented(proof, fault=Reason.CREDENTIAL_MALFORMED)
    if data is None:
        return Presented(proof, fault=Reason.CREDENTIAL_MISSING)
    uid = "" if proof is Proof.QR else contact.uid.hex()
    try:
        if proof is Proof.QR:
            data = qr.decode(data.decode("ascii"))
        return Presented(proof, credential=open_credential(data, dict(issuer_keys), uid))
    except (qr.QrFault, UnicodeDecodeError):
        return Presented(proof, fault=Reason.CREDENTIAL_MALFORMED)
    except CredentialFault as fault:
        return Presented(proof, fault=fault.reason)
