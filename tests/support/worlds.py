"""Worlds for the rulebook: one small resort, worlds where a tap must pass, and strategies for any world."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from wallet.credential import AdmissionGrant, Credential, Grant, RoomGrant
from wallet.entitlement import Admission, Bypass, Entitlement, Parking, Photos, PickKind, RoomKey, Spending
from wallet.ids import short_tag, uuid7
from wallet.medium import Medium, MediumKind, MediumState
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.resort import (
    Attraction,
    Direction,
    Item,
    Lot,
    Outlet,
    Park,
    Policies,
    Resort,
    Room,
    Tax,
    Touchpoint,
    TouchpointKind,
    Venue,
)
from wallet.tap import Facts, Hold, HoldAnswer, PinCheck, Presented, Refused, Sale, SaleLine, Tap
from wallet.token import Step, TokenDocument, Use

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
"""The middle of the worlds: 13:00 at the resort, on the resort day 2027-03-02."""

TODAY = date(2027, 3, 2)

RESORT = Resort(
    code="test",
    name="Test Resort",
    zone="Europe/Madrid",
    currency="EUR",
    venues=(Venue("hotel", "Hotel"), Venue("park", "Park"), Venue("shops", "Shops")),
    rooms=(Room("101", "hotel", "family"), Room("102", "hotel", "family")),
    lots=(Lot("lot-a", "Car park A", "hotel", 100), Lot("lot-b", "Car park B", "park", 100)),
    parks=(
        Park("lagoon", "Lagoon", "park", time(9), time(23)),
        Park("summit", "Summit", "park", time(10), time(1)),
    ),
    attractions=(
        Attraction("comet", "Comet", "lagoon", 1, 10),
        Attraction("whirl", "Whirl", "lagoon", 1, 10),
        Attraction("carousel", "Carousel", "lagoon", 2, 10, merge_point=False),
        Attraction("galleon", "Galleon", "lagoon", 2, 10),
        Attraction("glacier", "Glacier", "summit", 2, 10),
    ),
    taxes=(
        Tax("vat10", "VAT 10 %", 1000),
        Tax("vat21", "VAT 21 %", 2100),
        Tax("levy", "Levy", 700, included=False),
    ),
    outlets=(
        Outlet(
            "grill", "Grill", "shops", (Item("menu", "Menu", 1450, "vat10"), Item("mug", "Mug", 999, "vat21"))
        ),
    ),
    touchpoints=tuple(
        Touchpoint(name, name.title(), kind, venue, place, direction)
        for name, kind, venue, place, direction in (
            ("door-101", TouchpointKind.DOOR, "hotel", "101", Direction.IN),
            ("lane-in", TouchpointKind.PARKING_LANE, "hotel", "lot-a", Direction.IN),
            ("lane-out", TouchpointKind.PARKING_LANE, "hotel", "lot-a", Direction.OUT),
            ("gate-in", TouchpointKind.PARK_GATE, "park", "lagoon", Direction.IN),
            ("gate-out", TouchpointKind.PARK_GATE, "park", "lagoon", Direction.OUT),
            ("comet-entrance", TouchpointKind.BYPASS_ENTRANCE, "park", "comet", Direction.IN),
            ("comet-merge", TouchpointKind.MERGE_POINT, "park", "comet", Direction.IN),
            ("carousel-entrance", TouchpointKind.BYPASS_ENTRANCE, "park", "carousel", Direction.IN),
            ("carousel-merge", TouchpointKind.MERGE_POINT, "park", "carousel", Direction.IN),
            ("gone-entrance", TouchpointKind.BYPASS_ENTRANCE, "park", "gone", Direction.IN),
            ("till", TouchpointKind.TILL, "shops", "grill", Direction.IN),
            ("plaza", TouchpointKind.PHOTO_POINT, "park", "plaza", Direction.IN),
            ("encoder", TouchpointKind.ENCODER, "hotel", "desk", Direction.IN),
        )
    ),
)


def an_id(number: int, at: datetime = NOON) -> str:
    """Return an identifier that is the same for the same number."""
    return uuid7(at, number.to_bytes(10, "big"))


TOKEN_ID, PARTY_ID, BAND_ID = an_id(1), an_id(2), an_id(3)
BAND = Medium(BAND_ID, MediumKind.BAND, MediumState.ACTIVE, "04aabbccddeeff")


class World(Struct, frozen=True):
    """A tap and what is known of it."""

    tap: Tap
    facts: Facts

    def with_tap(self, **changes: object) -> "World":
        return World(replace(self.tap, **changes), self.facts)

    def with_facts(self, **changes: object) -> "World":
        return World(self.tap, replace(self.facts, **changes))

    def with_credential(self, **changes: object) -> "World":
        assert self.tap.presented.credential is not None
        credential = replace(self.tap.presented.credential, **changes)
        return self.with_tap(presented=replace(self.tap.presented, credential=credential))

    def with_token(self, **changes: object) -> "World":
        assert self.facts.token is not None
        return self.with_facts(token=replace(self.facts.token, **changes))

    def with_policies(self, **changes: object) -> "World":
        resort = replace(self.facts.resort, policies=replace(self.facts.policies, **changes))
        return self.with_facts(resort=resort)

    def with_right(self, **changes: object) -> "World":
        """Change every right of the token."""
        assert self.facts.token is not None
        return self.with_token(
            entitlements=tuple(replace(right, **changes) for right in self.facts.token.entitlements)
        )

    def with_uses(self, *uses: Use) -> "World":
        """Add uses, in order of time as the facts promise."""
        merged = sorted((*self.facts.uses, *uses), key=lambda use: (use.at, use.tap_id, use.entitlement_id))
        return self.with_facts(uses=tuple(merged))


def use_of(
    step: Step, at: datetime, place: str, *, number: int = 900, right: str = "right", amount: int = 0
) -> Use:
    """Return a use by another tap than the world's own."""
    return Use(an_id(number, at), right, step, at, RESORT.day_of(at), place, amount)


def world_at(touchpoint: str, *rights: Entitlement, sale: Sale | None = None, at: datetime = NOON) -> World:
    """Return a world in which a known guest with an active band taps, at an edge that knows everything."""
    credential = Credential(
        token_id=TOKEN_ID,
        medium_tag=short_tag(BAND_ID),
        chip_uid=BAND.chip_uid,
        issued_at=at - timedelta(days=10),
        expires_at=at + timedelta(days=10),
        epoch=1,
        key_id="0102030405060708",
    )
    tap = Tap(an_id(5, at), touchpoint, "reader-1", at, Presented(Proof.CHIP_UID, credential), sale)
    token = TokenDocument(TOKEN_ID, 1, PARTY_ID, (BAND,), tuple(rights), pin_verifier="scrypt1$a$b")
    facts = Facts(
        RESORT.touchpoint(touchpoint), RESORT, token, (), 0, at - timedelta(seconds=10), online=True
    )
    return World(tap, facts)


def sale_of(total_minor: int, currency: str = "EUR") -> Sale:
    """Return a sale of one item at the grill."""
    return Sale(an_id(7), "grill", currency, (SaleLine("menu", 1, total_minor, "vat10"),), total_minor)


# Any world at all: what follows promises no sense, only types. Strategies are cached, building one is dear.

_MARKS = (0, 1, 59, 60, 299, 300, 301, 900, 901, 3600, 4 * 3600, 24 * 3600, 3 * 24 * 3600, 40 * 24 * 3600)
_RIGHT_IDS = tuple(f"right-{letter}" for letter in "abcd")
_ID_NUMBERS = st.integers(100, 115)


@cache
def instants() -> st.SearchStrategy[datetime]:
    """Return instants around NOON, most of them where a rule has an edge."""
    marks = st.sampled_from([sign * mark for mark in _MARKS for sign in (1, -1)])
    return st.one_of(marks, st.integers(-4 * 86400, 4 * 86400)).map(lambda s: NOON + timedelta(seconds=s))


@cache
def _spans() -> st.SearchStrategy[tuple[datetime, datetime]]:
    return st.tuples(instants(), instants()).map(lambda pair: (min(pair), max(pair)))


@cache
def _days() -> st.SearchStrategy[tuple[date, date]]:
    return _spans().map(lambda span: (RESORT.day_of(span[0]), RESORT.day_of(span[1])))


@cache
def _some(*ids: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Some of these, and of what the resort does not know."""
    return st.lists(st.sampled_from([*ids, "gone"]), max_size=3, unique=True).map(tuple)


@cache
def entitlements(entitlement_id: str) -> st.SearchStrategy[Entitlement]:
    """Return rights of every kind under this id, some to things the resort does not know."""
    small = st.integers(0, 3)
    attraction = st.sampled_from(["comet", "carousel", "glacier", "gone"])
    amounts = st.sampled_from([0, 1, 2500, 5000, 7500, 30000])
    return st.one_of(
        st.builds(lambda r, s: RoomKey(entitlement_id, r, *s), _some("101", "102"), _spans()),
        st.builds(
            lambda r, s, v: Parking(entitlement_id, r, *s, v), _some("lot-a", "lot-b"), _spans(), small
        ),
        st.builds(
            lambda p, s, d, h: Admission(entitlement_id, p, *s, d, h),
            _some("lagoon", "summit"),
            _days(),
            small,
            st.booleans(),
        ),
        st.builds(
            lambda a, s, k: Bypass(entitlement_id, a, *s, k), attraction, _spans(), st.sampled_from(PickKind)
        ),
        st.builds(
            lambda limit, pin, s, c: Spending(entitlement_id, an_id(8), c, limit, pin, *s),
            amounts,
            amounts,
            _spans(),
            st.sampled_from(["EUR", "EUR", "GBP"]),
        ),
        st.builds(lambda s, plan: Photos(entitlement_id, *s, plan), _spans(), st.booleans()),
    )


@cache
def uses() -> st.SearchStrategy[tuple[Use, ...]]:
    """Return uses of any right, each by its own tap, in any order."""
    places = st.sampled_from(["lagoon", "summit", "lot-a", "comet", "carousel", "grill", "gone"])
    one = st.builds(
        lambda n, right, step, at, place, amount: use_of(
            step, at, place, number=n, right=right, amount=amount
        ),
        _ID_NUMBERS,
        st.sampled_from([*_RIGHT_IDS, "grant:0123456789abcdef"]),
        st.sampled_from(Step),
        instants(),
        places,
        st.sampled_from([0, 0, 100, 2500, 30000]),
    )
    return st.lists(one, max_size=6, unique_by=lambda use: use.tap_id).map(tuple)


@cache
def media() -> st.SearchStrategy[tuple[Medium, ...]]:
    """Return the guest's band in any state, or none, beside another medium."""
    band = st.builds(
        lambda state, at: Medium(BAND_ID, MediumKind.BAND, state, BAND.chip_uid, at),
        st.sampled_from(MediumState),
        st.none() | instants(),
    )
    other = Medium(an_id(4), MediumKind.PHONE, MediumState.ACTIVE)
    return st.one_of(st.just((BAND, other)), st.just((other,)), band.map(lambda medium: (other, medium)))


@cache
def documents() -> st.SearchStrategy[TokenDocument]:
    """Return token documents of the one guest with any rights and uses."""
    rights = st.one_of(
        *(
            st.tuples(*(entitlements(each) for each in _RIGHT_IDS[:count]))
            for count in range(len(_RIGHT_IDS) + 1)
        )
    )
    return st.builds(
        TokenDocument,
        token_id=st.just(TOKEN_ID),
        version=st.integers(1, 9),
        party_id=st.just(PARTY_ID),
        media=media(),
        entitlements=rights,
        uses=uses(),
        pin_verifier=st.sampled_from(["", "scrypt1$a$b"]),
        pin_tries=st.integers(0, 6),
        closed=st.sampled_from([False, False, False, True]),
    )


@cache
def grants() -> st.SearchStrategy[tuple[Grant, ...]]:
    """Return what a credential may carry, in whole seconds as a credential has them."""
    admission = st.builds(
        lambda p, s, d: AdmissionGrant(p, *s, d), _some("lagoon", "summit"), _days(), st.integers(0, 3)
    )
    room = st.builds(lambda r, s: RoomGrant(r, *s), _some("101", "102"), _spans())
    return st.lists(admission | room, max_size=3).map(tuple)


@cache
def credentials() -> st.SearchStrategy[Credential]:
    """Return verified credentials of the one guest's band."""
    return st.builds(
        Credential,
        token_id=st.just(TOKEN_ID),
        medium_tag=st.just(short_tag(BAND_ID)),
        chip_uid=st.just(BAND.chip_uid),
        issued_at=instants(),
        expires_at=st.just(NOON + timedelta(days=60)) | instants(),
        epoch=st.integers(0, 3),
        key_id=st.just("0102030405060708"),
        grants=grants(),
    )


@cache
def holds() -> st.SearchStrategy[Hold]:
    """Return what may come back from asking the gateway to hold an amount."""
    whys = [None, Refused(Reason.OVER_FOLIO_LIMIT), Refused(Reason.OVER_DAILY_LIMIT, {"left": "1.00 EUR"})]
    refused = st.builds(Hold, st.just(HoldAnswer.REFUSED), st.sampled_from(whys))
    return refused | st.sampled_from([Hold(HoldAnswer.HELD), Hold(HoldAnswer.UNREACHABLE)])


@cache
def taps() -> st.SearchStrategy[Tap]:
    """Return taps at any touchpoint, at any stage of being asked about."""
    presented = st.builds(Presented, st.just(Proof.CHIP_UID), credentials()) | st.builds(
        Presented, st.sampled_from(Proof), st.none(), st.none() | st.sampled_from([Reason.CREDENTIAL_FORGED])
    )
    sales = st.none() | st.builds(
        sale_of,
        st.sampled_from([-1, 0, 1, 2500, 2501, 5000, 5001, 40000]),
        st.sampled_from(["EUR", "EUR", "JPY"]),
    )
    return st.builds(
        Tap,
        tap_id=_ID_NUMBERS.map(an_id),
        touchpoint=st.sampled_from([point.id for point in RESORT.touchpoints]),
        reader=st.just("reader-1"),
        at=st.just(NOON) | instants(),
        presented=presented,
        sale=sales,
        pin=st.none() | st.sampled_from(PinCheck),
        hold=st.none() | holds(),
    )


@cache
def policies() -> st.SearchStrategy[Policies]:
    """Return the default policies or others."""
    return st.just(Policies()) | st.builds(
        Policies,
        offline_floor_minor=st.sampled_from([0, 2500, 10000]),
        offline_token_cap_minor=st.sampled_from([0, 7500]),
        offline_pin_sales=st.booleans(),
        unknown_at_gates=st.booleans(),
        unknown_at_doors=st.booleans(),
        parking_passback_s=st.sampled_from([0, 3600, 4 * 3600]),
        sun_fallback=st.booleans(),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return any tap with any facts that could go with it."""
    tap = draw(taps())
    known = draw(st.none() | documents())
    facts = Facts(
        touchpoint=RESORT.touchpoint(tap.touchpoint),
        resort=replace(RESORT, policies=draw(policies())),
        token=known,
        uses=tuple(sorted(draw(uses()), key=lambda use: (use.at, use.tap_id))),
        pin_tries=draw(st.integers(0, 6)),
        as_of=draw(st.none() | instants()),
        online=draw(st.booleans()),
        edge_offline_minor=draw(st.sampled_from([0, 499999, 500000])),
        token_offline_minor=draw(st.sampled_from([0, 5000, 7500])),
    )
    return World(tap, facts)
