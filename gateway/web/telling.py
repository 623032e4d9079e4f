"""What an entry of the feed says in plain words, with its icon and verdict. Pure; a refusal's sentence is the guest's own."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from wallet.reasons import Reason, sentence
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
    "view_differs": "Edge and ledger disagree",
}


def icon_of(kind: str) -> str:
    """Return the icon for a kind of entry."""
    return _ICONS.get(kind.partition(".")[0], "note")


def verdict_of(kind: str) -> str:
    """Return "approved", "refused" or "asks"; empty for what is no verdict."""
    return _VERDICTS.get(kind, "")


def amount_of(body: Body) -> int | None:
    """Return the amount an entry is about, None for one without."""
    found = body.get("amount_minor")
    if isinstance(found, int):
        return found or None
    postings = body.get("postings")
    if isinstance(postings, list):
        return sum(each["amount_minor"] for each in postings if each["amount_minor"] > 0) or None
    return None


def reason_of(kind: str, body: Body) -> str:
    """Return why something was refused, in the sentence that the guest saw; empty where nothing was."""
    said = body.get("sentence")
    if isinstance(said, str) and said:
        return said
    try:
        reason = Reason(str(body.get("reason", "")))
    except ValueError:
        return ""
    return sentence(reason, body.get("detail") or {})


def place_of(body: Body, resort: Resort | None) -> str:
    """Return the name of the place an entry happened at."""
    point = str(body.get("touchpoint") or body.get("encoder") or body.get("photo_point") or "")
    return _named(resort.touchpoint if resort else None, point)


def sentence_of(kind: str, body: Body, resort: Resort | None) -> str:
    """Return what happened, in a few words; a kind we do not know yet is told by its own name."""
    say = _SENTENCES.get(kind)
    return say(body, resort) if say else kind.replace(".", ", ").replace("_", " ").capitalize()


def conflict_words(kind: str) -> str:
    """Return what a kind of conflict means."""
    return _CONFLICTS.get(kind, kind.replace("_", " ").capitalize())


def _named(find: Callable[[str], Any] | None, identifier: str) -> str:
    if find is None:
        return identifier
    try:
        return str(find(identifier).name)
    except KeyError:
        return identifier


def _window(body: Body, resort: Resort | None) -> str:
    attraction = _named(resort.attraction if resort else None, str(body.get("attraction", "")))
    starts_at = body.get("starts_at")
    if resort is None or not isinstance(starts_at, str):
        return attraction
    return f"{attraction}, {resort.local(datetime.fromisoformat(starts_at)):%H:%M}"


def _rooms(body: Body, resort: Resort | None) -> str:
    rooms = ", ".join(map(str, body.get("rooms", ())))
    return f"Checked in, room {rooms}" if rooms else "Checked in"


_SENTENCES: dict[str, Callable[[Body, Resort | None], str]] = {
    "tap.approved": lambda body, resort: place_of(body, resort),
    "tap.refused": lambda body, resort: place_of(body, resort),
    "pin.wrong": lambda body, resort: "Wrong PIN",
    "transfer.posted": lambda body, resort: str(body.get("description") or "Charged"),
    "hold.placed": lambda body, resort: f"Held for {place_of(body, resort)}",
    "reservation.booked": lambda body, resort: f"Booked {_window(body, resort)}",
    "reservation.refused": lambda body, resort: f"Not booked: {_window(body, resort)}",
    "reservation.cancelled": lambda body, resort: f"Cancelled {_window(body, resort)}",
    "party.booked": lambda body, resort: "Booked",
    "party.checked_in": _rooms,
    "party.checked_out": lambda body, resort: "Checked out",
    "party.cancelled": lambda body, resort: "Booking cancelled",
    "medium.added": lambda body, resort: f"New {body.get('kind', 'medium')}",
    "medium.activated": lambda body, resort: f"New {body.get('kind', 'medium')}, written and checked",
    "medium.revoked": lambda body, resort: f"{str(body.get('kind', 'medium')).capitalize()} turned off",
    "encoding.requested": lambda body, resort: f"Encoding asked at {place_of(body, resort)}",
    "encoding.issued": lambda body, resort: f"Credential signed for {place_of(body, resort)}",
    "encoding.failed": lambda body, resort: "Encoding failed",
    "photo.added": lambda body, resort: f"Photo at {place_of(body, resort)}",
    "photo.linked": lambda body, resort: "Photo linked",
    "photo.unlinked": lambda body, resort: "Photo unlinked",
    "photo.card_made": lambda body, resort: "Claim card made",
    "token.pin_set": lambda body, resort: "PIN set",
    "token.limits_set": lambda body, resort: "Daily limit set",
    "conflict.filed": lambda body, resort: conflict_words(str(body.get("kind", ""))),
    "conflict.resolved": lambda body, resort: "Conflict resolved",
    "edge.started": lambda body, resort: f"The {body.get('edge', '')} edge started",
    "edge.announced": lambda body, resort: f"The {body.get('edge', '')} edge may enrol",
    "edge.enrolled": lambda body, resort: f"The {body.get('edge', '')} edge enrolled",
    "journal.set_aside": lambda body, resort: "A journal entry was set aside",
    "session.opened": lambda body, resort: "Signed in",
    "sign_in_code.made": lambda body, resort: "Sign-in code made",
    "resort.loaded": lambda body, resort: f"Resort version {body.get('version', '')} loaded",
    "resort": lambda body, resort: "The resort's data went out to the edges",
    "issuer.key_made": lambda body, resort: "Issuer key made",
}
