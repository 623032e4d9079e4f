"""The ledger as lines: one per entry of the feed that is worth a person's look."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.bootstrap import Gateway
from gateway.db.feed import FeedEntry
from gateway.db.nicknames import nicknames
from gateway.errors import Rejection
from gateway.publish import TOKEN
from gateway.services.timeline import Teller
from gateway.web.telling import icon_of, sentence_of, verdict_of
from wallet.resort import Resort

LINES_SHOWN = 60
_PAGE = 200


def ledger_lines(gateway: Gateway, after: int, upto: int) -> list[dict[str, Any]]:
    """Return the lines in (after, upto], newest first."""
    entries: list[FeedEntry] = []
    while after < upto:
        found = [entry for entry in entries_of(gateway, after) if entry.position <= upto]
        if not found:
            break
        entries += found
        after = found[-1].position
    names, resort = names_of(gateway, entries), resort_now(gateway)
    lines = (line_of(entry, names, resort) for entry in reversed(entries))
    return [line for line in lines if line is not None]


def resort_now(gateway: Gateway) -> Resort:
    """Return the resort; before one is loaded, a nameless one, in which the first lines can be told all the same."""
    try:
        return gateway.feed.resort()
    except Rejection:
        return Resort(code="", name="", zone="UTC", currency="EUR")


def entries_of(gateway: Gateway, after: int) -> list[FeedEntry]:
    """Return the next entries behind a position."""
    return gateway.feed.entries(after, _PAGE)


def names_of(gateway: Gateway, entries: Iterable[FeedEntry]) -> dict[str, str]:
    """Return the given names of the guests whom the entries concern, by token."""
    tokens = {entry.token_id for entry in entries if entry.token_id}
    if not tokens:
        return {}
    with gateway.database.read() as connection:
        return nicknames(connection, tokens)


def line_of(entry: FeedEntry, names: Mapping[str, str], resort: Resort) -> dict[str, Any] | None:
    """Return an entry as the template's `ledger_row` takes it; None for the documents meant for edges."""
    if entry.kind == TOKEN:
        return None
    body: dict[str, Any] = msgspec.json.decode(entry.body)
    return {
        "position": entry.position,
        "at": entry.at,
        "icon": icon_of(entry.kind),
        "verdict": verdict_of(entry.kind),
        "text": sentence_of(entry.kind, entry.token_id, body, Teller(resort, names)),
        "by": [entry.channel],
        "offline": body.get("offline") is True,
    }
