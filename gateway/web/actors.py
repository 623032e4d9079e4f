"""Who did something, in the words that staff use of each other: names instead of ids."""

from collections.abc import Iterable, Mapping

from starlette.concurrency import run_in_threadpool

from gateway.db.nicknames import staff_roles
from gateway.web.visit import Visit


async def staff_words(here: Visit, actors: Iterable[str]) -> dict[str, str]:
    """Return for each actor "staff:ID" how staff is called, e.g. "maria, desk"; who is not known is left out."""
    ids = {actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")}
    if not ids:
        return {}

    def read() -> dict[str, tuple[str, tuple[str, ...]]]:
        with here.gateway.database.read() as connection:
            return staff_roles(connection, ids)

    found = await run_in_threadpool(read)
    return {f"staff:{key}": f"{name}, {' and '.join(roles)}" for key, (name, roles) in found.items()}


def actor_words(actor: str, guests: Mapping[str, str], staff: Mapping[str, str]) -> str:
    """Return how an actor of the ledger is called on a staff page.

    Args:
        guests: guest id → how the guest is called.
        staff: as `staff_words` gives it.
    """
    who, _, identifier = actor.partition(":")
    if identifier in guests:
        return f"Guest {guests[identifier]}"
    if actor in staff:
        return staff[actor]
    # An edge's id is its name; anyone else without a name here is told by the end of the id.
    return f"{who.capitalize()} {identifier if who == 'edge' else identifier[-12:]}".rstrip()
