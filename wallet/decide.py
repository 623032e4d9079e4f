"""The one way to decide a tap, at an edge and at the gateway alike."""

from datetime import timedelta

from msgspec.structs import replace

from wallet.credential import AdmissionGrant, Credential
from wallet.entitlement import Admission, Entitlement, RoomKey
from wallet.grants import named
from wallet.medium import Medium, MediumState
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.resort import TouchpointKind
from wallet.rules import admission, bypass, parking, photo, proof, room, spending, travel
from wallet.rules.say import moment
from wallet.tap import Approved, Decision, Facts, Flag, Refused, Tap
from wallet.token import TokenDocument

GRANT_PREFIX = "grant:"
"""Begins the id of a right that was read from the credential and not from the facts."""

_RULES = {
    TouchpointKind.DOOR: room.decide,
    TouchpointKind.PARKING_LANE: parking.decide,
    TouchpointKind.PARK_GATE: admission.decide,
    TouchpointKind.TILL: spending.decide,
    TouchpointKind.PHOTO_POINT: photo.decide,
    TouchpointKind.BYPASS_ENTRANCE: bypass.decide_entrance,
    TouchpointKind.MERGE_POINT: bypass.decide_merge,
}


def decide(tap: Tap, facts: Facts) -> Decision:
    """Return the verdict for one tap. Pure: time is in the tap, knowledge in the facts, and nothing else is read."""
    rule = _RULES.get(facts.touchpoint.kind)
    if rule is None:
        return Refused(Reason.EDGE_OUT_OF_DATE)
    refusal = proof.refuse(tap, facts)
    if refusal is not None:
        return refusal
    credential = tap.presented.credential
    attraction_kinds = (TouchpointKind.BYPASS_ENTRANCE, TouchpointKind.MERGE_POINT)
    if facts.touchpoint.kind in attraction_kinds and not facts.resort.has_attraction(facts.touchpoint.place):
        return Refused(Reason.EDGE_OUT_OF_DATE)
    if credential is not None and tap.at >= credential.expires_at:
        return Refused(Reason.CREDENTIAL_EXPIRED, {"expired_at": moment(credential.expires_at, facts.resort)})
    younger = credential is not None and _is_younger_than_facts(credential, facts)
    # Nobody is held inside: what stops a medium on its way in does not on its way out.
    leaves = facts.touchpoint.is_way_out
    refusal = _refuse_medium(tap, facts, younger)
    if refusal is None and _facts_too_old(tap, facts):
        refusal = Refused(Reason.FACTS_TOO_OLD)
    if refusal is not None and not leaves:
        return refusal
    rights = facts.token.entitlements if facts.token else ()
    if credential is not None and younger and _grants_count(facts):
        rights += tuple(right for right in _granted(credential) if not _is_known(right, rights))
    if facts.token is None and not rights and not leaves:
        # Who knows everything up to after the credential was made knows that there is nothing for this guest here.
        return Refused(Reason.TOKEN_UNKNOWN if younger else Reason.NOT_ENTITLED)
    if facts.token is not None and facts.token.closed and not leaves:
        return Refused(Reason.NOT_ENTITLED)
    decision = rule(tap, _without_this_tap(tap, facts), rights)
    if facts.token is None and leaves and isinstance(decision, Refused):
        decision = Approved("")  # Who is known nowhere here is let out, whatever the grants are for.
    if isinstance(decision, Approved):
        return _flagged(decision, tap, facts, refusal)
    return decision


def _without_this_tap(tap: Tap, facts: Facts) -> Facts:
    """A tap never stands in its own way: decided again with its own use known, it gets the same verdict."""
    others = tuple(use for use in facts.uses if use.tap_id != tap.tap_id)
    return facts if len(others) == len(facts.uses) else replace(facts, uses=others)


def _is_younger_than_facts(credential: Credential, facts: Facts) -> bool:
    """Both instants are the gateway's, so no clock at the edge can bend the answer."""
    return facts.as_of is None or credential.issued_at > facts.as_of


def _medium(tap: Tap, token: TokenDocument) -> Medium | None:
    """Return the medium that was presented: named by the credential, or by the chip itself."""
    shown = tap.presented
    if shown.credential is not None:
        return token.medium(shown.credential.medium_tag)
    return token.medium_on(shown.sun.chip_uid) if shown.sun else None


def _refuse_medium(tap: Tap, facts: Facts, younger: bool) -> Refused | None:
    if facts.token is None:
        return None
    medium = _medium(tap, facts.token)
    if medium is None:
        return None if younger else Refused(Reason.MEDIUM_UNKNOWN)
    if medium.revoked_at is not None and medium.is_revoked(tap.at):
        return Refused(Reason.MEDIUM_REVOKED, {"revoked_at": moment(medium.revoked_at, facts.resort)})
    if medium.revoked_at is None and medium.state is MediumState.REVOKED:
        return Refused(Reason.MEDIUM_UNKNOWN)
    if medium.state is MediumState.PENDING and tap.presented.proof is not Proof.CHIP_UID:
        # A whole credential on its own chip shows that it was written, whether or not the encoder could say so.
        return Refused(Reason.MEDIUM_PENDING)
    return None


def _facts_too_old(tap: Tap, facts: Facts) -> bool:
    lease_s = facts.policies.lease_s(facts.touchpoint)
    if facts.online or facts.as_of is None or lease_s is None:
        return False
    return tap.at - facts.as_of > timedelta(seconds=lease_s)


def _grants_count(facts: Facts) -> bool:
    match facts.touchpoint.kind:
        case TouchpointKind.DOOR:
            return facts.policies.unknown_at_doors
        case TouchpointKind.TILL:
            return False
        case _:
            return facts.policies.unknown_at_gates


def _granted(credential: Credential) -> tuple[Entitlement, ...]:
    """Grants are read as rights of their own, so that the same rules decide them."""
    rights: list[Entitlement] = []
    for name, grant in named(credential.grants):
        entitlement_id = f"{GRANT_PREFIX}{name}"
        if isinstance(grant, AdmissionGrant):
            rights.append(Admission(entitlement_id, grant.parks, grant.from_day, grant.until_day, grant.days))
        else:
            rights.append(RoomKey(entitlement_id, grant.rooms, grant.from_at, grant.until_at))
    return tuple(rights)


def _is_known(granted: Entitlement, known: tuple[Entitlement, ...]) -> bool:
    """Return whether a ticket that is known stands for the granted one: of its days the facts know how many are used.

    Beside it the grant would be a ticket of its own, whose days begin anew with each credential.
    """
    return isinstance(granted, Admission) and any(
        set(granted.parks) <= set(right.parks)
        and right.from_day <= granted.from_day
        and granted.until_day <= right.until_day
        for right in known
        if isinstance(right, Admission)
    )


def _flagged(decision: Approved, tap: Tap, facts: Facts, overruled: Refused | None) -> Approved:
    flags = list(decision.flags)
    if overruled is not None or not decision.entitlement_id:
        flags.append(Flag.LET_OUT)
    if tap.presented.sun is not None:
        flags.append(Flag.BY_SUN)
    if travel.is_impossible(tap, facts):
        flags.append(Flag.IMPOSSIBLE_TRAVEL)
    if decision.entitlement_id.startswith(GRANT_PREFIX):
        flags.append(Flag.BY_GRANT)
    medium = _medium(tap, facts.token) if facts.token else None
    if medium is None or medium.state is MediumState.PENDING:
        flags.append(Flag.MEDIUM_NOT_YET_KNOWN)
    if not facts.online:
        flags.append(Flag.OFFLINE)
    return Approved(decision.entitlement_id, decision.uses, tuple(flags))
