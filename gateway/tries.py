"""How often someone may try: failed tries per name and per address, and bookings per address. In this process alone."""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from threading import Lock

from limits import parse

from gateway.errors import Rejection, TooMany
from photopass.refusals import PhotoReason

NAMES_MAX = 10_000
"""So many names are counted at once; a new one pushes out the one that was longest without a try."""
_IPV6_HOST_BITS = 64
"""What a household or a hotel has of IPv6 to itself (RFC 6177); its addresses are one."""


class Kind(StrEnum):
    """What is tried; kinds do not share their counts, so that no one is locked out by another's mistakes."""

    GUEST = "guest"
    STAFF = "staff"
    ENROLMENT = "enrolment"
    CLAIM = "claim"
    LINK = "link"


class MovingWindow:
    """Counts what happened under a name within the last so many seconds, for a bounded number of names.

    Args:
        limit: how many in which time, like "10/15 minutes".
        monotonic: gives seconds that never go back.
    """

    def __init__(self, limit: str, monotonic: Callable[[], float], names_max: int = NAMES_MAX) -> None:
        item = parse(limit)
        self._most, self._window_s = item.amount, float(item.get_expiry())
        self._monotonic = monotonic
        self._names_max = names_max
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str) -> float:
        """Count one more under the name and return 0, or count nothing and return the seconds to wait."""
        now = self._monotonic()
        with self._lock:
            times = self._seen.setdefault(name, deque())
            self._seen.move_to_end(name)
            while times and times[0] <= now - self._window_s:
                times.popleft()
            if len(times) >= self._most:
                return times[0] + self._window_s - now
            times.append(now)
            while len(self._seen) > self._names_max:
                self._seen.popitem(last=False)
        return 0.0

    def give_back(self, name: str) -> None:
        """Count the last one under the name no more."""
        with self._lock:
            times = self._seen.get(name)
            if times:
                times.pop()
            if not times:
                self._seen.pop(name, None)

    def __len__(self) -> int:
        """Return how many names are counted at this moment."""
        return len(self._seen)


class Failures:
    """Limits failed tries, tightly per name and far more loosely per address, which a whole hotel may share."""

    def __init__(self, per_name: str, per_address: str, monotonic: Callable[[], float]) -> None:
        self._names = {kind: MovingWindow(per_name, monotonic) for kind in Kind}
        self._addresses = {kind: MovingWindow(per_address, monotonic) for kind in Kind}

    @contextmanager
    def trying(self, kind: Kind, name: str, address: str) -> Iterator[None]:
        """Let one try be made within; it counts if `FAILED` says so of the Rejection it raises.

        It counts from the beginning, so that many tries at once are no way round.

        Raises:
            TooMany: there were too many failed ones.
        """
        ways = ((self._addresses[kind], address_key(address)), (self._names[kind], name))
        taken: list[tuple[MovingWindow, str]] = []
        failed = False
        try:
            for window, key in ways:
                wait_s = window.take(key)
                if wait_s:
                    sentence = "Too many tries. Please wait a while, or see the front desk."
                    raise TooMany("too_many_tries", sentence, math.ceil(wait_s))
                taken.append((window, key))
            yield
        except Rejection as rejection:
            # Any other, like that of a gateway too busy to look, says nothing about the code.
            failed = rejection.code in FAILED
            raise
        finally:
            if not failed:
                for window, key in taken:
                    window.give_back(key)


FAILED = frozenset({"sign_in_refused", "enrolment_refused", "chip_unknown", PhotoReason.CODE_UNKNOWN.value})
"""The codes of the refusals that mean: the name, code or password is wrong."""


class Visits:
    """Limits how often something is asked for from one address."""

    def __init__(self, per_address: str, monotonic: Callable[[], float]) -> None:
        self._window = MovingWindow(per_address, monotonic)

    def count(self, address: str) -> None:
        """Count one.

        Raises:
            TooMany: there were too many from this address.
        """
        wait_s = self._window.take(address_key(address))
        if wait_s:
            sentence = "Too many requests come from your network. Please try again in a moment."
            raise TooMany("too_many_requests", sentence, math.ceil(wait_s))


def address_key(address: str) -> str:
    """Return under which name an address counts: an IPv6 address with all of its network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> _IPV6_HOST_BITS:x}"
