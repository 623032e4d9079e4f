"""The programs `passband demo`, `passband simulate kills` and `passband verify`."""

import contextlib
import importlib
import json
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from simulators.demo.chapters.staying import play as play_on
from simulators.demo.faults import Refused, StoryFailed
from simulators.demo.narrator import Narrator
from simulators.demo.plan import Plan
from simulators.demo.report import Report, promise_lines
from simulators.demo.run import Options, Played, played_story
from simulators.ports import DEFAULT_PORT_BASE, PORT_SPAN, PortTaken, free_port_base
from simulators.processes import ChildFailed

NARRATED_PAUSE_S = 0.25
_DATABASE_NOTE = "database"
"""The file that says on which database a directory's demo was played: "sqlite" or "postgresql"."""
_LOOK_S = 1.0


@dataclass(frozen=True)
class Story:
    """What a person asked for. Without `directory` the files are thrown away at the end."""

    directory: Path | None
    port_base: int | None
    seed: int
    postgres: bool
    as_json: bool


def run_demo(story: Story, *, once: bool, fast: bool) -> int:
    """Play the story, report, and stay up unless `once`; return the exit status."""
    narrator = Narrator(pause_s=0.0 if fast else NARRATED_PAUSE_S)
    port_base = story.port_base or DEFAULT_PORT_BASE
    return _guarded(lambda: _demo(story, port_base, narrator, once=once))


def run_kills(story: Story) -> int:
    """Play the fast story while its processes are killed; return 0 when every green light has its one tap."""
    narrator = Narrator(pause_s=0.0)
    port_base = story.port_base or free_port_base(PORT_SPAN)
    return _guarded(lambda: _demo(story, port_base, narrator, once=True, kills=True))


def run_verify(directory: Path | None, database_url: str, edges: list[Path], *, as_json: bool) -> int:
    """Check the promises and tell which rows break which; return 0 when none is false.

    Without a directory and an address it is the gateway's own database, by the same settings as the gateway has.
    """
    if directory is not None and not (directory / _DATABASE_NOTE).exists():
        print(f"passband verify: {directory} holds no demo; give the one from --dir.", file=sys.stderr)
        return 2
    from gateway.db.engine import DATABASE_FAULTS, said_by
    from gateway.settings import Storage
    from readers.settings import SettingsFault
    from simulators.demo.books import verify_promises

    with ExitStack() as stack:
        if directory is not None:
            edges = edges or sorted((directory / "edges").glob("*.toml"))
        if directory is not None and not database_url:
            kind = (directory / _DATABASE_NOTE).read_text(encoding="utf-8").strip()
            database_url = stack.enter_context(_database(directory, postgres=kind == "postgresql"))
        database_url = database_url or Storage().database
        file = Path(database_url.removeprefix("sqlite:///"))
        if database_url.startswith("sqlite:///") and not file.is_file():
            where = "give --dir or --database-url, or set PASSBAND_DIRECTORY or PASSBAND_DATABASE_URL"
            print(f"passband verify: there is no database {file}; {where}.", file=sys.stderr)
            return 2
        try:
            verification = verify_promises(database_url, edges)
        except (SettingsFault, FileNotFoundError) as fault:
            print(f"passband verify: {fault}", file=sys.stderr)
            return 2
        except DATABASE_FAULTS as fault:
            print(f"passband verify: the database cannot be used: {said_by(fault)}", file=sys.stderr)
            return 2
    if as_json:
        print(json.dumps(verification.as_dict(), ensure_ascii=False))
    else:
        Narrator(pause_s=0.0).figures("Promises", promise_lines(verification))
    return 0 if verification.holds else 1


def _demo(story: Story, port_base: int, narrator: Narrator, *, once: bool, kills: bool = False) -> int:
    with ExitStack() as stack:
        directory = stack.enter_context(_directory(story.directory))
        database_url = stack.enter_context(_database(directory, postgres=story.postgres))
        kind = "postgresql" if story.postgres else "sqlite"
        (directory / _DATABASE_NOTE).write_text(kind, encoding="utf-8")
        plan = Plan(directory, port_base)
        options = Options(plan, database_url, story.seed, kills=kills)
        played = stack.enter_context(played_story(options, narrator))
        _tell(played.report, narrator)
        if story.as_json:
            print(json.dumps(played.report.as_dict(), ensure_ascii=False), flush=True)
        if not once and not played.report.failure:
            _stay_up(played, narrator)
        return 0 if played.report.is_good else 1


def _tell(report: Report, narrator: Narrator) -> None:
    if report.verification is not None:
        narrator.figures("Promises", promise_lines(report.verification))
        narrator.figures("Figures", report.verification.figures)
    if report.kills:
        narrator.figures("Killed", report.kills)
    if report.failure:
        narrator.say(f"The story broke off: {report.failure}")
    narrator.say(f"{report.seconds} seconds.")


def _stay_up(played: Played, narrator: Narrator) -> None:
    plan, memory = played.house.plan, played.stage.memory
    guests = {"guest, checked out": (memory.party_id, memory.booking_reference)}
    try:
        staying = play_on(played.stage)
        guests = {"guest, staying": (staying.party_id, staying.booking_reference)} | guests
    except (StoryFailed, Refused) as fault:
        narrator.say(f"The couple who was to stay could not: {fault}")
    pages = {"workbench": f"{plan.gateway_url}/workbench"}
    for who, (party_id, reference) in guests.items():
        codes = f"/api/v1/parties/{party_id}/sign-in-codes"
        desk = played.house.staff["desk"]
        code = played.house.gateway.command(f"a code for {who}", codes, {}, desk)["code"]
        pages[who] = f"{plan.gateway_url}/app   (booking {reference}, code {code}, good once)"
    pages |= {
        "photographer": f"{plan.gateway_url}/photo",
        "timeline for staff": f"{plan.gateway_url}/staff",
    }
    pages |= {f"edge {edge}": plan.edge_url(edge) for edge in plan.edges}
    narrator.figures("The resort stays up until Ctrl-C", pages)
    narrator.figures("Staff (name: password)", played.house.passwords)
    # Whoever plays on may kill what they like, as often as they like: the rest stays up.
    played.house.supervisor.endure(narrator.say)
    rest = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        while not rest.wait(_LOOK_S):
            played.house.supervisor.check()


@contextmanager
def _directory(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        made = Path(tempfile.mkdtemp(prefix="passband-demo-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    if (wanted / _DATABASE_NOTE).exists():
        raise StoryFailed(f"{wanted} holds a demo already: choose another directory, or remove it first.")
    wanted.mkdir(parents=True, exist_ok=True)
    yield wanted.resolve()


@contextmanager
def _database(directory: Path, *, postgres: bool) -> Iterator[str]:
    if not postgres:
        yield f"sqlite:///{directory / 'passband.sqlite'}"
        return
    from simulators.postgres import postgres_url, running_postgres

    # The server takes a second to make its files; meanwhile the gateway's libraries are read, needed right after.
    threading.Thread(target=importlib.import_module, args=("simulators.demo.preparing",), daemon=True).start()
    with running_postgres(directory / "postgres") as server:
        yield postgres_url(server)


def _guarded(play: Callable[[], int]) -> int:
    """Run a program; every expected failure is one sentence, and SIGTERM ends it in good order."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return play()
    except (StoryFailed, PortTaken, ChildFailed) as fault:
        print(f"passband: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
