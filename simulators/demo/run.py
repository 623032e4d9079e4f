"""Plays the story once, from an empty directory to the report."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.resort_toml import read_resort
from simulators.beats import Beats
from simulators.demo.chapters import CHAPTERS, times
from simulators.demo.faults import Refused, StoryFailed
from simulators.demo.house import House, running_house
from simulators.demo.narrator import Narrator
from simulators.demo.plan import RESORT_FILE, Plan
from simulators.demo.report import Report
from simulators.demo.stage import Stage
from simulators.dice import Dice
from simulators.kills import Killer, plan_kills
from simulators.lamps import LampLogFault
from simulators.processes import ChildFailed


@dataclass(frozen=True)
class Options:
    """How to play.

    Attributes:
        pause_s: time to read a line of the narration.
        kills: whether processes are killed meanwhile.
    """

    plan: Plan
    database_url: str
    seed: int
    pause_s: float = 0.0
    kills: bool = False


@dataclass
class Played:
    """A story that was told, its resort still running."""

    house: House
    stage: Stage
    report: Report


@contextmanager
def played_story(options: Options, narrator: Narrator) -> Iterator[Played]:
    """Bring a resort up, play the story and count; the resort is there until the block is left.

    A story that fails is reported, not raised.

    Raises:
        PortTaken: another program has one of the ports.
        ChildFailed: a process does not start.
    """
    dice, beats, report = Dice(options.seed), Beats(), Report(seed=options.seed)
    began = time.monotonic()
    with running_house(options.plan, options.database_url, dice, beats, narrator.say) as house:
        stage = _stage(options, house, dice, beats, narrator)
        killer = Killer(house.supervisor, beats, plan_kills(dice, house.supervisor.names))
        if options.kills:
            killer.start()
        try:
            _play(stage)
            killer.stop()
            stage.until_home()
            stage.settle()
            from simulators.demo.books import verify_promises

            report.verification = verify_promises(
                options.database_url, [options.plan.edge_settings(edge) for edge in options.plan.edges]
            )
        except (StoryFailed, Refused, ChildFailed, LampLogFault) as fault:
            report.failure = str(fault)
        finally:
            killer.stop()
        for kill in killer.done:
            report.kills[kill.name] = report.kills.get(kill.name, 0) + 1
        report.steps = beats.count
        report.seconds = round(time.monotonic() - began, 1)
        yield Played(house, stage, report)


def _stage(options: Options, house: House, dice: Dice, beats: Beats, narrator: Narrator) -> Stage:
    return Stage(
        plan=options.plan,
        resort=read_resort(RESORT_FILE.read_text(encoding="utf-8")),
        dice=dice,
        beats=beats,
        clock=house.clock,
        supervisor=house.supervisor,
        narrator=narrator,
        staff=house.staff,
        gateway=house.gateway,
    )


def _play(stage: Stage) -> None:
    stage.settle()
    times.begin(stage)
    for chapter in CHAPTERS:
        times.pass_until(stage, chapter.day(stage), chapter.clock)
        stage.narrator.chapter(chapter.title, stage.now_local())
        chapter.play(stage)
