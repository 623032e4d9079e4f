"""The words about people: forget and export a guest, let a member of staff in."""

import getpass
import sys
from collections.abc import Sequence

import msgspec

from gateway.bootstrap import running
from gateway.command import Channel
from gateway.console.saying import ACTOR, do, say, settings_for_console
from gateway.db.people import everything_of
from gateway.errors import Rejection
from gateway.services.person import Forget
from gateway.services.staff import FormerStaff, NewStaff


def forget(guest: str, *, as_json: bool) -> int:
    """Erase who a guest is. Raises Rejection when there is no such guest."""
    answer = do("person.forget", Forget(guest))
    sentence = f"Guest {guest} is forgotten: name, address, telephone and plate are erased."
    say(answer, sentence, as_json=as_json)
    return 0


def export(guest: str) -> int:
    """Print everything held of a guest, as JSON. Raises Rejection when there is no such guest."""
    with running(settings_for_console()) as gateway, gateway.database.read() as connection:
        found = everything_of(connection, guest)
    if found is None:
        raise Rejection("not_found", 404, f"There is no guest {guest!r}.")
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return 0


def add_staff(name: str, roles: Sequence[str], *, as_json: bool) -> int:
    """Let someone sign in, or give a new password and roles. Raises Rejection."""
    password = _typed_twice() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    held = tuple(sorted(set(roles)))
    with running(settings_for_console()) as gateway:
        wish = NewStaff(name, gateway.passwords.hash(password), held)
        answer = gateway.do("staff.add", wish, actor=ACTOR, channel=Channel.OPERATIONS)
    say(answer, f"{name} may sign in as {' and '.join(held)}.", as_json=as_json)
    return 0


def close_staff(name: str, *, as_json: bool) -> int:
    """Let someone in no longer; every session of theirs ends. Raises Rejection when there is no such name."""
    answer = do("staff.close", FormerStaff(name))
    say(answer, f"{name} may sign in no longer, and is signed out everywhere.", as_json=as_json)
    return 0


def _typed_twice() -> str:
    while True:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Repeat it: ") == password:
            return password
        print("The two are not the same.", file=sys.stderr)
