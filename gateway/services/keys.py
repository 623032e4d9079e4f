"""The keys of the house: their first epochs, new ones, and the end of old ones."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import ChipEpochRow, IssuerKeyRow, KeyState
from gateway.errors import Rejection
from gateway.publish import KEYS
from gateway.working_set import WorkingSet
from wallet.chips.keys import EPOCH_MAX

_ALL_KEYS = frozenset({Key(KeyKind.ISSUER, "keys")})


class KeyFamily(StrEnum):
    """Which keys: those that sign credentials, or those on the chips. Each counts its own epochs."""

    ISSUER = "issuer"
    CHIPS = "chips"


class FirstIssuerKey(Struct, frozen=True):
    """The key that signs credentials should there be none yet."""

    key_id: str
    public: str
    sealed_private: str


class MakeIssuerKey(Service[FirstIssuerKey]):
    """Makes sure that there is an issuer key; processes that start at once agree on one."""

    name = "issuer.first_key"

    def keys(self, body: FirstIssuerKey) -> frozenset[Key]:
        """All keys."""
        return _ALL_KEYS

    def decide(self, state: WorkingSet, command: Command[FirstIssuerKey]) -> Outcome:
        """Keep the active key, or make the given one active."""
        active = state.find(IssuerKeyRow, state=KeyState.ACTIVE)
        if active:
            return Outcome({"key_id": active[-1].key_id, "made": False})
        body, epoch = command.body, 1 + max((row.epoch for row in state.all(IssuerKeyRow)), default=0)
        row = IssuerKeyRow(
            body.key_id, epoch, body.public, body.sealed_private, KeyState.ACTIVE, command.envelope.at
        )
        event = Event("issuer.key_made", {"key_id": body.key_id, "epoch": epoch})
        return Outcome({"key_id": body.key_id, "made": True}, (row,), (event,))


class FirstChipEpoch(Struct, frozen=True):
    """Begin the chips' keys should there be none yet."""


class MakeChipEpoch(Service[FirstChipEpoch]):
    """Makes sure that there is an epoch of chip keys."""

    name = "chip_epoch.first"

    def keys(self, body: FirstChipEpoch) -> frozenset[Key]:
        """All keys."""
        return _ALL_KEYS

    def decide(self, state: WorkingSet, command: Command[FirstChipEpoch]) -> Outcome:
        """Keep what there is, or begin the first."""
        known = state.all(ChipEpochRow)
        if known:
            return Outcome({"epoch": known[-1].epoch, "made": False})
        row = ChipEpochRow(1, KeyState.ACTIVE, command.envelope.at)
        event = Event(f"{KEYS}.rotated", {"keys": KeyFamily.CHIPS.value, "epoch": 1})
        return Outcome({"epoch": 1, "made": True}, (row,), (event,))


class RotateIssuer(Struct, frozen=True):
    """Sign with this key from now on."""

    key_id: str
    public: str
    sealed_private: str


class IssuerRotate(Service[RotateIssuer]):
    """Begins a new epoch of the issuer: what was signed before stays good."""

    name = "keys.rotate_issuer"

    def keys(self, body: RotateIssuer) -> frozenset[Key]:
        """All keys."""
        return _ALL_KEYS

    def decide(self, state: WorkingSet, command: Command[RotateIssuer]) -> Outcome:
        """Put the key."""
        body, epoch = command.body, _next(row.epoch for row in state.all(IssuerKeyRow))
        row = IssuerKeyRow(
            body.key_id, epoch, body.public, body.sealed_private, KeyState.ACTIVE, command.envelope.at
        )
        return _rotated(KeyFamily.ISSUER, row)


class RotateChips(Struct, frozen=True):
    """Give chips the keys of a new epoch from now on."""


class ChipsRotate(Service[RotateChips]):
    """Begins a new epoch of the chips' keys: readers take the older ones on."""

    name = "keys.rotate_chips"

    def keys(self, body: RotateChips) -> frozenset[Key]:
        """All keys."""
        return _ALL_KEYS

    def decide(self, state: WorkingSet, command: Command[RotateChips]) -> Outcome:
        """Put the epoch."""
        epoch = _next(row.epoch for row in state.all(ChipEpochRow))
        return _rotated(KeyFamily.CHIPS, ChipEpochRow(epoch, KeyState.ACTIVE, command.envelope.at))


class RetireKeys(Struct, frozen=True):
    """Take an epoch out of use.

    Args:
        live_media: how many still need it, as counted just before.
        force: whether they may stop.
    """

    family: KeyFamily
    epoch: int
    live_media: int
    force: bool


class KeysRetire(Service[RetireKeys]):
    """Takes an old epoch out of use: edges let nothing of it through any more."""

    name = "keys.retire"

    def keys(self, body: RetireKeys) -> frozenset[Key]:
        """All keys."""
        return _ALL_KEYS

    def decide(self, state: WorkingSet, command: Command[RetireKeys]) -> Outcome:
        """Retire it; once more changes nothing."""
        body = command.body
        kind = IssuerKeyRow if body.family is KeyFamily.ISSUER else ChipEpochRow
        rows: list[IssuerKeyRow | ChipEpochRow] = list(state.all(kind))
        found = [row for row in rows if row.epoch == body.epoch]
        if not found:
            raise Rejection("not_found", 404, f"There is no epoch {body.epoch} of these keys.")
        answer = {"keys": body.family.value, "epoch": body.epoch, "stopped_media": body.live_media}
        if found[0].state is KeyState.RETIRED:
            return Outcome(answer | {"stopped_media": 0})
        if body.epoch == max(row.epoch for row in rows):
            raise Rejection("newest_epoch", 409, "This epoch is in use. Begin a new one first: keys rotate.")
        if body.live_media and not body.force:
            sentence = (
                f"{body.live_media} media in service still need epoch {body.epoch}. "
                "They are brought forward as they touch an encoder; --force stops them now."
            )
            raise Rejection("epoch_in_use", 409, sentence, {"live_media": body.live_media})
        event = Event(f"{KEYS}.retired", {"keys": body.family.value, "epoch": body.epoch})
        return Outcome(answer, tuple(replace(row, state=KeyState.RETIRED) for row in found), (event,))


def _next(epochs: Iterable[int]) -> int:
    """Return the next epoch. A chip and a credential in its short form have one byte for it."""
    epoch = 1 + max(epochs, default=0)
    if epoch > EPOCH_MAX:
        raise Rejection("no_epoch_left", 409, f"There are {EPOCH_MAX} epochs, and all have been used.")
    return epoch


def _rotated(family: KeyFamily, row: IssuerKeyRow | ChipEpochRow) -> Outcome:
    event = Event(f"{KEYS}.rotated", {"keys": family.value, "epoch": row.epoch})
    return Outcome({"keys": family.value, "epoch": row.epoch}, (row,), (event,))
