"""The cables are mended: every tap comes home once, the lost band stops, conflicts are listed."""

from simulators.demo.chapters.cut import CUT_OFF
from simulators.demo.faults import Refused, StoryFailed
from simulators.demo.stage import Stage
from wallet.reasons import Reason


def play(stage: Stage) -> None:
    """Heal both networks and look at what came of it."""
    for edge in CUT_OFF:
        stage.field.heal(edge)
    stage.until_online(CUT_OFF)
    stage.until_home()
    stage.settle()
    stage.narrator.say("The cut heals: journals come home, the feed catches up.")
    _expect_every_light_in_ledger(stage)
    _, lost, *_ = stage.memory.guests
    stage.expect_blue("gate-1", lost, Reason.MEDIUM_REVOKED)
    _tell_conflicts(stage)
    stage.tell_ledger()


def _expect_every_light_in_ledger(stage: Stage) -> None:
    lights = [light for light in stage.lamps.all() if light.decision == "approved"]
    for light in lights:
        try:
            stage.gateway.get(f"/api/v1/taps/{light.tap_id}", stage.staff["operations"])
        except Refused as refusal:
            raise StoryFailed(
                f"The green light of tap {light.tap_id} is not in the ledger: {refusal}"
            ) from None
    stage.narrator.ledger(f"all {len(lights)} green lights so far have their tap")


def _tell_conflicts(stage: Stage) -> None:
    conflicts = stage.gateway.get("/api/v1/conflicts", stage.staff["operations"], state="open")["conflicts"]
    missing = set(stage.memory.lost_taps) - {str(conflict["tap_id"]) for conflict in conflicts}
    if missing:
        raise StoryFailed("The tap of the band reported lost was let through and no conflict says so.")
    for conflict in conflicts:
        stage.narrator.ledger(
            f"conflict: {conflict['kind']} at edge {conflict['edge']}, tap {conflict['tap_id'][:8]}"
        )
