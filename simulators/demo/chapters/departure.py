"""The car leaves, the bill is paid, the key is dead."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulators.demo.chapters import times
from simulators.demo.faults import StoryFailed
from simulators.demo.stage import Stage
from wallet.reasons import Reason


def play(stage: Stage) -> None:
    """Check out and try the door once more."""
    memory = stage.memory
    lead = memory.guests[0]
    stage.settle(("hotel",))
    stage.expect_green("lane-out", lead)
    stage.until_home(("hotel",))
    party = f"/api/v1/parties/{memory.party_id}"
    stage.gateway.command("check out", f"{party}/check-out", {"tender": "card_terminal"}, stage.staff["desk"])
    folio = stage.gateway.get(f"{party}/folio", stage.staff["desk"])
    if folio["balance_minor"] != 0 or sum(line["amount_minor"] for line in folio["lines"]) != 0:
        raise StoryFailed(f"The folio is not settled: {folio['balance_minor']} is left.")
    unlike = folio_unlike(folio["lines"], memory.charged_minor)
    if unlike:
        raise StoryFailed(unlike)
    stage.narrator.say("Checked out. The folio, line by line:")
    for line in folio["lines"]:
        amount = times.money(stage, line["amount_minor"])
        stage.narrator.ledger(f"{line['description'][:60]:<62}{amount:>14}")
    stage.settle(("hotel",))
    stage.expect_blue(f"door-{memory.room}", lead, Reason.AFTER_CHECK_OUT)
    stage.until_home()
    stage.tell_ledger()


def folio_unlike(lines: Sequence[Mapping[str, Any]], charged_minor: Mapping[str, int]) -> str:
    """Return how the folio's lines differ from what was paid by tap, empty when each sale stands there once."""
    told = sorted((str(line["tap_id"]), int(line["amount_minor"])) for line in lines if line["tap_id"])
    if told == sorted(charged_minor.items()):
        return ""
    return f"The folio shows the sales {told}, paid were {sorted(charged_minor.items())}."
