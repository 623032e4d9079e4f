"""Claim cards, deadlines and who may see or download a photo. Pure: time is an argument."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from photopass.groups import Guest, LinkCause, PhotoLink, Shot
from photopass.refusals import PhotoReason, PhotoRefusal
from wallet.resort import Resort

CODE_CHARACTERS = 12
"""Of 30 letters each, 58 bits: far beyond guessing at a limited rate, and three groups of four to type."""

TAKEN_AHEAD_MAX_S = 300
"""How far a camera's clock may be ahead of ours before the photo is refused."""

_LINK_PREFIX = "claim="
_TEXT_CHARACTERS_MAX = 1024


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


def print_code(code: str) -> str:
    """Return a code as it stands on the card, in groups of four ("7Q2M-9XKD-4RPT")."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read_code(text: str) -> str | None:
    """Return the code in what was typed or scanned, without dashes and spaces; None when it cannot be one."""
    if len(text) > _TEXT_CHARACTERS_MAX:
        return None
    code = "".join(text.rpartition(_LINK_PREFIX)[2].split()).replace("-", "").upper()
    return code if len(code) == CODE_CHARACTERS and code.isascii() and code.isalnum() else None


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
