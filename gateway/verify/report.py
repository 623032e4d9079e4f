"""What a verification found: a result per promise, and the rows that break it."""

from dataclasses import dataclass, field
from enum import IntEnum

NOT_CHECKABLE = "not checkable here"
"""What is said of a promise that cannot be seen from what was given; never "true"."""

BROKEN_ROWS_MAX = 50


class Promise(IntEnum):
    """The ten promises, in their order."""

    ONE_TOKEN = 1
    NO_TAP_LOST = 2
    COUNTED_ONCE = 3
    BOOKS_BALANCE = 4
    NOT_OVERSOLD = 5
    WITHIN_LIMITS = 6
    REVOKED_STOPS = 7
    SAME_VERDICT = 8
    CONVERGED = 9
    REFUSALS_EXPLAINED = 10


SENTENCES = {
    Promise.ONE_TOKEN: "one guest, one token; media carry it and are revoked one by one",
    Promise.NO_TAP_LOST: "an approved tap is never lost",
    Promise.COUNTED_ONCE: "each tap counts exactly once",
    Promise.BOOKS_BALANCE: "the books balance",
    Promise.NOT_OVERSOLD: "no window and no night is oversold, and no confirmed booking is lost",
    Promise.WITHIN_LIMITS: "no one spends past a limit online; offline the loss is bounded",
    Promise.REVOKED_STOPS: "a revoked medium stops",
    Promise.SAME_VERDICT: "online and offline agree",
    Promise.CONVERGED: "edges and gateway converge, and every conflict is shown",
    Promise.REFUSALS_EXPLAINED: "every refusal explains itself",
}


@dataclass
class Finding:
    """One promise: how many things were looked at, and which of them break it. None looked at: not checkable.

    `unseen` says what would have had to be looked at too: with anything unseen a promise is never called kept.
    """

    promise: Promise
    looked_at: int = 0
    broken: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def look(self, holds: bool, otherwise: str) -> None:
        """Count one thing looked at; when the promise does not hold for it, keep the sentence that names the row."""
        self.looked_at += 1
        if not holds:
            self.broken.append(otherwise)

    @property
    def result(self) -> bool | str:
        """True, False, or that it is not checkable here."""
        if self.broken:
            return False
        return True if self.looked_at and not self.unseen else NOT_CHECKABLE

    @property
    def name(self) -> str:
        """The promise as a word for programs ("no_tap_lost")."""
        return self.promise.name.lower()


@dataclass
class Report:
    """All findings, and the figures a reader wants beside them."""

    findings: dict[Promise, Finding] = field(
        default_factory=lambda: {each: Finding(each) for each in Promise}
    )
    figures: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, promise: Promise) -> Finding:
        return self.findings[promise]

    @property
    def holds(self) -> bool:
        """Whether no promise is broken."""
        return all(finding.result is not False for finding in self.findings.values())

    def as_dict(self) -> dict[str, object]:
        """Return the report as JSON-able values."""
        return {
            **self.figures,
            "refused": self.refused,
            "promises": {finding.name: finding.result for finding in self.findings.values()},
            "broken": {
                finding.name: finding.broken[:BROKEN_ROWS_MAX]
                for finding in self.findings.values()
                if finding.broken
            },
            "unseen": {
                finding.name: finding.unseen[:BROKEN_ROWS_MAX]
                for finding in self.findings.values()
                if finding.unseen
            },
        }
