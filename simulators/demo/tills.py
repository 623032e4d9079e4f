"""Sales as a cashier makes them, through the till's API at the edge."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.demo.api import Api, Session
from simulators.demo.faults import Refused, StoryFailed
from simulators.demo.hands import Carried, Hands
from simulators.lamps import Light
from wallet.reasons import Reason

TRIES_MAX = 8
_ASK_AGAIN_S = 0.05
_PIN_WAIT_S = 5.0
# What a till says when it could not reach the gateway just then: a cashier tries again.
_AWAY = {Reason.OFFLINE_ABOVE_FLOOR, Reason.OFFLINE_PIN, Reason.OFFLINE_CAP_REACHED, Reason.PIN_NOT_GIVEN}
_UNREAD = {Reason.MEDIUM_UNREADABLE, Reason.CREDENTIAL_MALFORMED}


@dataclass(frozen=True)
class Paid:
    """What became of a sale, and the light that was seen, if any was."""

    sale: Mapping[str, Any]
    light: Light | None
    asked_pin: bool

    @property
    def is_approved(self) -> bool:
        """Whether it is paid."""
        return bool(self.sale["state"] == "approved")


class Till:
    """One till. A sale keeps its id over restarts of the edge, so that it is never paid twice."""

    def __init__(
        self, touchpoint: str, edge: Api, key: str, hands: Hands, edge_online: Callable[[], None]
    ) -> None:
        """Args: `edge_online` waits until the edge reaches the gateway again."""
        self._touchpoint = touchpoint
        self._edge = edge
        self._session = Session(lambda: key)
        self._hands = hands
        self._edge_online = edge_online

    def sell(
        self,
        step: str,
        basket: Mapping[str, int],
        carried: Carried,
        *,
        pin: str | None = None,
        offline: bool = False,
    ) -> Paid:
        """Open a sale, let the guest tap, hand on the PIN when it is asked, and return what became of it.

        Args:
            step: names the sale; the same step is the same sale.
            offline: whether the network is meant to be down, so that a refusal for it is an answer.
        Raises:
            StoryFailed: no answer after many tries.
        """
        asked_pin = False
        for attempt in range(TRIES_MAX):
            sale_id = f"{step}-{attempt}" if attempt else step
            sale, light, asked = self._pay(sale_id, basket, carried, pin)
            asked_pin = asked_pin or asked
            if sale["state"] == "approved" or (
                sale["state"] == "refused" and (offline or not _is_away(sale))
            ):
                return Paid(sale, light, asked_pin)
            if not offline:
                self._edge_online()
        raise StoryFailed(f"The till {self._touchpoint} could not finish the sale {step}.")

    def _pay(
        self, sale_id: str, basket: Mapping[str, int], carried: Carried, pin: str | None
    ) -> tuple[Mapping[str, Any], Light | None, bool]:
        """Bring one sale to an end: approved, refused or cancelled."""
        asked = False
        light: Light | None = None
        for _ in range(TRIES_MAX):
            sale = self._open(sale_id, basket)
            if sale["state"] == "open":
                light = self._hands.tap_once(self._touchpoint, carried)
                if light is not None and light.reason in _UNREAD:
                    continue
                sale = self._settled(sale_id, sale)
            if sale["state"] == "asks_pin":
                asked = True
                light = self._give(sale_id, str(sale["tap_id"]), pin)
                sale = self._settled(sale_id, sale)
            if sale["state"] in ("approved", "refused", "cancelled"):
                return sale, light, asked
        raise StoryFailed(f"The sale {sale_id} at {self._touchpoint} came to no end.")

    def _open(self, sale_id: str, basket: Mapping[str, int]) -> Mapping[str, Any]:
        lines = [{"item": item, "quantity": quantity} for item, quantity in basket.items()]
        return self._edge.command(sale_id, self._sales, {"sale_id": sale_id, "lines": lines}, self._session)

    def _give(self, sale_id: str, tap_id: str, pin: str | None) -> Light | None:
        if pin is None:
            raise StoryFailed(f"The till {self._touchpoint} asked for a PIN that this guest never set.")
        try:
            self._edge.command(f"{sale_id} pin", f"{self._sales}/{sale_id}/pin", {"pin": pin}, self._session)
        except Refused:
            return None  # the edge was started again and has forgotten the question
        return self._hands.final_light(tap_id)

    def _settled(self, sale_id: str, sale: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the sale once it is no longer being decided; as it was when the edge has forgotten it."""
        deadline = time.monotonic() + _PIN_WAIT_S
        while time.monotonic() < deadline:
            try:
                sale = self._edge.get(f"{self._sales}/{sale_id}", self._session)
            except Refused:
                return {**sale, "state": "forgotten"}
            if sale["state"] != "open":
                return sale
            time.sleep(_ASK_AGAIN_S)
        return sale

    @property
    def _sales(self) -> str:
        return f"/tills/{self._touchpoint}/sales"


def _is_away(sale: Mapping[str, Any]) -> bool:
    return sale.get("reason") in _AWAY
