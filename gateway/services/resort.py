"""The resort as data: a new version replaces the one before, whole."""

import msgspec
from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import ResortVersionRow
from gateway.errors import Rejection
from gateway.working_set import WorkingSet
from wallet.resort import Resort


class LoadedResort(Struct, frozen=True):
    """The resort as read from a file; its version is given here."""

    resort: Resort


class LoadResort(Service[LoadedResort]):
    """Makes a resort the current one, as the next version. Every edge hears of it, by the feed."""

    name = "resort.load"
    alone = True

    def keys(self, body: LoadedResort) -> frozenset[Key]:
        """The resort, which every other command shares."""
        return frozenset({Key(KeyKind.RESORT, "current")})

    def decide(self, state: WorkingSet, command: Command[LoadedResort]) -> Outcome:
        """Put the next version, or none when nothing changed."""
        before, new = state.resort_or_none, command.body.resort
        version = before.version if before else 0
        if before is not None:
            if msgspec.structs.replace(new, version=version) == before:
                return Outcome({"version": version, "changed": False})
            # Money and days already written mean what they meant.
            for field in ("code", "currency", "zone", "day_starts"):
                if getattr(new, field) != getattr(before, field):
                    raise Rejection(
                        "resort_identity",
                        409,
                        f"`{field}` cannot change from {getattr(before, field)} to {getattr(new, field)}: what is "
                        "already written would mean something else. Start a new resort on a new database.",
                    )
        loaded = msgspec.structs.replace(new, version=version + 1)
        row = ResortVersionRow(loaded.version, loaded, command.envelope.at, command.envelope.actor)
        event = Event("resort.loaded", {"version": loaded.version, "code": loaded.code})
        return Outcome({"version": loaded.version, "changed": True}, (row,), (event,))
