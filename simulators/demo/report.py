"""What a run came to, as one JSON object."""

from dataclasses import dataclass, field

from gateway.verify.report import SENTENCES, Promise
from gateway.verify.report import Report as Verification


@dataclass
class Report:
    """The result of one run.

    Attributes:
        failure: the sentence with which the story broke off, empty when it was told to its end.
        kills: process → how often it was killed.
        steps: how many taps and commands there were, tries that were repeated counted anew.
        verification: the promises; None when the story broke off before there was anything to check.
    """

    seed: int
    failure: str = ""
    kills: dict[str, int] = field(default_factory=dict)
    verification: Verification | None = None
    seconds: float = 0.0
    steps: int = 0

    @property
    def is_good(self) -> bool:
        """Whether the story was told to its end, no promise is broken and no tap is lost or doubled."""
        if self.failure or self.verification is None or not self.verification.holds:
            return False
        figures = self.verification.figures
        return all(figures[name] == 0 for name in ("lost_taps", "duplicated_taps", "waiting_taps"))

    def as_dict(self) -> dict[str, object]:
        """Return the report as JSON-able values."""
        told: dict[str, object] = {}
        if self.verification is not None:
            told = self.verification.as_dict()
            told["books_balanced"] = self.verification[Promise.BOOKS_BALANCE].result
        told |= {"seconds": self.seconds, "steps": self.steps, "seed": self.seed}
        if self.kills:
            told["kills"] = self.kills
        if self.failure:
            told["failure"] = self.failure
        return told


def promise_lines(verification: Verification) -> dict[str, str]:
    """Return each promise's sentence with its result, below it the rows that break it and what could not be seen."""
    lines: dict[str, str] = {}
    for promise, finding in verification.findings.items():
        result = finding.result
        words = {True: "✓ kept", False: "✗ BROKEN"}[result] if isinstance(result, bool) else f"– {result}"
        lines[f"{promise.value:>2}. {SENTENCES[promise]}"] = f"{words} ({finding.looked_at} looked at)"
        for number, row in enumerate(finding.broken[:10], start=1):
            lines[f"      {promise.name.lower()} {number}"] = row
        for number, unseen in enumerate(finding.unseen[:10], start=1):
            lines[f"      {promise.name.lower()} unseen {number}"] = unseen
    return lines
