"""What an entry of the feed says in plain words, with its icon and verdict. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.services.timeline import Teller
from wallet.resort import Resort

Body = Mapping[str, Any]

_ICONS = {
    "transfer": "charge",
    "hold": "charge",
    "reservation": "booking",
    "party": "room",
    "medium": "band",
    "encoding": "encoder",
    "photo": "photos",
    "conflict": "person",
    "edge": "online",
    "journal": "person",
    "session": "user",
    "sign_in_code": "user",
    "token": "band",
    "pin": "encoder",
    "staff": "user",
    "person": "user",
}
_VERDICTS = {
    "tap.approved": "approved",
    "tap.refused": "refused",
    "reservation.refused": "refused",
    "pin.wrong": "asks",
}
_CONFLICTS = {
    "duplicate_tap": "One tap arrived twice under two numbers",
    "revoked_medium": "A revoked medium was let through",
    "double_use": "A right was used twice",
    "past_limit": "A sale went past the limit",
    "code_replayed": "A phone's code was shown twice",
    "sun_replayed": "An old reading of a band was shown",
    "clone_suspected": "A band was at two places at once: it may be a copy",
    "view_differs": "Edge and ledger disagree",
}


def icon_of(kind: str) -> str:
    """Return the icon for a kind of entry."""
    return _ICONS.get(kind.partition(".")[0], "note")


def verdict_of(kind: str) -> str:
    """Return "approved", "refused" or "asks"; empty for what is no verdict."""
    return _VERDICTS.get(kind, "")


def amount_of(kind: str, body: Body) -> int | None:
    """Return the amount that an entry moved or holds, None where no money moved: a paid tap has its transfer."""
    if kind == "hold.placed":
        return int(body["amount_minor"])
    if kind == "transfer.posted":
        return sum(int(each["amount_minor"]) for each in body["postings"] if each["amount_minor"] > 0)
    return None


def place_of(body: Body, resort: Resort) -> str:
    """Return the name of the place that something happened at."""
    point = str(body.get("touchpoint") or body.get("photo_point") or "")
    for each in resort.touchpoints:
        if point in (each.id, each.place):
            return each.name
    return point


def sentence_of(kind: str, token_id: str | None, body: Body, teller: Teller) -> str:
    """Return what happened in one sentence: a guest's as everyone hears it, the house's own as told here."""
    say = _HOUSE.get(kind)
    return say(body) if say else teller.tell(kind, token_id, body)


def conflict_words(kind: str) -> str:
    """Return what a kind of conflict means."""
    return _CONFLICTS.get(kind, kind.replace("_", " ").capitalize())


def _family(body: Body) -> str:
    return "the chips' keys" if body.get("keys") == "chips" else "the issuer's keys"


_HOUSE: dict[str, Callable[[Body], str]] = {
    "edge.started": lambda body: f"The {body.get('edge', '')} edge started.",
    "edge.announced": lambda body: f"The {body.get('edge', '')} edge may enrol.",
    "edge.enrolled": lambda body: f"The {body.get('edge', '')} edge enrolled.",
    "journal.set_aside": lambda body: "A journal entry was set aside.",
    "resort.loaded": lambda body: f"Version {body.get('version', '')} of the resort was loaded.",
    "resort": lambda body: "The resort's data went out to the edges.",
    "issuer.key_made": lambda body: "An issuer key was made.",
    "keys.rotated": lambda body: f"Epoch {body.get('epoch', '')} of {_family(body)} began.",
    "keys.retired": lambda body: f"Epoch {body.get('epoch', '')} of {_family(body)} ended.",
    "chip.imported": lambda body: f"{body.get('chips', '')} chips came into stock.",
    "staff.added": lambda body: "Someone joined the staff.",
    "staff.changed": lambda body: "A member of staff has another password or role.",
    "staff.closed": lambda body: "A member of staff left.",
    "photo.added": lambda body: "A photo came in.",
    "photo.card_made": lambda body: "A claim card was made.",
}
