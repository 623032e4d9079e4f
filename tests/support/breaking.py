"""One property for all rights: of any set of broken conditions, the verdict names the first one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from msgspec.structs import replace

from tests.support.worlds import World
from wallet.decide import decide
from wallet.medium import MediumState
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.resort import TouchpointKind
from wallet.tap import Approved, Refused


@dataclass(frozen=True)
class Break:
    """A way to break one condition of a world that passes, and the reason that must be given for it."""

    reason: Reason
    apply: Callable[[World], World]


def expect_first_broken(passing: World, breaks: Sequence[Break], chosen: frozenset[int]) -> None:
    """Assert that `passing` with the chosen breaks is refused for the first of them, or passes with none.

    The last break is applied first, so that an earlier one may overwrite what a later one did.
    """
    world = passing
    for index in sorted(chosen, reverse=True):
        world = breaks[index].apply(world)
    verdict = decide(world.tap, world.facts)
    if chosen:
        assert isinstance(verdict, Refused), verdict
        assert verdict.reason is breaks[min(chosen)].reason
    else:
        assert isinstance(verdict, Approved), verdict


def expect_each_and_every_pair(passing: World, breaks: Sequence[Break]) -> None:
    """Assert the same for no break, each alone and each two: a random set seldom begins with a late one."""
    alone = [frozenset({index}) for index in range(len(breaks))]
    pairs = [frozenset(pair) for pair in combinations(range(len(breaks)), 2)]
    for chosen in (frozenset[int](), *alone, *pairs):
        expect_first_broken(passing, breaks, chosen)


def _no_credential(world: World) -> World:
    return world.with_tap(presented=replace(world.tap.presented, credential=None))


def _stale(world: World) -> World:
    is_till = world.facts.touchpoint.kind is TouchpointKind.TILL
    lease_s = world.facts.policies.till_lease_s if is_till else world.facts.policies.gate_lease_s
    return world.with_facts(online=False, as_of=world.tap.at - timedelta(seconds=lease_s + 1))


def _medium(world: World, **changes: object) -> World:
    assert world.facts.token is not None
    return world.with_token(media=tuple(replace(medium, **changes) for medium in world.facts.token.media))


def _pending(world: World) -> World:
    """Shown apart from its chip: a chip that holds a whole credential was written."""
    shown = replace(world.tap.presented, proof=Proof.QR)
    return _medium(world, state=MediumState.PENDING).with_tap(presented=shown)


MEDIUM_BREAKS = (
    Break(Reason.CREDENTIAL_MISSING, _no_credential),
    Break(Reason.CREDENTIAL_EXPIRED, lambda world: world.with_credential(expires_at=world.tap.at)),
    Break(Reason.MEDIUM_UNKNOWN, lambda world: world.with_token(media=())),
    Break(
        Reason.MEDIUM_REVOKED,
        lambda world: _medium(world, state=MediumState.REVOKED, revoked_at=world.tap.at),
    ),
    Break(Reason.MEDIUM_PENDING, _pending),
)
"""What stops a medium anywhere, in the order in which it is looked at."""

STALE = Break(Reason.FACTS_TOO_OLD, _stale)
CLOSED = Break(Reason.NOT_ENTITLED, lambda world: world.with_token(closed=True))
NO_RIGHTS = Break(Reason.NOT_ENTITLED, lambda world: world.with_token(entitlements=()))
