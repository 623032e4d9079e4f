"""`passband edge`: run, enrol, look at an edge."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from readers.settings import Settings, SettingsFault, load_settings


def main(argv: list[str]) -> int:
    """Run one word of `passband edge` and return the exit status: 0 only on success, 2 for a wrong line."""
    try:
        given = parser().parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    from readers.store import StoreDamaged, StoreUnwritable
    from readers.transport.base import TransportFault

    try:
        return _answer(given)
    except (SettingsFault, StoreDamaged, StoreUnwritable, TransportFault, FileNotFoundError) as fault:
        print(f"passband edge: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line: every word with its options and sentences."""
    whole = argparse.ArgumentParser(
        prog="passband edge", description="Run the readers of one venue.", allow_abbrev=False
    )
    words = whole.add_subparsers(dest="word", metavar="WORD", required=True)
    run_ = _word(
        words, "run", "Serve the readers until SIGTERM or Ctrl-C; the taps in hand are finished first."
    )
    run_.add_argument("--verbose", action="store_true", help="Log what happens, not only what goes wrong.")
    enrol_ = _word(
        words, "enrol", "Make this edge's key, tell the gateway its public half, and keep what to trust."
    )
    enrol_.add_argument("--code", required=True, help="The one-time code.")
    status_ = _word(
        words,
        "status",
        "Tell how the running edge is. The exit status is 0 when all readers are up, the facts are young enough, "
        "the journal can be written and there is no alarm; otherwise 1, and each trouble is named.",
    )
    journal_ = _word(
        words, "journal", "List the journal and follow its chain; the exit status is 0 when it holds."
    )
    for word in (status_, journal_):
        word.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")
    return whole


def _word(words: Any, name: str, sentence: str) -> argparse.ArgumentParser:
    # argparse keeps the type of what add_subparsers returns to itself.
    made: argparse.ArgumentParser = words.add_parser(
        name, help=sentence, description=sentence, allow_abbrev=False
    )
    made.add_argument("--settings", type=Path, required=True, metavar="FILE", help="The edge's TOML file.")
    return made


def _answer(given: argparse.Namespace) -> int:
    match given.word:
        case "run":
            return run(given.settings, verbose=given.verbose)
        case "enrol":
            return enrol(given.settings, given.code)
        case "status":
            return status(given.settings, as_json=given.as_json)
        case "journal":
            return journal(given.settings, as_json=given.as_json)
    raise AssertionError(f"{given.word} is declared and not answered")


def run(settings_file: Path, *, verbose: bool) -> int:
    """Serve the readers until SIGTERM or Ctrl-C; the taps in hand are finished first."""
    import logging

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


def enrol(settings_file: Path, code: str) -> int:
    """Make this edge's key, tell the gateway its public half, and keep what to trust."""
    from readers.clock import SystemClock, SystemEntropy, new_id
    from readers.custody import keys_of_new_enrolment
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
    keys_of_new_enrolment(edge.directory, key, anchors)
    save_anchors(edge.directory, anchors)
    print(f"edge {edge.id} is enrolled for {edge.venue} with {len(anchors.issuer_keys)} issuer key(s)")
    return 0


def status(settings_file: Path, *, as_json: bool) -> int:
    """Tell how the running edge is; the exit status is 0 when it runs without trouble."""
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
        for trouble in told.troubles:
            print(f"  TROUBLE {trouble}")
    return 1 if told.troubles else 0


def journal(settings_file: Path, *, as_json: bool) -> int:
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
