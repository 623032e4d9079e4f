"""What the conveyor adds to each outcome: the changed tokens' documents, and the entries of the feed. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from gateway.command import Command, Event
from gateway.db.rows import (
    EntitlementRow,
    FeedEntryRow,
    MediumRow,
    ResortVersionRow,
    Row,
    TapUseRow,
    TokenDocumentRow,
    TokenRow,
)
from gateway.services.documents import document_of, joined, scopes_text, split, takes_pins
from gateway.working_set import WorkingSet
from wallet.resort import Resort

TOKEN, RESORT = "token", "resort"
"""The kinds of entry that edges read."""

KEYS = "keys"
"""The noun of what happens to keys: every edge is woken by it, and asks anew what to trust."""


def changed_tokens(rows: Iterable[Row]) -> list[str]:
    """Return the ids of the tokens whose documents the rows may have changed, each once, in order."""
    found: dict[str, None] = {}
    for row in rows:
        match row:
            case TokenRow(id=token_id):
                found[token_id] = None
            case MediumRow() | EntitlementRow() | TapUseRow():
                found[row.token_id] = None
    return list(found)


def renewed(state: WorkingSet, token_id: str, at: datetime) -> tuple[TokenDocumentRow, str] | None:
    """Return the token's next document and the scopes before it, or None when it says the same as the last one."""
    before = state.get(TokenDocumentRow, token_id)
    document = document_of(
        state.need(TokenRow, token_id),
        state.find(MediumRow, token_id=token_id),
        state.find(EntitlementRow, token_id=token_id),
        state.find(TapUseRow, token_id=token_id),
        version=before.version if before else 1,
        at=at,
        resort=state.resort,
    )
    if before is not None:
        if document == before.body:
            return None
        document = msgspec.structs.replace(document, version=before.version + 1)
    scopes = scopes_text(document, state.resort)
    row = TokenDocumentRow(token_id, document.party_id, document.version, scopes, document)
    return row, before.scopes if before else ""


def rescoped(row: TokenDocumentRow, before: Resort | None, resort: Resort) -> TokenDocumentRow | None:
    """Return the document under a new resort, or None when the same venues need the same of it as before."""
    scopes = scopes_text(row.body, resort)
    if scopes == row.scopes and not (row.body.pin_verifier and _pins_move(split(scopes), before, resort)):
        return None
    body = msgspec.structs.replace(row.body, version=row.version + 1)
    return TokenDocumentRow(row.token_id, row.party_id, body.version, scopes, body)


def _pins_move(venues: Iterable[str], before: Resort | None, after: Resort) -> bool:
    """A venue's first till needs the PIN verifiers, and without its last one its edges must not keep them."""
    return before is None or any(takes_pins(before, each) != takes_pins(after, each) for each in venues)


def event_entry(name: str, command: Command[msgspec.Struct], event: Event) -> FeedEntryRow:
    """Return the feed entry of an event."""
    body = msgspec.json.encode(event.body).decode()
    return _entry(name, command, event.kind, event.party_id, event.token_id, body, "", "")


def token_entry(
    name: str, command: Command[msgspec.Struct], row: TokenDocumentRow, scopes_before: str
) -> FeedEntryRow:
    """Return the feed entry that carries a token's document."""
    both = joined(split(scopes_before) | split(row.scopes))
    body = msgspec.json.encode(row.body).decode()
    return _entry(name, command, TOKEN, row.party_id, row.token_id, body, both, row.scopes)


def resort_entry(name: str, command: Command[msgspec.Struct], row: ResortVersionRow) -> FeedEntryRow:
    """Return the feed entry that tells every edge of a new version of the resort."""
    return _entry(
        name, command, RESORT, None, None, msgspec.json.encode({"version": row.version}).decode(), "", ""
    )


def _entry(
    name: str,
    command: Command[msgspec.Struct],
    kind: str,
    party_id: str | None,
    token_id: str | None,
    body: str,
    scopes: str,
    scopes_after: str,
) -> FeedEntryRow:
    envelope = command.envelope
    return FeedEntryRow(
        kind=kind,
        party_id=party_id,
        token_id=token_id,
        body=body,
        scopes=scopes,
        scopes_after=scopes_after,
        command_id=envelope.id,
        command_name=name,
        actor=envelope.actor,
        channel=envelope.channel.value,
        case_id=envelope.case,
        at=envelope.at,
    )
