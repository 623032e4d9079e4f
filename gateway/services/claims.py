"""What is issued for a chip: the claims of its credential, and the epochs of its keys. Pure."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from gateway.db.rows import (
    ChipEpochRow,
    ChipRow,
    EncodingRow,
    EntitlementRow,
    Issue,
    IssuerKeyRow,
    KeyState,
    PartyRow,
    TapUseRow,
)
from gateway.services.documents import uses_in_order
from gateway.services.draft import Draft
from gateway.services.passes import CHIP_WITH_KEYS, chip_expires_at, rights_in_force
from wallet.credential import Credential, medium_tag
from wallet.grants import grants_for


def claims_for(draft: Draft, job: EncodingRow, party: PartyRow, at: datetime, chip_kind: str) -> Credential:
    """Return what the chip of a job is to say if it is issued at this instant."""
    keys = draft.find(IssuerKeyRow, state=KeyState.ACTIVE)
    assert keys, "a started gateway has an issuer key"
    key = max(keys, key=lambda key: key.epoch)
    rights = rights_in_force(draft.find(EntitlementRow, token_id=job.token_id))
    uses = uses_in_order(draft.find(TapUseRow, token_id=job.token_id))
    return Credential(
        token_id=job.token_id,
        medium_tag=medium_tag(job.medium_id),
        chip_uid=job.chip_uid,
        issued_at=at,
        expires_at=chip_expires_at(draft.resort, party),
        epoch=key.epoch,
        key_id=key.key_id,
        grants=grants_for(rights, at, draft.resort, uses),
        chip_keys=chip_kind == CHIP_WITH_KEYS,
    )


def in_force(draft: Draft, issued: Issue) -> bool:
    """Return whether readers still take what was issued: its epochs may have been retired since."""
    signed = bool(draft.find(IssuerKeyRow, epoch=issued.issuer_epoch, state=KeyState.ACTIVE))
    keyed = not issued.chip_epoch or bool(
        draft.find(ChipEpochRow, epoch=issued.chip_epoch, state=KeyState.ACTIVE)
    )
    return signed and keyed


def newest_chip_epoch(draft: Draft) -> int:
    """Return the epoch whose keys chips get now."""
    return max(row.epoch for row in draft.find(ChipEpochRow, state=KeyState.ACTIVE))


def content_of(claims: Credential) -> str:
    """Return what tells one credential from another of the same medium, but for when it was made."""
    said = msgspec.json.encode([claims.expires_at, claims.grants, claims.chip_keys])
    return hashlib.sha256(said).hexdigest()[:32]


def issue_of(draft: Draft, claims: Credential, chip_kind: str) -> Issue:
    """Return what is kept of claims that are issued for a chip of this kind."""
    epoch = newest_chip_epoch(draft) if chip_kind == CHIP_WITH_KEYS else 0
    return Issue(claims.issued_at, claims.epoch, epoch, claims.expires_at, content_of(claims))


def told(draft: Draft, job: EncodingRow, party: PartyRow, chip_kind: str) -> dict[str, Any]:
    """Return the claims and, for a chip with keys, the epochs of the keys it gets and may carry, newest first."""
    assert job.issued is not None, "only what was issued is told"
    claims = claims_for(draft, job, party, job.issued.at, chip_kind)
    answer: dict[str, Any] = {"medium_id": job.medium_id, "claims": msgspec.to_builtins(claims)}
    if job.issued.chip_epoch:
        chip = draft.get(ChipRow, job.chip_uid)
        # Since it was keyed last it may have been pulled away in any epoch; one never seen, in any at all.
        first = max(1, chip.key_epoch) if chip else 1
        others = [
            each for each in range(newest_chip_epoch(draft), first - 1, -1) if each != job.issued.chip_epoch
        ]
        answer["chip_epochs"] = [job.issued.chip_epoch, *others]
        # The master key changes last: what was read back with keys once can't have the factory's any more.
        answer["factory"] = chip is None or chip.key_epoch == 0
    return answer
