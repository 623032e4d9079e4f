"""The claims of a credential: what a chip or a phone is given to show. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from gateway.db.rows import EntitlementRow, IssuerKeyRow, MediumRow, PartyRow
from gateway.errors import Rejection
from gateway.services.booked import visit_ends_at
from wallet.compact import pack
from wallet.credential import CREDENTIAL_BYTES_MAX, Credential, medium_tag
from wallet.entitlement import Entitlement
from wallet.grants import grants_for
from wallet.medium import MediumKind, MediumState
from wallet.resort import Resort
from wallet.token import Use

CHIP_FILE_BYTES = 128
"""The proprietary file of an NTAG 424 DNA (NT4H2421Gx, 8.2.2): a length byte and the credential in its short form."""

CHIP_WITH_KEYS = "ntag424"
"""The kind of chip that has keys of its own, in an encoder's words."""

OUTLASTS = timedelta(days=2)
"""How long a chip's credential is good beyond the booked days: the rights themselves end before it."""


def chip_expires_at(resort: Resort, party: PartyRow) -> datetime:
    """Return when the credential on a party's bands and cards ends."""
    return visit_ends_at(resort, party) + OUTLASTS


def rights_in_force(rows: Iterable[EntitlementRow]) -> tuple[Entitlement, ...]:
    """Return the rights that were not revoked, in order of their ids."""
    return tuple(row.body for row in sorted(rows, key=lambda row: row.id) if row.revoked_at is None)


def phone_of(media: Iterable[MediumRow], medium_id: str = "") -> MediumRow:
    """Return the phone of this id, without one the phone that a token was added to last.

    Raises:
        Rejection: there is none that is active.
    """
    phones = [
        each
        for each in media
        if each.kind is MediumKind.PHONE and each.state is MediumState.ACTIVE and medium_id in ("", each.id)
    ]
    if not phones:
        raise Rejection("no_phone", 409, "Add a phone to this guest first.")
    return max(phones, key=lambda phone: (phone.issued_at, phone.id))


def phone_claims(
    phone: MediumRow,
    party: PartyRow,
    rights: tuple[Entitlement, ...],
    uses: tuple[Use, ...],
    key: IssuerKeyRow,
    at: datetime,
    resort: Resort,
) -> Credential:
    """Return what a phone shows: for a while where its own key signs each code, else for the next moments only.

    Raises:
        Rejection: the visit is over.
    """
    return Credential(
        token_id=phone.token_id,
        medium_tag=medium_tag(phone.id),
        chip_uid="",
        issued_at=at,
        expires_at=_phone_expires_at(phone, party, at, resort),
        epoch=key.epoch,
        key_id=key.key_id,
        grants=grants_for(rights, at, resort, uses),
        device_key=bytes.fromhex(phone.device_key),
    )


def _phone_expires_at(phone: MediumRow, party: PartyRow, at: datetime, resort: Resort) -> datetime:
    if not phone.device_key:
        return at + timedelta(seconds=resort.policies.pass_valid_s)
    visit_ends = visit_ends_at(resort, party)
    if visit_ends <= at:
        raise Rejection("visit_over", 409, "This visit is over.")
    return min(at + timedelta(seconds=resort.policies.phone_credential_s), visit_ends)


def packed_size(signed: bytes) -> int:
    """Return how many bytes a chip with keys needs for a credential; more than it has where it can't be packed."""
    try:
        return 1 + len(pack(signed))
    except ValueError:
        return CHIP_FILE_BYTES + 1


def fitted(
    credential: Credential, sign: Callable[[Credential], bytes], bytes_max: int = CREDENTIAL_BYTES_MAX
) -> bytes:
    """Return the signed credential with as many of its grants, soonest to end first, as the medium has room for.

    A chip with keys has its own room, whatever `bytes_max` says, and holds the credential in its short form.

    Raises:
        Rejection: not even without grants does it fit.
    """
    for count in range(len(credential.grants), -1, -1):
        signed = sign(msgspec.structs.replace(credential, grants=credential.grants[:count]))
        if credential.chip_keys:
            fits = packed_size(signed) <= CHIP_FILE_BYTES
        else:
            fits = len(signed) <= min(bytes_max, CREDENTIAL_BYTES_MAX)
        if fits:
            return signed
    raise Rejection("chip_too_small", 409, "This chip has too little room for a pass. Take another one.")
