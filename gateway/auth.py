"""Who is asking: roles, sessions, passwords and the signed requests of edges."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.db import house
from gateway.db.engine import Database
from gateway.db.rows import EdgeState
from gateway.errors import Rejection
from wallet.signing import REQUEST_AGE_MAX_S, SignatureFault, read_signature, verify_request


class Role(StrEnum):
    """What someone may do. A guest reaches only the own party, an edge only its venue."""

    ANONYMOUS = "anonymous"
    GUEST = "guest"
    DESK = "desk"
    OPERATIONS = "operations"
    PHOTOGRAPHER = "photographer"
    EDGE = "edge"


STAFF_ROLES = (Role.DESK, Role.OPERATIONS, Role.PHOTOGRAPHER)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `subject` is "guest:<id>", "staff:<id>", "edge:<id>" or "anonymous"."""

    subject: str
    roles: frozenset[Role]
    party_id: str | None = None
    venue: str | None = None
    by_cookie: bool = False

    @property
    def edge(self) -> str:
        """The edge's id; only for who signed as an edge."""
        assert Role.EDGE in self.roles
        return self.subject.removeprefix("edge:")

    @property
    def is_staff(self) -> bool:
        """Whether this is a member of staff."""
        return bool(self.roles & set(STAFF_ROLES))

    def must_reach(self, party_id: str) -> None:
        """Do nothing if this one may see the party.

        Raises:
            Rejection: 404, since a guest need not learn that another party exists.
        """
        if not self.is_staff and self.party_id != party_id:
            raise Rejection("not_found", 404, f"There is no party {party_id!r}.")


ANONYMOUS = Principal("anonymous", frozenset({Role.ANONYMOUS}))


class Doorman:
    """Tells who is asking, from a session's token or from an edge's signature."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_session(self, token: str, now: datetime, *, by_cookie: bool = False) -> Principal | None:
        """Return who signed in with this token, None when it is unknown, over or ended.

        A member of staff has the roles of this moment, whatever they were at sign-in, and none when closed. What was
        opened before the account was, or with an earlier password, is over.
        """
        with self._database.read() as connection:
            row = house.session(connection, token_hash(token))
            if row is None or row.ended_at is not None or row.expires_at <= now:
                return None
            kind, _, staff_id = row.subject.partition(":")
            # A row of staff is closed, never deleted: a session without one is a simulation's own.
            member = house.staff_member(connection, staff_id) if kind == "staff" else None
        if member is not None and (member.closed or row.made_at < member.made_at):
            return None
        roles = frozenset(Role(role) for role in (member.roles if member else row.roles))
        return Principal(row.subject, roles, row.party_id, by_cookie=by_cookie)

    def by_signature(
        self, method: str, target: str, body: bytes, headers: dict[str, str], now: datetime
    ) -> Principal:
        """Return the edge that signed the request.

        Raises:
            Rejection: 401: not signed as it must be, by an edge not enrolled, too old, or sent before.
        """
        try:
            claimed = read_signature(headers.get("signature-input", ""))
            with self._database.read() as connection:
                row = house.edge(connection, claimed.key_id)
            if row is None or row.state is not EdgeState.ENROLLED:
                raise SignatureFault(f"no edge {claimed.key_id!r} is enrolled here")
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row.public_key))
            signed = verify_request(method, target, body, headers, key=key, now=now)
        except SignatureFault as fault:
            raise Rejection("signature_refused", 401, f"{str(fault).capitalize()}.") from None
        # A clock may run ahead by as much as a request may be old, so a nonce is remembered for twice that.
        forget_before = now - timedelta(seconds=2 * REQUEST_AGE_MAX_S)
        if not house.spend_nonce(self._database, row.id, signed.nonce, now, forget_before):
            raise Rejection("signature_replayed", 401, "This signed request was sent before.")
        return Principal(f"edge:{row.id}", frozenset({Role.EDGE}), venue=row.venue)


def token_hash(token: str) -> str:
    """Return what is stored of a session's token; it has 256 random bits, so a plain hash keeps it."""
    return hashlib.sha256(token.encode()).hexdigest()


class Passwords:
    """Staff passwords, hashed with argon2id at OWASP's first choice: 19 MiB, two passes, one lane."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Return what is stored of a password.

        Raises:
            Rejection: shorter than ten characters.
        """
        if len(password) < 10:
            raise Rejection("password_too_short", 422, "A password needs ten characters or more.")
        return self._hasher.hash(password)

    def fits(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password is right; an unknown name takes as long as a wrong password."""
        try:
            self._hasher.verify(password_hash or self._nobody, password)
        except VerificationError:
            return False
        return password_hash is not None
