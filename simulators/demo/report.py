"""What a run came to: counted in the lamp logs, the journals and the ledger, and reported as one JSON object."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from readers.audit import Audit
from simulators.demo.plan import Plan
from simulators.demo.stage import Stage
from wallet.journal import EntryKind

NOT_CHECKABLE = "not checkable here"


@dataclass
class Report:
    """The figures of one run. `promises` gives each promise true, false or "not checkable here"."""

    taps: int = 0
    approved: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    offline_taps: int = 0
    lost_taps: int = 0
    duplicated_taps: int = 0
    conflicts: int = 0
    books_balanced: bool | str = NOT_CHECKABLE
    promises: dict[str, bool | str] = field(default_factory=dict)
    seconds: float = 0.0
    seed: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    failure: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing that could be checked is broken."""
        broken = [name for name, kept in self.promises.items() if kept is False]
        counted = self.lost_taps == 0 and self.duplicated_taps == 0
        return not broken and not self.failure and counted and self.books_balanced is not False


def count_taps(stage: Stage, report: Report) -> None:
    """Fill in what lamps, journals and feed say about the taps."""
    lights = [light for light in stage.lamps.all() if light.decision != "asks"]
    green = {light.tap_id for light in lights if light.light == "green"}
    in_feed = Counter(
        str(entry["body"]["tap_id"]) for entry in stage.new_entries(0) if entry["kind"] == "tap.approved"
    )
    report.taps = len({light.tap_id for light in lights})
    report.approved = len(green)
    report.refused = dict(Counter(str(light.reason) for light in lights if light.light != "green"))
    report.lost_taps = len(green - set(in_feed))
    report.duplicated_taps = sum(1 for count in in_feed.values() if count > 1)
    report.offline_taps = sum(_offline_taps(stage.plan, edge) for edge in stage.plan.edges)
    report.conflicts = len(_conflicts(stage))


def _offline_taps(plan: Plan, edge: str) -> int:
    accounts = Audit(plan.edge_directory(edge)).entries()
    return sum(1 for each in accounts if each.entry.kind is EntryKind.TAP and not each.entry.online)


def _conflicts(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.gateway.get("/api/v1/conflicts", stage.staff["operations"])[
        "conflicts"
    ]
    return found
