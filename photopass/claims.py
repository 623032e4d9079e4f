"""Claim cards, deadlines and who may see or download a photo. Pure: time and secrets are arguments."""

import hmac
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from photopass.groups import Guest, LinkCause, PhotoLink, Shot
from photopass.refusals import PhotoReason, PhotoRefusal
from wallet.resort import Resort

CODE_CHARACTERS = 12
"""60 bits: far beyond guessing at a limited rate, and three groups of four to type."""

TAKEN_AHEAD_MAX_S = 300
"""How far a camera's clock may be ahead of ours before the photo is refused."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for a digit, none that makes words rude."""

_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_LINK_PREFIX = "claim="


class ClaimCard(Struct, frozen=True, omit_defaults=True):
    """A card given to guests without a band: whoever types its code first claims its photos.

    The code itself is not on record; `claimed_by` is a party.
    """

    code_hash: str
    photo_ids: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    claimed_at: datetime | None = None
    claimed_by: str | None = None


class Claimed(Struct, frozen=True):
    """A claim that held: the card as it is now, the links it makes, and the photos whose days were over."""

    card: ClaimCard
    links: tuple[PhotoLink, ...]
    over: tuple[str, ...] = ()


class Plan(Struct, frozen=True):
    """A party's photo plan: the originals of photos taken from `from_at` to `until_at` are the party's."""

    party_id: str
    from_at: datetime
    until_at: datetime


class View(Struct, frozen=True):
    """How a photo is seen: watermarked or not; the last resort day of downloads, None without a plan."""

    marked: bool
    download_until: date | None = None


def card_code(secret: bytes, card_id: str) -> str:
    """Return a card's code as printed ("7Q2M-9XKD-40PT"), not to be guessed without `secret`."""
    number = int.from_bytes(hmac.digest(secret, b"claim-card\0" + card_id.encode(), sha256), "big")
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(CODE_CHARACTERS))
    return "-".join(letters[start : start + 4] for start in range(0, CODE_CHARACTERS, 4))


def read_code(text: str) -> str | None:
    """Return the code in what was typed or scanned, without dashes and look-alikes; None when it is none."""
    code = text.rpartition(_LINK_PREFIX)[2].strip().upper().translate(_LOOK_ALIKES)
    if len(code) != CODE_CHARACTERS or any(letter not in _ALPHABET for letter in code):
        return None
    return code


def code_hash(secret: bytes, code: str) -> str:
    """Return what is stored of a code, to find its card by: hex of a keyed hash, worthless to a reader.

    Raises:
        ValueError: `code` is none.
    """
    plain = read_code(code)
    if plain is None:
        raise ValueError("not a claim code")
    return hmac.new(secret, b"claim-code\0" + plain.encode(), sha256).hexdigest()


def claim_until(taken_at: datetime, resort: Resort) -> date:
    """Return the last resort day on which a photo may be claimed."""
    return resort.day_of(taken_at) + timedelta(days=resort.policies.photo_claim_days)


def download_until(linked_at: datetime, resort: Resort) -> date:
    """Return the last resort day on which a photo may be downloaded."""
    return resort.day_of(linked_at) + timedelta(days=resort.policies.photo_download_days)


def check_taken_at(taken_at: datetime, at: datetime, resort: Resort) -> PhotoRefusal | None:
    """Return why a photo taken then cannot be taken in now, or None."""
    if taken_at > at + timedelta(seconds=TAKEN_AHEAD_MAX_S):
        return PhotoRefusal(PhotoReason.TAKEN_IN_FUTURE)
    if resort.day_of(at) > claim_until(taken_at, resort):
        return PhotoRefusal(PhotoReason.TAKEN_TOO_LONG_AGO, {"days": str(resort.policies.photo_claim_days)})
    return None


def claim(
    card: ClaimCard,
    shots: Collection[Shot],
    links: Iterable[PhotoLink],
    guest: Guest,
    at: datetime,
    resort: Resort,
) -> Claimed | PhotoRefusal:
    """Return what a claim of this card by this guest changes.

    Args:
        card: the card whose code was given.
        shots: its photos.
        links: all links of its photos.
        guest: who claims; the photos go to the guest's party too.
        at: now.
        resort: its zone and `photo_claim_days`.
    """
    if card.claimed_at is not None and card.claimed_by != guest.party_id:
        return PhotoRefusal(PhotoReason.CLAIMED_BY_OTHERS)
    today = resort.day_of(at)
    open_ids = {shot.photo_id for shot in shots if today <= claim_until(shot.taken_at, resort)}
    if not open_ids:
        last = max((claim_until(shot.taken_at, resort) for shot in shots), default=today)
        return PhotoRefusal(PhotoReason.CLAIM_OVER, {"until_day": last.isoformat()})
    already = {old.photo_id for old in links if old.token_id == guest.token_id and old.live}
    made = tuple(
        PhotoLink(photo_id, guest.token_id, guest.party_id, LinkCause.CLAIM, at)
        for photo_id in card.photo_ids
        if photo_id in open_ids and photo_id not in already
    )
    claimed = card
    if card.claimed_at is None:
        claimed = replace(card, claimed_at=at, claimed_by=guest.party_id)
    return Claimed(claimed, made, tuple(each for each in card.photo_ids if each not in open_ids))


def view(shot: Shot, links: Iterable[PhotoLink], plans: Collection[Plan], resort: Resort) -> View:
    """Return how a photo is shown to whom these links belong; without any link it is watermarked.

    Args:
        shot: the photo.
        links: its live links to the viewer's party; for staff, all of them.
        plans: the plans of those parties.
        resort: its zone and `photo_download_days`.
    """
    owners = {plan.party_id for plan in plans if plan.from_at <= shot.taken_at < plan.until_at}
    days = [download_until(each.linked_at, resort) for each in links if each.live and each.party_id in owners]
    return View(marked=not days, download_until=max(days, default=None))


def refuse_download(seen: View, at: datetime, resort: Resort) -> PhotoRefusal | None:
    """Return why the original is not handed over at this instant, or None."""
    if seen.download_until is None:
        return PhotoRefusal(PhotoReason.PLAN_NOT_OWNED)
    if resort.day_of(at) > seen.download_until:
        return PhotoRefusal(PhotoReason.DOWNLOAD_OVER, {"until_day": seen.download_until.isoformat()})
    return None
