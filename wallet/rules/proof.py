"""Whether what was presented is good enough for who it says it is; asked before any right is looked at."""

from datetime import timedelta

from wallet.chips.keys import KeySlot, slot_of
from wallet.credential import Credential
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.tap import Facts, Refused, Tap


def refuse(tap: Tap, facts: Facts) -> Refused | None:
    """Return why the proof is not enough, None when it is."""
    shown = tap.presented
    if shown.fault is not None:
        return Refused(shown.fault)
    if shown.sun is not None:
        return _refuse_sun(shown.sun.counter, facts)
    if shown.credential is None:
        return Refused(Reason.CREDENTIAL_MISSING)
    if shown.credential.chip_keys and shown.proof is not Proof.CHIP_KEY:
        return Refused(Reason.CHIP_NOT_PROVEN)
    if shown.credential.device_key or shown.proof is Proof.DEVICE_KEY:
        return _refuse_code(tap, shown.credential, facts)
    return None


def _refuse_sun(counter: int, facts: Facts) -> Refused | None:
    """A SUN message can be carried away and read elsewhere: good once, and only where the resort allows it at all.

    Its MAC is made with the gates' key, so whoever has stolen a gate could make one: never good at a door or a till.
    """
    if not facts.policies.sun_fallback or slot_of(facts.touchpoint.kind) is not KeySlot.GATE:
        return Refused(Reason.CHIP_NOT_PROVEN)
    if counter <= facts.sun_counter:
        return Refused(Reason.SUN_REPLAYED)
    return None


def _refuse_code(tap: Tap, credential: Credential, facts: Facts) -> Refused | None:
    shown = tap.presented
    if shown.proof is not Proof.DEVICE_KEY or shown.shown_at is None or not credential.device_key:
        return Refused(Reason.CODE_STALE)
    policies = facts.policies
    age = tap.at - shown.shown_at
    if (
        not -timedelta(seconds=policies.code_skew_s)
        <= age
        <= timedelta(seconds=policies.code_valid_s + policies.code_skew_s)
    ):
        return Refused(Reason.CODE_STALE)
    if facts.code_seen:
        return Refused(Reason.CODE_REPLAYED)
    return None
