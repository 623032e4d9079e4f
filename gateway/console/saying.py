"""How the words of the console carry out a command and tell what came of it."""

import logging
from typing import Any

import msgspec

from gateway.bootstrap import running
from gateway.command import Channel
from gateway.settings import Settings, read_settings

ACTOR = "staff:console"


def settings_for_console() -> Settings:
    """Return the settings, with nothing but warnings logged beside the answer. Raises SettingsFault."""
    logging.basicConfig(level=logging.WARNING)
    return read_settings()


def do(name: str, body: msgspec.Struct) -> dict[str, Any]:
    """Carry out one command as the console and return its answer. Raises Rejection."""
    with running(settings_for_console()) as gateway:
        return gateway.do(name, body, actor=ACTOR, channel=Channel.OPERATIONS)


def say(answer: Any, sentence: str, *, as_json: bool) -> None:
    """Print the answer for programs, or the sentence for people."""
    print(msgspec.json.encode(answer).decode() if as_json else sentence)
