"""What may happen in a parity world: changes at the gateway, taps at edges, news and journals on their way."""

from datetime import timedelta
from functools import cache

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from gateway.services.resort import LoadedResort
from tests.support.parity_resort import VARIANTS, resort_with
from tests.support.parity_world import (
    STRANGER,
    TOKENS,
    VENUES,
    Alter,
    ParityWorld,
    chip_uid,
    medium_id,
    owned,
)
from tests.support.worlds import an_id, entitlements, grants, instants, policies
from wallet.credential import DEVICE_KEY_BYTES, Credential, Grant, medium_tag
from wallet.ledger import price_sale
from wallet.medium import Medium, MediumKind, MediumState
from wallet.proof import Proof, SunRead
from wallet.resort import Policies, TouchpointKind
from wallet.tap import Hold, HoldAnswer, PinCheck, Presented, Tap

BASKETS = (1, 2, 4, 8)
"""How many menus at 14.50 a sale has: below the floor, above it, above the PIN threshold, and far above."""

RIGHT_NAMES = ("room", "parking", "admission", "bypass", "spending", "photos", "more-a", "more-b")


class Change(Struct, frozen=True):
    """Change a token at the gateway."""

    alter: Alter


class Reload(Struct, frozen=True):
    """Load another variant of the resort."""

    variant: str
    policies: Policies


class Wait(Struct, frozen=True):
    """Let time pass."""

    seconds: int


class Touch(Struct, frozen=True):
    """Tap a medium at one of the venue's touchpoints. `token` 3 is somebody whom the gateway does not know.

    With `counter` it is a SUN message of the medium's chip, with `code` that code of the guest's phone.
    """

    venue: str
    touchpoint: int
    token: int
    medium: int = 0
    issued_before_s: int = 86_400
    grants: tuple[Grant, ...] = ()
    basket: int = 1
    pin: PinCheck = PinCheck.RIGHT
    reachable: bool = True
    counter: int | None = None
    code: int | None = None


class Pull(Struct, frozen=True):
    """Bring news to an edge, a few entries or all; or whatever an old batch makes of it."""

    venue: str
    limit: int
    stale_batch: bool = False


class Again(Struct, frozen=True):
    """Send a whole snapshot once more, in pages, with a change between them."""

    venue: str
    limit: int
    between: Alter


class Push(Struct, frozen=True):
    """Bring a part of a journal home; the answer may be lost."""

    venue: str
    limit: int
    heard: bool


Step = Change | Reload | Wait | Touch | Pull | Again | Push

_VENUE = st.sampled_from(VENUES)
_TOKEN = st.integers(0, len(TOKENS) - 1)


@cache
def alters() -> st.SearchStrategy[Alter]:
    """Return changes of a token: media, rights of all kinds, PIN, tries, closing."""
    return _TOKEN.flatmap(
        lambda token: st.one_of(
            _media(token).map(lambda medium: Alter(token, media=(medium,))),
            *(
                entitlements(f"t{token}-{name}").map(
                    lambda right, name=name: Alter(token, rights=(owned(right, token, name),))
                )
                for name in ("more-a", "more-b")
            ),
            st.sampled_from(RIGHT_NAMES).map(lambda name: Alter(token, revoked=(f"t{token}-{name}",))),
            st.sampled_from(["", "scrypt1$c$d"]).map(
                lambda verifier: Alter(token, pin_verifier=verifier, pin_tries=0)
            ),
            st.integers(0, 6).map(lambda tries: Alter(token, pin_tries=tries)),
            st.sampled_from([True, False]).map(lambda closed: Alter(token, closed=closed)),
        )
    )


def _media(token: int) -> st.SearchStrategy[Medium]:
    return st.builds(
        lambda number, state, revoked_at: Medium(
            medium_id(token, number), MediumKind.CARD, state, chip_uid(token, number), revoked_at
        ),
        st.integers(0, 2),
        st.sampled_from([MediumState.ACTIVE, MediumState.ACTIVE, MediumState.PENDING, MediumState.REVOKED]),
        st.none() | instants(),
    )


def touches() -> st.SearchStrategy[Touch]:
    """Return taps, most of them of a guest's own band."""
    return st.builds(
        Touch,
        venue=_VENUE,
        touchpoint=st.integers(0, 20),
        token=st.integers(0, len(TOKENS)),
        medium=st.sampled_from([0, 0, 0, 1]),
        issued_before_s=st.sampled_from([86_400, 86_400, 86_400, 0]),
        grants=st.just(()) | grants(),
        basket=st.sampled_from(BASKETS),
        pin=st.sampled_from(PinCheck),
        reachable=st.booleans(),
        counter=st.sampled_from([None, None, None, 1, 2, 3]),
        code=st.sampled_from([None, None, None, 1, 2]),
    )


@cache
def steps() -> st.SearchStrategy[Step]:
    """Return anything that may happen, taps and news more often than the rest."""
    change = st.builds(Change, alters())
    pull = st.builds(Pull, _VENUE, st.sampled_from([1, 2, 500]), st.booleans())
    push = st.builds(Push, _VENUE, st.sampled_from([1, 500]), st.booleans())
    return st.one_of(
        change,
        change,
        touches(),
        touches(),
        touches(),
        pull,
        pull,
        push,
        st.builds(Reload, st.sampled_from(VARIANTS), policies()),
        st.builds(Wait, st.sampled_from([1, 60, 600, 3 * 3600, 30 * 3600])),
        st.builds(Again, _VENUE, st.sampled_from([1, 2]), alters()),
    )


def tap_of(world: ParityWorld, touch: Touch) -> Tap | None:
    """Return the tap, or None where the venue has no touchpoint at all that its edge knows."""
    place = world.places[touch.venue]
    resort = place.store.resort() or resort_with()
    points = [each for each in resort.touchpoints if each.venue == touch.venue]
    if not points:
        return None
    point = points[touch.touchpoint % len(points)]
    at = world.clock.now()
    sale = None
    if point.kind is TouchpointKind.TILL:
        item = "menu" if point.place == "grill" else "ice"
        sale = price_sale(resort, point.place, [(item, touch.basket)], an_id(next(world.ids), at))
    token_id = TOKENS[touch.token] if touch.token < len(TOKENS) else STRANGER
    credential = Credential(
        token_id=token_id,
        medium_tag=medium_tag(medium_id(touch.token, touch.medium)),
        chip_uid="04",
        issued_at=at - timedelta(seconds=touch.issued_before_s),
        expires_at=at + timedelta(days=30),
        epoch=1,
        key_id="0102030405060708",
        grants=touch.grants,
    )
    presented = _presented(world, touch, credential)
    return Tap(an_id(next(world.ids), at), point.id, f"{point.id}-nfc", at, presented, sale)


def _presented(world: ParityWorld, touch: Touch, credential: Credential) -> Presented:
    if touch.counter is not None:
        return Presented(Proof.SUN, sun=SunRead(chip_uid(touch.token, touch.medium), touch.counter))
    if touch.code is not None:
        # A code is one phone's: the same number at another guest is another code.
        name = 10 * touch.token + touch.code
        shown_at = world.codes.setdefault(name, world.clock.now())
        by_phone = replace(credential, chip_uid="", device_key=b"\x02" * DEVICE_KEY_BYTES)
        return Presented(Proof.DEVICE_KEY, by_phone, shown_at=shown_at, code_id=code_id(name))
    return Presented(Proof.CHIP_UID, credential)


def code_id(name: int) -> str:
    """Return the id of the code with this number."""
    return f"{name:016x}"


def happen(world: ParityWorld, step: Step) -> str | None:
    """Let the step happen; return the venue whose edge it concerned, if any."""
    match step:
        case Change(alter=alter):
            world.do("test.alter", alter)
        case Reload(variant=variant, policies=set_to):
            world.do("resort.load", LoadedResort(resort_with(variant, set_to)))
        case Wait(seconds=seconds):
            world.wait(seconds)
        case Touch():
            return _touch(world, step)
        case Pull(venue=venue, limit=limit, stale_batch=stale_batch):
            if stale_batch:
                world.old_batch(venue)
            world.pull(venue, limit)
            return venue
        case Again(venue=venue, limit=limit, between=between):
            world.snapshot(venue, limit, lambda: world.do("test.alter", between) and None)
            return venue
        case Push(venue=venue, limit=limit, heard=heard):
            world.push(venue, limit, heard=heard)
            return venue
    return None


def _touch(world: ParityWorld, touch: Touch) -> str:
    tap = tap_of(world, touch)
    if tap is not None:
        place = world.places[touch.venue]
        place.online = touch.reachable

        def hold(asked: Tap) -> Hold:
            if not touch.reachable:
                return Hold(HoldAnswer.UNREACHABLE)
            return world.hold(asked, touch.venue, token_id)

        token_id = TOKENS[touch.token] if touch.token < len(TOKENS) else STRANGER
        place.tap(tap, token_id, touch.pin, hold)
    return touch.venue
