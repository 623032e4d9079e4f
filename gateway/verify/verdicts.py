"""Whether online and offline agree: every journalled verdict is decided again from the facts it rested on."""

from collections import defaultdict

from gateway.db import audit
from gateway.db.engine import Connection
from gateway.verify.report import Promise, Report
from wallet.decide import decide
from wallet.evidence import EdgeEvidence
from wallet.journal import EntryKind, JournalEntry
from wallet.reasons import Reason
from wallet.resort import Resort
from wallet.snapshot import facts_from
from wallet.tap import RULEBOOK_VERSION, Approved, Refused, Tap
from wallet.token import TokenDocument, Use


def check_verdicts(connection: Connection, report: Report, edges: tuple[EdgeEvidence, ...]) -> None:
    """Decide each entry again with the documents the gateway had published to that edge by then."""
    finding = report[Promise.SAME_VERDICT]
    token_ids = {seen.entry.token_id for edge in edges for seen in edge.entries if seen.entry.token_id}
    published = audit.published_documents(connection, token_ids)
    documents = {key: document for key, (document, _) in published.items()}
    resorts = {resort.version: resort for _, resort in audit.resorts_by_position(connection)}
    for edge in edges:
        replay = _Replay(documents, resorts)
        for seen in edge.entries:
            sentence = replay.follow(seen.entry)
            if sentence is not None:
                finding.look(not sentence, f"{edge.edge}: entry {seen.entry.number} {sentence}")


class _Replay:
    """Walks along one edge's journal, remembering what its taps did."""

    def __init__(self, documents: dict[tuple[str, int], TokenDocument], resorts: dict[int, Resort]) -> None:
        self._documents = documents
        self._resorts = resorts
        self._uses: defaultdict[str, list[Use]] = defaultdict(list)
        self._counters: dict[str, int] = {}
        self._codes: set[str] = set()

    def follow(self, entry: JournalEntry) -> str | None:
        """Return "" when the verdict is the same again, what differs when not, None when there is nothing to decide."""
        said = self._decided_again(entry)
        if isinstance(entry.decision, Approved):
            self._uses[entry.token_id] += entry.decision.uses
        if entry.kind is EntryKind.TAP and entry.tap is not None:
            self._note(entry.tap)
        return said

    def _note(self, tap: Tap) -> None:
        """Remember what was shown: an edge takes it once, whatever its verdict was."""
        shown = tap.presented
        if shown.sun is not None:
            uid = shown.sun.chip_uid
            self._counters[uid] = max(shown.sun.counter, self._counters.get(uid, -1))
        if shown.code_id:
            self._codes.add(shown.code_id)

    def _decided_again(self, entry: JournalEntry) -> str | None:
        # By version, not by position: a page or a cut batch may bring a newer resort than its position tells.
        tap, resort = entry.tap, self._resorts.get(entry.resort_version)
        if entry.kind is not EntryKind.TAP or tap is None or entry.rulebook != RULEBOOK_VERSION:
            return None
        if not entry.resort_version:
            # Nothing was ever heard of the resort: that is refused before any facts are looked at.
            return _compared(entry.decision, Refused(Reason.FACTS_TOO_OLD))
        if resort is None:
            return f"rests on version {entry.resort_version} of the resort, which was never published"
        if entry.decision == Refused(Reason.EDGE_OUT_OF_DATE) and not entry.document_version:
            return None  # a document of a later version than the edge's: what it said, it could not read
        document = self._documents.get((entry.token_id, entry.document_version))
        if entry.document_version and document is None:
            return f"rests on version {entry.document_version} of token {entry.token_id}, which was never published"
        try:
            touchpoint = resort.touchpoint(tap.touchpoint)
        except KeyError:
            # A reader is set up for what the resort has not: that is refused before any facts are looked at.
            return _compared(entry.decision, Refused(Reason.EDGE_OUT_OF_DATE))
        facts = facts_from(
            touchpoint,
            resort,
            document,
            as_of=entry.as_of,
            online=entry.online,
            local_uses=self._uses[entry.token_id],
            local_pin_tries=entry.pin_tries - (document.pin_tries if document else 0),
            edge_offline_minor=entry.edge_offline_minor,
            token_offline_minor=entry.token_offline_minor,
            sun_counter=self._counters.get(tap.presented.sun.chip_uid, -1) if tap.presented.sun else -1,
            code_seen=bool(tap.presented.code_id) and tap.presented.code_id in self._codes,
        )
        return _compared(entry.decision, decide(tap, facts))


def _compared(before: object, again: object) -> str:
    return "" if again == before else f"was {_words(before)}, decided again it is {_words(again)}"


def _words(decision: object) -> str:
    if isinstance(decision, Refused):
        return f"refused ({decision.reason.value} {decision.detail})"
    return f"approved ({decision.entitlement_id})" if isinstance(decision, Approved) else "asked"
