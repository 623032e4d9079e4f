"""What was presented at a tap and is good only once: a chip's SUN messages and a phone's codes. Pure.

An edge knows what was shown to itself, in the order in which it was; the gateway knows what was shown anywhere, in
whatever order it came home. So here a counter stands in the way of those before it only if it was shown before them.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from gateway.command import Key, KeyKind
from gateway.db.rows import ChipRow, MediumRow, TapRow, TokenRow
from gateway.services.draft import Draft
from gateway.working_set import WorkingSet
from wallet.credential import medium_tag
from wallet.medium import MediumState
from wallet.proof import SunRead
from wallet.tap import Tap

_UID = re.compile(r"[0-9a-f]{8,20}")
_CODE = re.compile(r"[0-9a-f]{1,16}")
_COUNTER_MAX = 0xFFFFFF


def is_storable(tap: Tap) -> bool:
    """Return whether a chip's UID, its counter and a code's name are such as a reader makes."""
    sun, code = tap.presented.sun, tap.presented.code_id
    if sun is not None and not (_UID.fullmatch(sun.chip_uid) and 0 <= sun.counter <= _COUNTER_MAX):
        return False
    return not code or _CODE.fullmatch(code) is not None


def keys_of_presented(taps: Iterable[Tap]) -> frozenset[Key]:
    """Return what must be held to know what was shown before, and to note what these taps showed."""
    keys: set[Key] = set()
    for tap in taps:
        sun, code = tap.presented.sun, tap.presented.code_id
        if not is_storable(tap):
            continue
        if sun is not None:
            keys |= {Key(kind, sun.chip_uid) for kind in (KeyKind.CHIP, KeyKind.STOCK, KeyKind.SUN)}
        if code:
            keys.add(Key(KeyKind.CODE, code))
    return frozenset(keys)


def chips_to_activate(state: WorkingSet, token_ids: Iterable[str]) -> frozenset[Key]:
    """Return the chips of these tokens' media that are not in service yet: a tap may show that they were written."""
    media = (medium for token_id in set(token_ids) for medium in state.find(MediumRow, token_id=token_id))
    return frozenset(
        Key(KeyKind.STOCK, medium.chip_uid)
        for medium in media
        if medium.chip_uid and medium.state is MediumState.PENDING
    )


def sun_counter(draft: Draft, tap: Tap) -> int:
    """Return the highest counter of the chip that the tap's own had to follow, -1 for none."""
    sun = tap.presented.sun
    if sun is None:
        return -1
    shown = [(other.at, seen.counter) for other in _suns(draft, tap) if (seen := _sun_of(other)) is not None]
    chip = draft.get(ChipRow, sun.chip_uid)
    if chip is not None and chip.sun_at is not None:
        shown.append((chip.sun_at, chip.sun_counter))
    return max((counter for at, counter in shown if at <= tap.at or counter == sun.counter), default=-1)


def other_with_code(draft: Draft, tap: Tap) -> TapRow | None:
    """Return the first other tap that showed the same code of a phone, None when none did."""
    code = tap.presented.code_id
    others = [row for row in draft.find(TapRow, code_id=code) if row.id != tap.tap_id] if code else []
    return min(others, key=lambda row: (row.at, row.id), default=None)


def other_with_sun(draft: Draft, tap: Tap) -> TapRow | None:
    """Return the tap that showed the same reading of the chip or a later one, None when it was none."""
    sun = tap.presented.sun
    if sun is None:
        return None
    later = [row for row in _suns(draft, tap) if (seen := _sun_of(row)) and seen.counter >= sun.counter]
    return min(later, key=lambda row: (row.at, row.id), default=None)


def note(draft: Draft, tap: Tap) -> None:
    """Put the chip's counter forward to what the tap showed; the tap's own row tells the rest."""
    sun = tap.presented.sun
    chip = draft.get(ChipRow, sun.chip_uid) if sun is not None else None
    if sun is not None and chip is not None and sun.counter > chip.sun_counter:
        draft.put(replace(chip, sun_counter=sun.counter, sun_at=tap.at))


def medium_of(draft: Draft, tap: Tap, token_id: str) -> MediumRow | None:
    """Return the medium of the token that was presented: named by its credential, or by the chip itself."""
    shown = tap.presented
    media = draft.find(MediumRow, token_id=token_id)
    if shown.credential is not None:
        tagged = (each for each in media if medium_tag(each.id) == shown.credential.medium_tag)
        return next(tagged, None)
    if shown.sun is None:
        return None
    on_chip = [each for each in media if each.chip_uid == shown.sun.chip_uid]
    return min(on_chip, key=lambda each: each.state is MediumState.REVOKED, default=None)


def token_on_chip(draft: Draft, tap: Tap | None) -> TokenRow | None:
    """Return the token that a chip carries whose SUN message was shown where nobody knew it; None for any other tap."""
    sun = tap.presented.sun if tap is not None and tap.presented.credential is None else None
    if sun is None:
        return None
    media = draft.find(MediumRow, chip_uid=sun.chip_uid)
    medium = min(media, key=lambda each: each.state is MediumState.REVOKED, default=None)
    return draft.get(TokenRow, medium.token_id) if medium is not None else None


def is_of(draft: Draft, tap: Tap, token_id: str) -> bool:
    """Return whether what was presented belongs to the token: by its credential, or by a chip that carries it."""
    shown = tap.presented
    if shown.credential is not None:
        return shown.credential.token_id == token_id
    return medium_of(draft, tap, token_id) is not None


def _suns(draft: Draft, tap: Tap) -> list[TapRow]:
    sun = tap.presented.sun
    found = draft.find(TapRow, sun_chip=sun.chip_uid) if sun is not None else []
    return [row for row in found if row.id != tap.tap_id]


def _sun_of(row: TapRow) -> SunRead | None:
    return row.entry.tap.presented.sun if row.entry.tap is not None else None
