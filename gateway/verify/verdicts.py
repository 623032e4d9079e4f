"""Whether online and offline agree: every journalled verdict is decided again from the facts it rested on."""

from bisect import bisect_right
from collections import defaultdict

from gateway.db import audit
from gateway.db.engine import Connection
from gateway.verify.report import Promise, Report
from wallet.decide import decide
from wallet.evidence import EdgeEvidence
from wallet.journal import EntryKind, JournalEntry
from wallet.resort import Resort
from wallet.snapshot import facts_from
from wallet.tap import RULEBOOK_VERSION, Approved, PinCheck, Refused
from wallet.token import TokenDocument, Use


def check_verdicts(connection: Connection, report: Report, edges: tuple[EdgeEvidence, ...]) -> None:
    """Decide each entry again with the documents the gateway had published to that edge by then."""
    finding = report[Promise.SAME_VERDICT]
    token_ids = {seen.entry.token_id for edge in edges for seen in edge.entries if seen.entry.token_id}
    published = audit.published_documents(connection, token_ids)
    documents = {key: document for key, (document, _) in published.items()}
    resorts = audit.resorts_by_position(connection)
    for edge in edges:
        replay = _Replay(documents, resorts)
        for seen in edge.entries:
            sentence = replay.follow(seen.entry)
            if sentence is not None:
                finding.look(not sentence, f"{edge.edge}: entry {seen.entry.number} {sentence}")


class _Replay:
    """Walks along one edge's journal, remembering what its taps did."""

    def __init__(
        self, documents: dict[tuple[str, int], TokenDocument], resorts: list[tuple[int, Resort]]
    ) -> None:
        self._documents = documents
        self._resorts = resorts
        self._uses: defaultdict[str, list[Use]] = defaultdict(list)
        self._pin_tries: defaultdict[str, int] = defaultdict(int)

    def follow(self, entry: JournalEntry) -> str | None:
        """Return "" when the verdict is the same again, what differs when not, None when there is nothing to decide."""
        said = self._decided_again(entry)
        if entry.kind is EntryKind.PIN_TRY:
            self._pin_tries[entry.token_id] += 1
        elif isinstance(entry.decision, Approved):
            self._uses[entry.token_id] += entry.decision.uses
            if entry.tap is not None and entry.tap.pin is PinCheck.RIGHT:
                self._pin_tries[entry.token_id] = 0
        return said

    def _decided_again(self, entry: JournalEntry) -> str | None:
        tap, resort = entry.tap, self._resort_at(entry.position)
        if (
            entry.kind is not EntryKind.TAP
            or tap is None
            or resort is None
            or entry.rulebook != RULEBOOK_VERSION
        ):
            return None
        document = self._documents.get((entry.token_id, entry.document_version))
        if entry.document_version and document is None:
            return f"rests on version {entry.document_version} of token {entry.token_id}, which was never published"
        tries = self._pin_tries[entry.token_id] - (document.pin_tries if document else 0)
        facts = facts_from(
            resort.touchpoint(tap.touchpoint),
            resort,
            document,
            as_of=entry.as_of,
            online=entry.online,
            local_uses=self._uses[entry.token_id],
            local_pin_tries=max(0, tries),
            edge_offline_minor=entry.edge_offline_minor,
            token_offline_minor=entry.token_offline_minor,
        )
        again = decide(tap, facts)
        if again == entry.decision:
            return ""
        return f"was {_words(entry.decision)}, decided again it is {_words(again)}"

    def _resort_at(self, position: int) -> Resort | None:
        index = bisect_right([each for each, _ in self._resorts], position)
        return self._resorts[index - 1][1] if index else None


def _words(decision: object) -> str:
    if isinstance(decision, Refused):
        return f"refused ({decision.reason.value} {decision.detail})"
    return f"approved ({decision.entitlement_id})" if isinstance(decision, Approved) else "asked"
