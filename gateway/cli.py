"""`passband gateway`: run the ledger and look after it."""

import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import msgspec
import typer
import uvicorn

from gateway.app import create_app
from gateway.auth import STAFF_ROLES, Role
from gateway.bootstrap import Gateway, build, running
from gateway.command import Channel
from gateway.db import migrate
from gateway.db.people import everything_of
from gateway.edge_codes import new_edge
from gateway.errors import Rejection
from gateway.resort_toml import ResortFaults, read_resort, write_resort
from gateway.services.person import Forget
from gateway.services.resort import LoadedResort
from gateway.services.staff import NewStaff
from gateway.settings import Settings, SettingsFault, read_settings
from gateway.vault import VaultFault

_Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_ACTOR = "staff:console"

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Run and look after the central ledger.")
staff = typer.Typer(no_args_is_help=True, help="Members of staff.")
edge = typer.Typer(no_args_is_help=True, help="Edges of the venues.")
keys = typer.Typer(no_args_is_help=True, help="Issuer keys.")
app.add_typer(staff, name="staff")
app.add_typer(edge, name="edge")
app.add_typer(keys, name="keys")


def main(argv: list[str]) -> int:
    """Run one word of `passband gateway` and return the exit status: 0 only on success."""
    try:
        status = app(argv, prog_name="passband gateway", standalone_mode=False)
    except (SettingsFault, VaultFault, ResortFaults, OSError) as fault:
        print(f"passband gateway: {fault}", file=sys.stderr)
        return 1
    except Rejection as rejection:
        print(f"passband gateway: {rejection.sentence}", file=sys.stderr)
        return 1
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        # Typer brings click along under a name of its own; these are its errors about the words themselves.
        print(f"passband gateway: {error.format_message()}", file=sys.stderr)
        return 2
    return int(status or 0)


class _Server(uvicorn.Server):
    """Says where it is once it serves; lets those who wait for the feed go as soon as it is asked to end."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, url: str) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            print(f"passband gateway at {self._url}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take SIGTERM or SIGINT."""
        self._gateway.feed.release()
        # Not uvicorn's own way, which sends the signal again afterwards: an orderly end is a success.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


@app.command()
def run() -> int:
    """Run the gateway until it is told to end."""
    settings = read_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, settings.port))
        except OSError as error:
            raise OSError(
                f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}). "
                "Another program may be there; set PASSBAND_PORT to a free one."
            ) from None
        gateway = build(settings)
        config = uvicorn.Config(
            create_app(gateway), log_config=None, access_log=False, timeout_graceful_shutdown=5, lifespan="on"
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        server = _Server(config, gateway, f"http://{host}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])
    return 0 if server.started else 1


@app.command("migrate")
def bring_up_to_date() -> None:
    """Bring the database's tables to this version. `run` does it too."""
    migrate(_settings_for_console().database)
    print("The database is up to date.")


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="The resort's TOML file.")], as_json: _Json = False
) -> None:
    """Load the resort from a TOML file, after checking all of it."""
    try:
        resort = read_resort(file.read_text(encoding="utf-8"))
    except ResortFaults as faults:
        _say(
            as_json,
            {"faults": faults.faults},
            "\n".join(f"{file}:{each.line}: {each.sentence}" for each in faults.faults),
        )
        raise typer.Exit(1) from None
    except UnicodeDecodeError:
        raise OSError(f"{file} is not UTF-8 text") from None
    answer = _do("resort.load", LoadedResort(resort))
    done = "is loaded as" if answer["changed"] else "is already"
    _say(as_json, answer, f"{resort.name} {done} version {answer['version']}.")


@app.command("export-resort")
def export_resort() -> None:
    """Print the current resort as TOML."""
    with running(_settings_for_console()) as gateway:
        print(write_resort(gateway.feed.resort()), end="")


@app.command()
def forget(guest: Annotated[str, typer.Argument(help="The guest's id.")], as_json: _Json = False) -> None:
    """Erase who a guest is. What was counted and paid stays, under a pseudonym."""
    answer = _do("person.forget", Forget(guest))
    _say(as_json, answer, f"Guest {guest} is forgotten: name, address, telephone and plate are erased.")


@app.command()
def export(guest: Annotated[str, typer.Argument(help="The guest's id.")]) -> None:
    """Print everything held of a guest, as JSON."""
    with running(_settings_for_console()) as gateway, gateway.database.read() as connection:
        found = everything_of(connection, guest)
    if found is None:
        raise Rejection("not_found", 404, f"There is no guest {guest!r}.")
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


@staff.command("add")
def add_staff(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[
        list[Role], typer.Option(help="desk, operations or photographer; may be given several times.")
    ],
    as_json: _Json = False,
) -> None:
    """Let someone sign in, or give a new password and roles. The password is read from standard input."""
    unfit = [each.value for each in role if each not in STAFF_ROLES]
    if unfit:
        raise typer.BadParameter(f"{', '.join(unfit)} is no role of staff")
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with running(_settings_for_console()) as gateway:
        roles = tuple(sorted({each.value for each in role}))
        wish = NewStaff(name, gateway.passwords.hash(password), roles)
        answer = gateway.do("staff.add", wish, actor=_ACTOR, channel=Channel.OPERATIONS)
    _say(as_json, answer, f"{name} may sign in as {' and '.join(roles)}.")


@edge.command("add")
def add_edge(
    edge_id: Annotated[str, typer.Argument(metavar="ID", help="The edge's id.")],
    venue: Annotated[str, typer.Option(help="The venue whose readers it runs.")],
    as_json: _Json = False,
) -> None:
    """Announce an edge and print the one-time code that it enrols with."""
    with running(_settings_for_console()) as gateway:
        wish, code = new_edge(gateway, edge_id, venue, gateway.new_id())
        answer = gateway.do("edge.add", wish, actor=_ACTOR, channel=Channel.OPERATIONS)
    _say(as_json, answer | {"enrol_code": code}, code)


@keys.command("list")
def list_keys(as_json: _Json = False) -> None:
    """List the keys that sign credentials."""
    with running(_settings_for_console()) as gateway:
        rows = gateway.issuer.rows()
    told = [
        {"key_id": r.key_id, "epoch": r.epoch, "state": r.state, "public": r.public, "made_at": r.made_at}
        for r in rows
    ]
    _say(
        as_json,
        {"keys": told},
        "\n".join(f"{r.key_id}  epoch {r.epoch}  {r.state}  {r.made_at:%Y-%m-%d}" for r in rows),
    )


def _settings_for_console() -> Settings:
    logging.basicConfig(level=logging.WARNING)
    return read_settings()


def _do(name: str, body: msgspec.Struct) -> dict[str, Any]:
    with running(_settings_for_console()) as gateway:
        return gateway.do(name, body, actor=_ACTOR, channel=Channel.OPERATIONS)


def _say(as_json: bool, answer: Any, sentence: str) -> None:
    print(msgspec.json.encode(answer).decode() if as_json else sentence)
