"""The words about the resort and its database: migrate, load, export-resort."""

from pathlib import Path

from gateway.bootstrap import running
from gateway.console.saying import do, say, settings_for_console
from gateway.db import migrate
from gateway.resort_toml import ResortFaults, read_resort, write_resort
from gateway.services.resort import LoadedResort


def bring_up_to_date() -> int:
    """Bring the database's tables to this version."""
    migrate(settings_for_console(may_make=True).database)
    print("The database is up to date.")
    return 0


def load(file: Path, *, as_json: bool) -> int:
    """Load the resort from a TOML file, or tell each of its faults with its line.

    Raises:
        OSError: the file can't be read.
        Rejection: this gateway can't become that resort.
    """
    try:
        resort = read_resort(file.read_text(encoding="utf-8"))
    except ResortFaults as faults:
        lines = "\n".join(f"{file}:{each.line}: {each.sentence}" for each in faults.faults)
        say({"faults": faults.faults}, lines, as_json=as_json)
        return 1
    except UnicodeDecodeError:
        raise OSError(f"{file} is not UTF-8 text") from None
    except OSError as error:
        raise OSError(f"{file} can't be read ({error.strerror})") from None
    answer = do("resort.load", LoadedResort(resort), may_make=True)
    done = "is loaded as" if answer["changed"] else "is already"
    say(answer, f"{resort.name} {done} version {answer['version']}.", as_json=as_json)
    return 0


def export_resort() -> int:
    """Print the current resort as TOML. Raises Rejection when there is none."""
    with running(settings_for_console()) as gateway:
        print(write_resort(gateway.feed.resort()), end="")
    return 0
