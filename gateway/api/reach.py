"""How far a guest reaches: the own party, and nothing tells whether another's things exist."""

from collections.abc import Callable, Collection

from starlette.concurrency import run_in_threadpool

from gateway.auth import Principal
from gateway.bootstrap import Gateway
from gateway.db import parties
from gateway.db.engine import Connection
from gateway.db.rows import PartyRow, TokenRow
from gateway.errors import not_found

Finder = Callable[[Connection, str], TokenRow | None]


def party_in_reach(gateway: Gateway, principal: Principal, party_id: str) -> PartyRow:
    """Return the party, if it exists and whoever asks may see it.

    Raises:
        Rejection: 404, the same for what is another's and for what is nobody's.
    """
    with gateway.database.read() as connection:
        party = parties.party_named(connection, party_id)
    if party is None or not _reaches(principal, party.id):
        raise not_found("party", party_id)
    return party


def token_in_reach(
    gateway: Gateway,
    principal: Principal,
    name: str,
    find: Finder = parties.token_named,
    noun: str = "token",
) -> TokenRow:
    """Return the token that `name` (its own id, or that of something hanging on it) leads to.

    Raises:
        Rejection: 404, the same for what is another's and for what is nobody's.
    """
    with gateway.database.read() as connection:
        token = find(connection, name)
    if token is None or not _reaches(principal, token.party_id):
        raise not_found(noun, name)
    return token


def tokens_in_reach(gateway: Gateway, principal: Principal, token_ids: Collection[str]) -> None:
    """Do nothing if all these tokens exist and whoever asks may see them.

    Raises:
        Rejection: 404 for the first that is another's or nobody's.
    """
    with gateway.database.read() as connection:
        found = parties.tokens_named(connection, token_ids)
    for token_id in token_ids:
        token = found.get(token_id)
        if token is None or not _reaches(principal, token.party_id):
            raise not_found("token", token_id)


async def check_party(gateway: Gateway, principal: Principal, party_id: str) -> None:
    """Do nothing if the party is in reach, from a route that must not block; 404 otherwise."""
    await run_in_threadpool(party_in_reach, gateway, principal, party_id)


async def check_token(
    gateway: Gateway, principal: Principal, name: str, find: Finder = parties.token_named, noun: str = "token"
) -> None:
    """Do nothing if the token is in reach, from a route that must not block; 404 otherwise."""
    await run_in_threadpool(token_in_reach, gateway, principal, name, find, noun)


async def check_tokens(gateway: Gateway, principal: Principal, token_ids: Collection[str]) -> None:
    """Do nothing if all these tokens are in reach, from a route that must not block; 404 otherwise."""
    await run_in_threadpool(tokens_in_reach, gateway, principal, token_ids)


def _reaches(principal: Principal, party_id: str) -> bool:
    return principal.is_staff or principal.party_id == party_id
