"""Edges: announced by operations, enrolled once by a one-time code."""

import hmac
from dataclasses import replace
from datetime import timedelta

from msgspec import Struct

from gateway.command import Command, Event, Key, KeyKind, Outcome, Service
from gateway.db.rows import EdgeRow, EdgeState
from gateway.errors import Rejection
from gateway.working_set import WorkingSet

ENROL_CODE_LIFE = timedelta(hours=24)


class NewEdge(Struct, frozen=True):
    """Announce an edge, or give one that was reimaged a new code."""

    id: str
    venue: str
    enrol_code_hash: str


class AddEdge(Service[NewEdge]):
    """Lets an edge enrol with a one-time code. One that is enrolled goes on until the code is used."""

    name = "edge.add"

    def keys(self, body: NewEdge) -> frozenset[Key]:
        """The edge."""
        return frozenset({Key(KeyKind.EDGE, body.id)})

    def decide(self, state: WorkingSet, command: Command[NewEdge]) -> Outcome:
        """Put the edge with its code."""
        body = command.body
        if all(venue.id != body.venue for venue in state.resort.venues):
            raise Rejection("unknown_venue", 422, f"There is no venue {body.venue!r} in this resort.")
        known = state.get(EdgeRow, body.id)
        if known is not None and known.venue != body.venue:
            raise Rejection(
                "edge_elsewhere", 409, f"Edge {body.id!r} belongs to {known.venue!r}. Choose another id."
            )
        row = replace(
            known or EdgeRow(body.id, body.venue, EdgeState.WAITING),
            enrol_code_hash=body.enrol_code_hash,
            enrol_expires_at=command.envelope.at + ENROL_CODE_LIFE,
        )
        event = Event("edge.announced", {"edge": body.id, "venue": body.venue})
        return Outcome({"edge": body.id, "venue": body.venue}, (row,), (event,))


class Enrolment(Struct, frozen=True):
    """What an edge brings: the code's hash and its new public key (hex)."""

    edge: str
    code_hash: str
    public_key: str


class EnrolEdge(Service[Enrolment]):
    """Binds an edge to its key. The code works once."""

    name = "edge.enrol"

    def keys(self, body: Enrolment) -> frozenset[Key]:
        """The edge."""
        return frozenset({Key(KeyKind.EDGE, body.edge)})

    def decide(self, state: WorkingSet, command: Command[Enrolment]) -> Outcome:
        """Check the code and keep the key."""
        body, at = command.body, command.envelope.at
        row = state.get(EdgeRow, body.edge)
        if (
            row is None
            or not row.enrol_code_hash
            or not hmac.compare_digest(row.enrol_code_hash, body.code_hash)
        ):
            raise Rejection(
                "enrolment_refused", 401, "The edge is not known here, or the code is wrong or was used."
            )
        if row.enrol_expires_at is None or row.enrol_expires_at <= at:
            raise Rejection("enrolment_refused", 401, "The code is too old. Ask operations for a new one.")
        enrolled = replace(
            row,
            state=EdgeState.ENROLLED,
            public_key=body.public_key,
            enrol_code_hash="",
            enrol_expires_at=None,
            enrolled_at=at,
        )
        event = Event("edge.enrolled", {"edge": row.id, "venue": row.venue})
        return Outcome({"edge": row.id, "venue": row.venue}, (enrolled,), (event,))
