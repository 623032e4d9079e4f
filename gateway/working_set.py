"""What a batch of commands knows and changes: rows by primary key, each outcome applied before the next decision."""

from collections.abc import Iterable
from typing import Any, TypeVar

from gateway.command import Key, KeyKind, night_key, window_key
from gateway.db import rows as r
from gateway.db.rows import Row
from gateway.db.tables import PRIMARY_KEY
from gateway.errors import NotHeld, Rejection, not_found
from wallet.resort import Resort

R = TypeVar("R")
_Id = tuple[Any, ...]

_GROUPS: dict[type[Any], tuple[str, ...]] = {
    r.GuestRow: ("party_id", "token_id"),
    r.TokenRow: ("party_id", "guest_id"),
    r.MediumRow: ("token_id", "chip_uid"),
    r.EntitlementRow: ("token_id",),
    r.TapUseRow: ("token_id", "entitlement_id", "tap_id"),
    r.StayRow: ("party_id", "room_type", "room"),
    r.EncodingRow: ("token_id", "chip_uid"),
    r.AccountRow: ("party_id",),
    r.HoldRow: ("token_id", "account_id"),
    r.TapRow: ("code_id", "sun_chip"),
    r.ChipRow: ("printed_id", "batch"),
    r.SignInCodeRow: ("party_id",),
    r.JournalHeadRow: ("edge",),
    r.PhotoLinkRow: ("photo_id", "token_id"),
    r.StaffRow: ("name",),
    r.PostingRow: ("transfer_id",),
}
"""The fields by which rows are found without looking at all of them."""


class WorkingSet:
    """The rows a batch has loaded and put. A service reads it; only the conveyor changes it."""

    def __init__(self, resort: Resort | None) -> None:
        self._resort = resort
        self._rows: dict[type[Any], dict[_Id, Any]] = {}
        self._groups: dict[tuple[type[Any], str], dict[Any, dict[_Id, Any]]] = {}
        self._held: set[Key] = set()
        self._stored: set[tuple[type[Any], _Id]] = set()
        self._put: dict[tuple[type[Any], _Id], Row] = {}
        self._undo: list[tuple[type[Any], _Id, Any, Any, set[Key] | None]] = []

    @property
    def resort(self) -> Resort:
        """The resort as last loaded.

        Raises:
            Rejection: none was ever loaded.
        """
        if self._resort is None:
            raise Rejection(
                "no_resort", 409, "No resort has been loaded here yet: passband gateway load FILE."
            )
        return self._resort

    @property
    def resort_or_none(self) -> Resort | None:
        """The resort as last loaded, None before the first."""
        return self._resort

    def get(self, kind: type[R], *primary_key: Any) -> R | None:
        """Return the row, or None when there is none (or its key is not held)."""
        found: R | None = self._rows.get(kind, {}).get(primary_key)
        return found

    def need(self, kind: type[R], *primary_key: Any) -> R:
        """Return the row.

        Raises:
            Rejection: there is none: 404.
        """
        found = self.get(kind, *primary_key)
        if found is None:
            raise not_found(kind.__name__.removesuffix("Row").lower(), "/".join(map(str, primary_key)))
        return found

    def find(self, kind: type[R], **equal: Any) -> list[R]:
        """Return the rows with these values, in order of their primary key."""
        (field, value), *rest = equal.items()
        if field in _GROUPS.get(kind, ()):
            candidates = self._groups.get((kind, field), {}).get(value, {})
        else:
            candidates, rest = self._rows.get(kind, {}), [(field, value), *rest]
        chosen = [
            (primary, row)
            for primary, row in candidates.items()
            if all(getattr(row, name) == wanted for name, wanted in rest)
        ]
        return [row for _, row in sorted(chosen, key=lambda pair: pair[0])]

    def all(self, kind: type[R]) -> list[R]:
        """Return every row of the kind, in order of the primary key."""
        return [row for _, row in sorted(self._rows.get(kind, {}).items(), key=lambda pair: pair[0])]

    def holds(self, key: Key) -> bool:
        """Return whether `key` is held."""
        return key in self._held

    # --- for the conveyor ---------------------------------------------------------------------------------------------

    def hold(self, keys: Iterable[Key]) -> None:
        """Note that the keys are held."""
        self._held.update(keys)

    def take(self, loaded: Iterable[Any]) -> None:
        """Take in rows as the database has them; one that this batch changed already stays as it is."""
        for row in loaded:
            kind, primary = type(row), primary_key(row)
            self._stored.add((kind, primary))
            if primary not in self._rows.setdefault(kind, {}):
                self._set(kind, primary, row)

    def put(self, new: Iterable[Row]) -> None:
        """Apply rows of an outcome.

        Raises:
            NotHeld: a row's key is neither held nor made by this batch.
        """
        new = tuple(new)
        for row in new:
            # What did not exist before is held by being made here.
            if type(row) in _MAKES and self.get(type(row), *primary_key(row)) is None:
                made = set(keys_of(row)) - self._held
                self._undo.append((type(row), (), None, None, made))
                self._held |= made
        for row in new:
            kind, primary = type(row), primary_key(row)
            for key in keys_of(row):
                if key not in self._held:
                    raise NotHeld(
                        f"{kind.__name__} {primary} was put without holding {key.kind.name} {key.id}"
                    )
            self._undo.append((kind, primary, self.get(kind, *primary), self._put.get((kind, primary)), None))
            self._set(kind, primary, row)
            self._put[kind, primary] = row

    def mark(self) -> None:
        """Begin a new outcome: `undo` goes back to here."""
        self._undo.clear()

    def undo(self) -> None:
        """Take back everything put since the last mark."""
        for kind, primary, before, put_before, held in reversed(self._undo):
            if held is not None:
                self._held -= held
                continue
            self._set(kind, primary, before)
            if put_before is None:
                self._put.pop((kind, primary), None)
            else:
                self._put[kind, primary] = put_before
        self._undo.clear()

    def changes(self) -> tuple[list[Row], list[Row]]:
        """Return the rows to insert and the rows to update, each in the state after the last command."""
        inserts = [row for where, row in self._put.items() if where not in self._stored]
        updates = [row for where, row in self._put.items() if where in self._stored]
        return inserts, updates

    def _set(self, kind: type[Any], primary: _Id, row: Any) -> None:
        table = self._rows.setdefault(kind, {})
        before = table.pop(primary, None)
        for field in _GROUPS.get(kind, ()):
            group = self._groups.setdefault((kind, field), {})
            if before is not None:
                group.get(getattr(before, field), {}).pop(primary, None)
            if row is not None:
                group.setdefault(getattr(row, field), {})[primary] = row
        if row is not None:
            table[primary] = row


def primary_key(row: Any) -> tuple[Any, ...]:
    """Return the primary key of a row."""
    return tuple(getattr(row, name) for name in PRIMARY_KEY[type(row)])


_MAKES = (
    r.PartyRow,
    r.TokenRow,
    r.TapRow,
    r.AccountRow,
    r.PhotoRow,
    r.PhotoClaimRow,
    r.SessionRow,
    r.ConflictRow,
    r.ChipRow,
)
"""What a command may make under an id of its own; the insert fails aloud should the id exist."""


def keys_of(row: Any) -> tuple[Key, ...]:
    """Return the keys that must be held to put `row`; none for what is only ever added."""
    match row:
        case r.PartyRow(id=name):
            return (Key(KeyKind.PARTY, name),)
        case r.GuestRow() | r.SignInCodeRow():
            return (Key(KeyKind.PARTY, row.party_id),)
        case r.StayRow():
            return Key(KeyKind.PARTY, row.party_id), Key(KeyKind.ROOM, row.room_type)
        case r.TokenRow(id=name):
            return (Key(KeyKind.TOKEN, name),)
        case r.MediumRow() | r.EntitlementRow() | r.TapUseRow() | r.EncodingRow() | r.TokenDocumentRow():
            return (Key(KeyKind.TOKEN, row.token_id),)
        case r.TapRow(id=name):
            return (Key(KeyKind.TAP, name),)
        case r.AccountRow(id=name):
            return (Key(KeyKind.ACCOUNT, name),)
        case r.HoldRow():
            return (Key(KeyKind.ACCOUNT, row.account_id),)
        case r.ReturnWindowRow():
            return (window_key(row.attraction, row.starts_at),)
        case r.RoomNightRow():
            return (night_key(row.room_type, row.night),)
        case r.EdgeRow(id=name) | r.JournalHeadRow(edge=name) | r.SetAsideRow(edge=name):
            return (Key(KeyKind.EDGE, name),)
        case r.PhotoRow(id=name) | r.PhotoLinkRow(photo_id=name):
            return (Key(KeyKind.PHOTO, name),)
        case r.PhotoClaimRow():
            return (Key(KeyKind.CLAIM, row.code_hash),)
        case r.StaffRow():
            return (Key(KeyKind.STAFF, row.name),)
        case r.SessionRow():
            return (Key(KeyKind.SESSION, row.token_hash),)
        case r.ConflictRow(id=name):
            return (Key(KeyKind.CONFLICT, name),)
        case r.ResortVersionRow():
            return (Key(KeyKind.RESORT, "current"),)
        case r.IssuerKeyRow() | r.ChipEpochRow():
            return (Key(KeyKind.ISSUER, "keys"),)
        case r.ChipRow(uid=uid):
            return (Key(KeyKind.STOCK, uid),)
    return ()
