"""What goes over the wire between gateway and edge: documents, feed batches, snapshots; and the facts made of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from wallet.chips.keys import ChipKey
from wallet.instant import Instant
from wallet.resort import Resort, Touchpoint
from wallet.tap import Facts
from wallet.token import TokenDocument, Use

WIRE_VERSION = 1
"""Grows with each change an older edge cannot read; a batch says which one it is written in.

A field with a default that an older side may leave unread, like `mark`, is no such change.
"""

_Wire = TypeVar("_Wire", bound=Struct)


class TokenChange(Struct, frozen=True, omit_defaults=True):
    """A token as of one feed position; `document` None is a tombstone: this edge need not know the guest any more."""

    position: int
    token_id: str
    version: int
    document: TokenDocument | None = None


class FeedBatch(Struct, frozen=True, omit_defaults=True):
    """All that changed for one edge in the feed positions (from_position, to_position].

    `as_of` is an instant of the gateway's clock: everything committed before it is contained up to `to_position`.
    `resort` is present when it changed within the batch. `chip_keys` are those that this edge's kinds of touchpoint
    need for the chips named by the changed documents. `anchors` is the version of what the edge is to trust: another
    one than it has means that it should ask for its anchors anew. Empty from a gateway that does not tell.
    `mark` tells which entry stands at `to_position`. Given back with the next question, it shows a feed that has gone
    another way since: that of a gateway which was restored from an older copy. Empty from one that knows no marks.
    """

    wire: int
    from_position: int
    to_position: int
    as_of: Instant
    changes: tuple[TokenChange, ...] = ()
    resort: Resort | None = None
    mark: str = ""
    chip_keys: tuple[ChipKey, ...] = ()
    anchors: str = ""


class Snapshot(Struct, frozen=True, omit_defaults=True):
    """One page of the latest documents of an edge's scope, in order of token id.

    Apply every page, then the feed from `position` (the same on each page of one run), whose entry `mark` names.
    `next_after` is the token id to ask from next, None on the last page. `anchors` as in a batch.
    """

    wire: int
    position: int
    as_of: Instant
    resort: Resort
    documents: tuple[TokenDocument, ...] = ()
    next_after: str | None = None
    mark: str = ""
    chip_keys: tuple[ChipKey, ...] = ()
    anchors: str = ""


class WireError(ValueError):
    """The other side sent something that is not of this wire version."""


def encode(message: Struct) -> bytes:
    """Return the message as JSON bytes; equal messages give equal bytes."""
    return msgspec.json.encode(message, order="deterministic")


def decode(data: bytes, kind: type[_Wire]) -> _Wire:
    """Return the message of the given kind.

    Raises:
        WireError: not JSON, a field is missing or has another type, or it is of a later wire version.
    """
    try:
        message = msgspec.json.decode(data, type=kind)
    # Deep nesting raises RecursionError, a broken UTF-8 text UnicodeDecodeError (a ValueError).
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"not a {kind.__name__} of wire version {WIRE_VERSION}: {error}") from None
    wire = getattr(message, "wire", WIRE_VERSION)
    if not 1 <= wire <= WIRE_VERSION:
        raise WireError(f"wire version {wire} is not known here, which is {WIRE_VERSION}; update this side")
    return message


def facts_from(
    touchpoint: Touchpoint,
    resort: Resort,
    document: TokenDocument | None,
    *,
    as_of: datetime | None,
    online: bool,
    local_uses: Iterable[Use] = (),
    local_pin_tries: int = 0,
    edge_offline_minor: int = 0,
    token_offline_minor: int = 0,
    sun_counter: int = -1,
    code_seen: bool = False,
) -> Facts:
    """Return the facts of a tap; gateway and edge both build them here, so the same knowledge gives the same facts.

    A local use whose tap the document already tells is the document's: the gateway may have recorded it under
    another right, where the edge went by a grant.
    """
    known = document.uses if document else ()
    told = {use.tap_id for use in known}
    local = [use for use in local_uses if use.tap_id not in told]
    merged = {(use.tap_id, use.entitlement_id): use for use in (*local, *known)}
    return Facts(
        touchpoint=touchpoint,
        resort=resort,
        token=document,
        uses=tuple(sorted(merged.values(), key=lambda use: (use.at, use.tap_id, use.entitlement_id))),
        pin_tries=(document.pin_tries if document else 0) + local_pin_tries,
        as_of=as_of,
        online=online,
        edge_offline_minor=edge_offline_minor,
        token_offline_minor=token_offline_minor,
        sun_counter=sun_counter,
        code_seen=code_seen,
    )
