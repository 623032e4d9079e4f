"""What happened, in one plain sentence each: the same for guest and staff, names joined in only here. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wallet.money import format_amount
from wallet.reasons import Language, Reason, sentence
from wallet.resort import Direction, Resort
from wallet.rules.say import moment

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells entries of one party.

    Args:
        names: token id → how the guest is called; a forgotten guest is "A guest".
    """

    resort: Resort
    names: Mapping[str, str]
    language: Language = Language.ENGLISH

    def tell(self, kind: str, token_id: str | None, body: Body) -> str:
        """Return the sentence for an entry; a kind that is not known here is told by its name."""
        who = self.names.get(token_id or "", "A guest")
        telling = _TELLINGS.get(kind)
        return (
            telling(self, who, body)
            if telling
            else f"{kind.replace('.', ' ').replace('_', ' ').capitalize()}."
        )

    def refusal(self, body: Body) -> str:
        """Return the catalogue's sentence for the refusal in an entry's body."""
        try:
            reason = Reason(body.get("reason", ""))
        except ValueError:
            return "The reason is not known here."
        return sentence(reason, body.get("detail", {}), self.language)

    def amount(self, body: Body, name: str = "amount_minor") -> str:
        """Return an amount of the body as people read it."""
        return format_amount(int(body.get(name, 0)), str(body.get("currency") or self.resort.currency))

    def touchpoint(self, body: Body) -> str:
        """Return the name of the touchpoint of a tap."""
        touchpoint_id = str(body.get("touchpoint", ""))
        try:
            return self.resort.touchpoint(touchpoint_id).name
        except KeyError:
            return touchpoint_id

    def window(self, body: Body) -> str:
        """Return the attraction and the time of a return window."""
        try:
            name = self.resort.attraction(str(body.get("attraction", ""))).name
        except KeyError:
            name = str(body.get("attraction", ""))
        return f"{name}, {moment(datetime.fromisoformat(body['starts_at']), self.resort)}"


def _approved(teller: Teller, who: str, body: Body) -> str:
    where = teller.touchpoint(body)
    did = {
        "door": f"{who} opened {where}",
        "parking_lane": f"{who} drove {_way(teller, body)} at {where}",
        "park_gate": f"{who} {'left' if _way(teller, body) == 'out' else 'entered'} at {where}",
        "till": f"{who} paid {teller.amount(body)} at {where}",
        "photo_point": f"{who} tapped for photos at {where}",
        "bypass_entrance": f"{who} entered the bypass at {where}",
        "merge_point": f"{who} joined the ride at {where}",
    }.get(str(body.get("kind")), f"{who} was let through at {where}")
    return did + (", while the reader was offline." if body.get("offline") else ".")


def _way(teller: Teller, body: Body) -> str:
    try:
        direction = teller.resort.touchpoint(str(body.get("touchpoint", ""))).direction
    except KeyError:
        return "through"
    return "out" if direction is Direction.OUT else "in"


def _transfer(teller: Teller, who: str, body: Body) -> str:
    total = sum(each["amount_minor"] for each in body.get("postings", ()) if each["amount_minor"] > 0)
    amount = teller.amount({"amount_minor": total, "currency": body.get("currency")})
    what = body.get("description", "")
    tender = str(body.get("tender", "")).replace("_", " ")
    match body.get("kind"):
        case "package":
            return f"{what} was put on the folio: {amount}."
        case "sale":
            return f"{amount} at {what} was put on the folio."
        case "payment":
            return f"{what} of {amount} by {tender}."
        case "recognition":
            return f"{what} was accounted as earned: {amount}."
    return f"{what}: {amount}."


def _medium(what: str) -> Callable[[Teller, str, Body], str]:
    return lambda teller, who, body: f"{who}: {body.get('kind', 'medium')!s} {what}."


_TELLINGS: dict[str, Callable[[Teller, str, Body], str]] = {
    "tap.approved": _approved,
    "tap.refused": lambda t, who, body: f"{who} at {t.touchpoint(body)}: {t.refusal(body)}",
    "pin.wrong": lambda t, who, body: f"{who} entered a wrong PIN.",
    "transfer.posted": _transfer,
    "hold.placed": lambda t, who, body: f"{t.amount(body)} is held for {who} at {t.touchpoint(body)}.",
    "party.booked": lambda t, who, body: (
        f"Booked for {body.get('guests')}, {body.get('arrival_day')} to {body.get('departure_day')}."
    ),
    "party.checked_in": lambda t, who, body: (
        f"Checked in{', room ' + ', '.join(body['rooms']) if body.get('rooms') else ''}."
    ),
    "party.checked_out": lambda t, who, body: f"Checked out; {t.amount(body, 'paid_minor')} was settled.",
    "party.cancelled": lambda t, who, body: f"Cancelled; the fee is {t.amount(body, 'fee_minor')}.",
    "token.pin_set": lambda t, who, body: f"{who} has a new PIN.",
    "token.limits_set": lambda t, who, body: f"{who} may charge {t.amount(body, 'daily_limit_minor')} a day.",
    "medium.added": _medium("added"),
    "medium.bound": _medium("bound to its own key"),
    "medium.activated": _medium("ready"),
    "medium.revoked": _medium("turned off"),
    "medium.linked": _medium("linked, ready after its first touch of an encoder"),
    "medium.refreshed": _medium("brought up to date"),
    "encoding.refresh": _medium("to be brought up to date"),
    "encoding.requested": _medium("to be written at the encoder"),
    "encoding.issued": _medium("being written"),
    "encoding.failed": lambda t, who, body: f"{who}: writing failed. {body.get('sentence', '')}".rstrip(),
    "reservation.booked": lambda t, who, body: f"{who} has a reservation: {t.window(body)}.",
    "reservation.cancelled": lambda t, who, body: f"{who} gave a reservation back: {t.window(body)}.",
    "reservation.refused": lambda t, who, body: f"{who} at {t.window(body)}: {t.refusal(body)}",
    "session.opened": lambda t, who, body: "Signed in.",
    "sign_in_code.made": lambda t, who, body: "The desk gave out a sign-in code.",
    "person.forgotten": lambda t, who, body: "A guest's personal data was erased.",
    "photo.linked": lambda t, who, body: f"{who} is in a new photo.",
    "photo.unlinked": lambda t, who, body: f"{who} was taken off a photo.",
    "conflict.filed": lambda t, who, body: (
        f"An offline tap of {who} is looked into: {str(body.get('kind', '')).replace('_', ' ')}."
    ),
    "conflict.resolved": lambda t, who, body: "A conflict was resolved.",
}

TOLD = frozenset(_TELLINGS)
"""The kinds of entry that have a sentence of their own."""
