"""The park's edge loses its power while it is alone; what it had decided, it still knows."""

from simulators.demo.stage import Stage
from wallet.reasons import Reason

EDGE = "park"
_READY_S = 40.0


def play(stage: Stage) -> None:
    """Kill the edge with SIGKILL and use a pick on the one that was started again."""
    lead = stage.memory.guests[0]
    stage.expect_green("galleon-entrance", lead)
    pid = stage.supervisor.kill(EDGE)
    stage.narrator.say(f"The park's edge (process {pid}) is killed and started again, still cut off.")
    stage.supervisor.wait_ready(EDGE, _READY_S)
    stage.expect_green("galleon-merge", lead)
    stage.expect_blue("galleon-entrance", lead, Reason.RESERVATION_REDEEMED)
