"""A guest's phone: bound to its own key once, and from then on signing its codes by itself."""

from datetime import datetime, timedelta

from simulators.demo.api import Session
from simulators.demo.hands import Phone
from simulators.demo.stage import Guest, Stage

_RENEWED_BEFORE_END = timedelta(hours=1)


class Wallet:
    """The credential that a phone keeps; it is asked for anew only when it is about to end."""

    def __init__(self, stage: Stage, guest: Guest, medium_id: str, by: Session) -> None:
        self._stage = stage
        self._address = f"/api/v1/tokens/{guest.token_id}/pass"
        self._medium_id = medium_id
        self._by = by
        self._credential = ""
        self._valid_until: datetime | None = None

    def credential(self) -> str:
        """Return the credential in hex."""
        ends_at = self._valid_until
        if ends_at is None or self._stage.clock.now() >= ends_at - _RENEWED_BEFORE_END:
            told = self._stage.gateway.get(self._address, self._by, medium_id=self._medium_id)
            self._credential = str(told["credential"])
            self._valid_until = datetime.fromisoformat(told["valid_until"])
        return self._credential


def carry_phone(stage: Stage, guest: Guest, by: Session) -> None:
    """Let the guest carry the token on a phone, set up `by` the party's own session or the desk's."""
    media = f"/api/v1/tokens/{guest.token_id}/media"
    medium_id = str(stage.gateway.command(f"phone {guest.name}", media, {"kind": "phone"}, by)["medium_id"])
    step = f"phone key {guest.name}"
    secret = stage.dice.secret(f"phone {guest.name}")
    proof = stage.field.make_phone(medium_id, secret, stage.dice.command_id(step))
    stage.gateway.command(step, f"/api/v1/media/{medium_id}/device-key", proof, by, "PUT")
    wallet = Wallet(stage, guest, medium_id, by)
    wallet.credential()
    guest.carried = Phone(guest.name, medium_id, wallet.credential, stage.clock.now)
