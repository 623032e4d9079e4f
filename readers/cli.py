"""`passband edge`: run, enrol, look at an edge."""

import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import click
import typer

from readers.settings import Settings, SettingsFault, load_settings

_SettingsFile = Annotated[Path, typer.Option("--settings", help="The edge's TOML file.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Run the readers of one venue.")


def main(argv: list[str]) -> int:
    """Run one word of `passband edge` and return the exit status: 0 only on success."""
    from readers.store import StoreDamaged, StoreUnwritable
    from readers.transport.base import TransportFault

    try:
        status = app(argv, prog_name="passband edge", standalone_mode=False)
    except (SettingsFault, StoreDamaged, StoreUnwritable, TransportFault, FileNotFoundError) as fault:
        print(f"passband edge: {fault}", file=sys.stderr)
        return 1
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    return int(status or 0)


@app.command()
def run(settings_file: _SettingsFile, verbose: Annotated[bool, typer.Option("--verbose")] = False) -> int:
    """Serve the readers until SIGTERM or Ctrl-C; the taps in hand are finished first."""
    settings = load_settings(settings_file)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    stop = threading.Event()
    _on_signals(stop)
    from readers.clock import SystemClock, SystemEntropy
    from readers.edge import Edge

    edge = Edge(settings, SystemClock(settings.simulation_clock), SystemEntropy())
    from readers.web.server import WebServer

    web = WebServer(edge, till_key(settings))
    web.start()
    print(f"edge {settings.edge.id}: http://{settings.edge.web_host}:{web.port}/", flush=True)
    try:
        edge.run(stop)
    finally:
        web.stop()
    return 0


@app.command()
def enrol(settings_file: _SettingsFile, code: Annotated[str, typer.Option(help="The one-time code.")]) -> int:
    """Make this edge's key, tell the gateway its public half, and keep what to trust."""
    from readers.clock import SystemClock, SystemEntropy, new_id
    from readers.transport import http
    from readers.trust import make_key, public_key_hex, save_anchors

    settings = load_settings(settings_file)
    edge, entropy = settings.edge, SystemEntropy()
    edge.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = make_key(edge.directory, entropy.bytes(32))
    request = new_id(SystemClock(settings.simulation_clock), entropy)
    anchors = http.enrol(edge.gateway_url, edge.id, code, public_key_hex(key), request)
    if anchors.venue != edge.venue:
        raise SettingsFault(f"edge.venue is {edge.venue!r}, but this edge was enrolled for {anchors.venue!r}")
    save_anchors(edge.directory, anchors)
    print(f"edge {edge.id} is enrolled for {edge.venue} and trusts {len(anchors.issuer_keys)} issuer keys")
    return 0


@app.command()
def status(settings_file: _SettingsFile, as_json: _Json = False) -> int:
    """Tell how the running edge is; the exit status is 0 when it runs without an alarm."""
    import httpx
    import msgspec

    from readers.status import Status

    edge = load_settings(settings_file).edge
    url = f"http://{edge.web_host}:{edge.web_port}/status"
    try:
        body = httpx.get(url, trust_env=False, timeout=5.0).raise_for_status().content
    except httpx.HTTPError:
        print(f"edge {edge.id} doesn't answer at {url}; is it running?", file=sys.stderr)
        return 1
    if as_json:
        print(body.decode())
    told = msgspec.json.decode(body, type=Status)
    if not as_json:
        print(
            f"{told.edge} ({told.venue}): {'online' if told.online else 'offline'}, "
            f"{told.backlog} entries to bring home"
        )
        for reader in told.readers:
            print(f"  {reader.id:<24}{reader.touchpoint:<24}{reader.state:<10}{reader.last_error}")
        for alarm in told.alarms:
            print(f"  ALARM {alarm}")
    return 1 if told.alarms else 0


@app.command()
def journal(settings_file: _SettingsFile, as_json: _Json = False) -> int:
    """List the journal and follow its chain; the exit status is 0 when it holds."""
    import msgspec

    from readers.audit import seen_entries
    from readers.outputs import reason_of, word_of

    whole = True
    for seen in seen_entries(load_settings(settings_file).edge.directory):
        whole = whole and seen.chained
        entry = seen.entry
        if as_json:
            print(msgspec.json.encode(seen).decode())
            continue
        verdict = f"{word_of(entry.decision)} {reason_of(entry.decision)}" if entry.decision else ""
        place = entry.tap.touchpoint if entry.tap else ""
        broken = "" if seen.chained else "  CHAIN BROKEN"
        print(f"{entry.number:>7} {entry.at:%Y-%m-%d %H:%M:%S} {entry.kind:<8}{place:<20}{verdict}{broken}")
    return 0 if whole else 1


def till_key(settings: Settings) -> str | None:
    """Return the key that tills show, None where no file is set.

    Raises:
        SettingsFault: the file can't be read or is empty.
    """
    path = settings.edge.till_key_file
    if path is None:
        return None
    try:
        key = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsFault(f"edge.till_key_file: {path} can't be read ({error.strerror})") from None
    if len(key) < 16:
        raise SettingsFault(
            f"edge.till_key_file: the key in {path} has under 16 characters; make a longer one"
        )
    return key


def _on_signals(stop: threading.Event) -> None:
    def leave(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
