"""Run Passband on a fresh machine: ``python3 run.py demo`` and ``python3 run.py test``.

Standard library only, for Linux and macOS (on Windows: WSL). The first run makes a private ``.passband/``
folder in this checkout, puts a pinned uv there when the machine has none, and installs exactly what
``requirements.lock`` names. Later runs only compare a stamp and go. The syntax stays readable to Python 3.6,
so that an old Python gets a sentence instead of a SyntaxError.
"""

import ast
import fcntl
import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

if sys.version_info < (3, 11):
    sys.exit(f"passband: Python 3.11 or newer is needed, and this is Python {sys.version.split()[0]}.")

ROOT = pathlib.Path(__file__).resolve().parent
HOME = ROOT / ".passband"
VENV = HOME / "venv"
STAMP = HOME / "venv.stamp"
LOCK = ROOT / "requirements.lock"
SETUP_LOCK = ROOT / "requirements-setup.lock"
UV_OLDEST = (0, 8, 0)  # `uv venv --clear` came with 0.8
USAGE = """usage: python3 run.py WORDS...

  demo [options]        play a resort day on this machine (passband demo)
  test [pytest options] run the tests
  passband WORDS...     any word of the one command line, for example: passband verify
  python FILE, ruff check ., mypy, ...   any program of the environment, with the project importable"""

# How uv's environment says what pip's configuration says. uv reads none of pip's files.
PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "proxy": ("ALL_PROXY", " "),
}
# Older names by which a person may have told uv the same thing; theirs wins.
UV_ALIASES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
NO_NETWORK = re.compile(
    "NewConnectionError|ConnectTimeout|NameResolution|name resolution|Name or service not known|dns error"
    "|tcp connect|error sending request|Failed to fetch|Could not connect|Network is unreachable"
    "|Connection (refused|reset|broken)|timed out|ProxyError|Remote end closed",
    re.IGNORECASE,
)
WRONG_HASH = re.compile(r"hash mismatch|do(es)? not match the hashes", re.IGNORECASE)


class SetupError(Exception):
    """Set-up cannot go on; the message is the one sentence to show."""


def say(text: str) -> None:
    """Tell the person what happens, on stderr so that a report on stdout stays clean."""
    print("passband: " + text, file=sys.stderr, flush=True)


def main(words: "list[str]") -> int:
    """Set the environment up if needed, then become the program that the words name.

    Returns:
        An exit status, only when nothing could be run: on success this process is replaced.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE, file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    try:
        ensure_environment()
        become(words)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command starts over cleanly.")
        return 130
    say(f"there is no program {words[0]!r} in the environment; see `python3 run.py --help`.")
    return 2


def ensure_environment() -> None:
    """Leave with an environment that holds exactly what the lock names.

    The stamp is removed before the first change and written after the last one, under a lock that the
    installing child holds too: neither a kill nor a second run at the same time leaves half an environment
    that passes for a whole one.
    """
    wanted = fingerprint()
    if is_current(wanted):
        return
    HOME.mkdir(exist_ok=True)
    # SIGTERM must stop the installing child as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with (HOME / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work in this checkout; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current(wanted):
            install(wanted, lock.fileno())
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def fingerprint() -> str:
    """Return what the environment depends on: the locks, the Python under it, the folder its scripts name."""
    python = f"{sys.version} {os.path.realpath(sys.base_prefix)}"
    parts = [LOCK.read_bytes(), SETUP_LOCK.read_bytes(), python.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def is_current(wanted: str) -> bool:
    """Tell whether the environment was finished for this very fingerprint."""
    try:
        return STAMP.read_text() == wanted and (VENV / "bin" / "python").exists()
    except FileNotFoundError:
        return False


def install(wanted: str, lock_fd: int) -> None:
    """Make the environment anew and stamp it. uv's cache makes a second time cheap, so nothing half is kept.

    Raises:
        SetupError: with the one sentence that explains it.
    """
    started = time.monotonic()
    say("setting up a private environment in .passband/ (once per change of requirements.lock).")
    STAMP.unlink(missing_ok=True)
    env = uv_environment()
    uv = find_uv() or fetch_uv(lock_fd)
    # An environment is never built on one that is about to go, should that one run us.
    python = getattr(sys, "_base_executable", None) or sys.executable
    venv = [uv, "venv", "--quiet", "--no-project", "--clear", "--python", python, str(VENV)]
    step("making the environment", venv, env, lock_fd)
    count = len(re.findall("^[a-z0-9].*==", LOCK.read_text(), re.MULTILINE))
    # Compiled once, here: where bytecode is not to be written, each process would compile every package anew.
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", str(VENV)]
    sync += [str(LOCK)]
    sync += [
        "--build-constraints",
        str(SETUP_LOCK),
    ]  # a package without a wheel is built by what we pinned, too
    step(f"installing {count} packages", sync, env, lock_fd)
    part = STAMP.with_suffix(".part")
    part.write_text(wanted)
    part.replace(STAMP)
    say(f"ready after {time.monotonic() - started:.0f} s.")


def find_uv() -> "str | None":
    """Return a usable uv: the machine's own when new enough, else the private one of an earlier run."""
    for found in (shutil.which("uv"), private_uv()):
        if not found or not os.access(found, os.X_OK):
            continue
        try:
            told = output_of([found, "--version"])
        except (OSError, subprocess.SubprocessError):
            continue
        version = re.match(r"uv (\d+)\.(\d+)\.(\d+)", told)
        if version and tuple(map(int, version.groups())) >= UV_OLDEST:
            return str(found)
    return None


def private_uv() -> str:
    """Return where the pinned uv belongs; the folder carries the pin, so a new pin is fetched anew."""
    return str(HOME / ("uv-" + hashlib.sha256(SETUP_LOCK.read_bytes()).hexdigest()[:12]) / "bin" / "uv")


def fetch_uv(lock_fd: int) -> str:
    """Put the pinned uv into the private folder with pip, whole or not at all, and return its path.

    ``--target`` works where PEP 668 forbids an ordinary install and where venv or ensurepip are missing.
    """
    if not has_pip():
        raise SetupError(
            "this Python has no pip and no uv is on PATH; install one (Debian: apt-get install python3-pip)."
        )
    folder = pathlib.Path(private_uv()).parent.parent
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    pip += ["--retries", "2", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    pip += ["--target", str(part), "-r", str(SETUP_LOCK)]
    # Settings that make sense for a person's own installs and contradict --target.
    env = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    step("fetching uv, the installer", pip, env, lock_fd)
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return private_uv()


def has_pip() -> bool:
    """Tell whether this Python can run pip."""
    return importlib.util.find_spec("pip") is not None


def output_of(command: "list[str]") -> str:
    """Return what a short command prints.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be run, fails, or takes more than 20 s.
    """
    told = subprocess.run(
        command, capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL
    )
    return told.stdout


def uv_environment() -> "dict[str, str]":
    """Return the environment for uv: the person's own, with pip's index, certificates and proxies added."""
    env = dict(os.environ, UV_PYTHON_DOWNLOADS="never")
    # An activated environment elsewhere is none of our business.
    env.pop("VIRTUAL_ENV", None)
    for name, value in pip_settings().items():
        variable, separator = PIP_TO_UV.get(name, ("", ""))
        if variable and value and variable not in env and UV_ALIASES.get(variable) not in env:
            env[variable] = separator.join(value.split())
    # pip looks at all indexes, uv at the first that knows a name; the lock's hashes make looking at all safe.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def pip_settings() -> "dict[str, str]":
    """Return pip's settings by option name; the values may hold credentials and are never printed."""
    try:
        return parse_pip_settings(output_of([sys.executable, "-m", "pip", "config", "list"]))
    except subprocess.SubprocessError:
        # No pip here (uv was on PATH): its environment variables are still a wish.
        pip = {name[4:]: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {name.lower().replace("_", "-"): value for name, value in pip.items()}


def parse_pip_settings(listing: str) -> "dict[str, str]":
    """Read ``pip config list``; the later wins as in pip: global, the install command, the environment."""
    settings: "dict[str, str]" = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(section + "."):
                settings[key[len(section) + 1 :]] = str(ast.literal_eval(value))
    return settings


def step(what: str, command: "list[str]", env: "dict[str, str]", lock_fd: int) -> None:
    """Run one step of the set-up, telling the elapsed time while it lasts.

    The child holds the install lock as well: should this process be killed, the next run waits until the
    orphan is done.

    Raises:
        SetupError: the step failed, said in one sentence where the cause is known.
    """
    started = time.monotonic()
    on_terminal = sys.stderr.isatty()
    say(what + " ...")
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        pass_fds=(lock_fd,),
        cwd=str(ROOT),
        encoding="utf-8",
        errors="replace",
    ) as child:  # fmt: skip  (one line each would hide the rest)
        try:
            while True:
                try:
                    output = child.communicate(timeout=1 if on_terminal else 5)[0]
                    break
                except subprocess.TimeoutExpired:
                    elapsed = f"passband: {what} ... {time.monotonic() - started:.0f} s"
                    print(elapsed, end="\r" if on_terminal else "\n", file=sys.stderr, flush=True)
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        raise SetupError(explain(what, output, child.returncode))


def explain(what: str, output: str, status: int) -> str:
    """Return one sentence for a failed step, and the tool's last words only where the cause is unknown."""
    if WRONG_HASH.search(output):
        return f"{what} failed: a downloaded file is not the one that the lock names; it was not installed."
    if NO_NETWORK.search(output):
        return f"{what} failed: the package index cannot be reached; check the network and run this again."
    shown = re.sub(r"//[^/@\s]+@", "//***@", output).strip().splitlines()[-12:]
    return "\n  ".join([f"{what} failed with exit status {status}:", *shown])


def become(words: "list[str]") -> None:
    """Replace this process by the program, so that signals and its exit status are the program's own.

    Returns only when the environment has no such program.
    """
    name, rest = words[0], words[1:]
    python = str(VENV / "bin" / "python")
    passband = [python, str(ROOT / "passband.py")]
    if name == "test":
        os.chdir(ROOT)
        command = [python, "-m", "pytest", *workers(rest), *rest]
    elif name == "demo":
        command = [*passband, *words]
    elif name == "passband":
        command = [*passband, *rest]
    elif name in ("python", "python3"):
        command = [python, *rest]
    elif os.sep not in name and (VENV / "bin" / name).exists():
        command = [str(VENV / "bin" / name), *rest]
    else:
        return
    env = dict(os.environ, VIRTUAL_ENV=str(VENV))
    env["PATH"] = os.pathsep.join([str(VENV / "bin"), env.get("PATH", os.defpath)])
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [env.get("PYTHONPATH")])])
    env.pop("PYTHONHOME", None)
    sys.stdout.flush()
    os.execve(command[0], command, env)  # noqa: S606  (no shell is meant: the words pass through as they are)


def workers(options: "list[str]") -> "list[str]":
    """Return the pytest options that use the machine's cores, unless the person chose or wants a debugger."""
    own_choice = ("-n", "--numprocesses", "--pdb", "--trace", "--collect-only", "--co")
    if any(option.startswith(own_choice) for option in options) or "no:xdist" in options:
        return []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ["-n", str(cores), "--dist", "worksteal"] if cores > 1 else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
