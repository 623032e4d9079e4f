"""How the words of the console carry out a command and tell what came of it."""

import logging
from pathlib import Path
from typing import Any

import msgspec

from gateway.bootstrap import running
from gateway.command import Channel
from gateway.db.engine import Database
from gateway.db.migrate import is_made
from gateway.settings import Settings, SettingsFault, read_settings

ACTOR = "staff:console"


def settings_for_console(*, may_make: bool = False) -> Settings:
    """Return the settings, with nothing but warnings logged beside the answer.

    Args:
        may_make: whether the word may begin a gateway where there is none yet, as `run`, `load` and `migrate` do.
    Raises:
        SettingsFault: a setting is wrong, or there is no gateway where the settings point.
    """
    logging.basicConfig(level=logging.WARNING)
    settings = read_settings()
    if not may_make:
        _must_stand(settings)
    return settings


def _must_stand(settings: Settings) -> None:
    where = (
        "set PASSBAND_DIRECTORY and PASSBAND_DATABASE_URL as that gateway has them, or `load` a resort first"
    )
    file = Path(settings.database.removeprefix("sqlite:///"))
    if settings.database.startswith("sqlite:///") and not file.is_file():
        raise SettingsFault(f"there is no database {file}; {where}")
    database = Database(settings.database, pool_size=1)
    try:
        if not is_made(database):
            raise SettingsFault(f"the database holds no gateway yet; {where}")
    finally:
        database.close()
    key = settings.master_key_file
    if settings.master_key is None and not key.is_file():
        raise SettingsFault(f"there is no master key {key}; {where}")


def do(name: str, body: msgspec.Struct, *, may_make: bool = False) -> dict[str, Any]:
    """Carry out one command as the console and return its answer. Raises Rejection, SettingsFault."""
    with running(settings_for_console(may_make=may_make)) as gateway:
        return gateway.do(name, body, actor=ACTOR, channel=Channel.OPERATIONS)


def say(answer: Any, sentence: str, *, as_json: bool) -> None:
    """Print the answer for programs, or the sentence for people."""
    print(msgspec.json.encode(answer).decode() if as_json else sentence)
