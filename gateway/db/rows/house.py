"""Rows of the house itself: the resort's versions, issuer keys, commands, the feed, staff and sessions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from wallet.resort import Resort


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command that was carried out, with the hash of its body and its answer."""

    id: str
    name: str
    body_hash: str
    answer: dict[str, Any]
    actor: str
    channel: str
    case_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedEntryRow:
    """An entry of the feed without its position. `scopes` are those before or after, `scopes_after` those after."""

    kind: str
    party_id: str | None
    token_id: str | None
    body: str
    scopes: str
    scopes_after: str
    command_id: str
    command_name: str
    actor: str
    channel: str
    case_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ResortVersionRow:
    """One version of the resort, whole."""

    version: int
    body: Resort
    loaded_at: datetime
    loaded_by: str


class KeyState(StrEnum):
    """Whether what was made with a key still counts. Of the active epochs the newest is the one in use."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class IssuerKeyRow:
    """A key that signs credentials; the private half is sealed under the master key. Both halves are hex."""

    key_id: str
    epoch: int
    public: str
    sealed_private: str
    state: KeyState
    made_at: datetime


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A member of staff who signs in by name and password. `roles` are words of gateway.auth.Role.

    `made_at` is since when the account is as it is: open, and with this password. No older session opens anything.
    """

    id: str
    name: str
    password_hash: str
    roles: tuple[str, ...]
    made_at: datetime
    closed: bool = False


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Someone signed in; the token itself is never stored, only its hash."""

    token_hash: str
    subject: str
    roles: tuple[str, ...]
    party_id: str | None
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInCodeRow:
    """A one-time code of a party, kept as a hash."""

    id: str
    party_id: str
    code_hash: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
