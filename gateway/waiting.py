"""A command on its way: what a batch knows of it, and the questions a batch asks of each on its own."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.command import Command, Key, KeyKind, Service
from gateway.db.rows import CommandRow
from gateway.errors import NotHeld, Rejection
from gateway.working_set import WorkingSet

Answer = dict[str, Any]

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Waiting:
    """A command on the conveyor. `outcome` is set by a transaction and told to `future` after its commit.

    `asked_s` is when it was submitted, on the machine's own seconds.
    """

    service: Service[Any]
    command: Command[Any]
    body_hash: str
    weight: int
    asked_s: float
    future: "Future[Answer]" = field(default_factory=Future)
    outcome: Answer | Exception | None = None

    @property
    def id(self) -> str:
        """The command's id: its idempotency key."""
        return self.command.envelope.id

    @property
    def since(self) -> datetime:
        """The earliest instant that deciding it looks back to."""
        at = self.command.envelope.at
        return min(at, self.service.since(self.command.body) or at)

    @property
    def outcome_word(self) -> str:
        """What became of it, in a word for the figures."""
        error = self.future.exception() if self.future.done() and not self.future.cancelled() else None
        return "answered" if error is None else "rejected" if isinstance(error, Rejection) else "failed"

    def tell(self) -> None:
        """Tell whoever asked; call it after the commit only."""
        # From here on the future cannot be cancelled any more; one whose asker has gone away needs no answer.
        if not self.future.set_running_or_notify_cancel():
            return
        if isinstance(self.outcome, Exception):
            self.future.set_exception(self.outcome)
        else:
            assert self.outcome is not None, "a transaction ended without an outcome for each of its commands"
            self.future.set_result(self.outcome)


def answered(waiting: Waiting, known: Mapping[str, CommandRow]) -> bool:
    """Give a known command its stored answer; another wish under a known id is refused."""
    row = known.get(waiting.id)
    if row is None:
        return False
    if row.body_hash == waiting.body_hash:
        waiting.outcome = row.answer
    else:
        sentence = "This Idempotency-Key was used for another request. Use a new one."
        waiting.outcome = Rejection("idempotency_key_reused", 422, sentence)
    return True


def guarded(waiting: Waiting, ask: Any) -> frozenset[Key]:
    """Ask a service for keys; what it raises is the command's outcome and nobody else's."""
    if waiting.outcome is not None:
        return frozenset()
    try:
        keys: frozenset[Key] = ask()
    except Rejection as rejection:
        waiting.outcome = rejection
    except Exception as error:
        _log.exception("%s %s could not name its keys", waiting.service.name, waiting.id)
        waiting.outcome = error
    else:
        return keys
    return frozenset()


def expanded(batch: Sequence[Waiting], state: WorkingSet, kind: KeyKind | None) -> set[Key]:
    """Ask the services what else to hold, now that all keys up to `kind` are loaded."""
    found: set[Key] = set()
    for each in batch:
        for key in guarded(each, lambda each=each: each.service.expand(state, each.command.body)):
            if state.holds(key):
                continue
            if key.kind < KeyKind.RESORT or (kind is not None and key.kind <= kind):
                each.outcome = NotHeld(f"{each.service.name} asks for {key} too late, after {kind!r}")
                break
            found.add(key)
    return found


def stored(waiting: Waiting, answer: Answer) -> CommandRow:
    """Return the row that keeps a command's answer for whoever asks again."""
    envelope = waiting.command.envelope
    return CommandRow(
        id=envelope.id,
        name=waiting.service.name,
        body_hash=waiting.body_hash,
        answer=answer,
        actor=envelope.actor,
        channel=envelope.channel.value,
        case_id=envelope.case,
        at=envelope.at,
    )
