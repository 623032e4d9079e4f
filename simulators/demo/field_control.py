"""The hand that holds chips and codes to readers and pulls cables: the field's control interface."""

from datetime import datetime
from typing import Any

from simulators.demo.api import Api
from simulators.dice import Dice


class FieldControl:
    """Speaks to the field process, as patiently as people do to the gateway."""

    def __init__(self, url: str, dice: Dice) -> None:
        self._api = Api(url, dice)

    def make_chip(self, kind: str, uid: str, label: str) -> str:
        """Return the id of a blank chip with this UID."""
        return str(self._post("/chips", {"kind": kind, "uid": uid, "label": label})["chip"])

    def present(self, reader: str, chip: str) -> None:
        """Hold a chip to a reader until it is removed."""
        self._post(f"/fields/{reader}/present", {"chip": chip})

    def remove(self, reader: str) -> None:
        """Take away what is at the reader."""
        self._post(f"/fields/{reader}/remove", {})

    def show(self, reader: str, text: str) -> None:
        """Show a code to a scanner. Raises Refused when no edge listens to it."""
        self._post(f"/scanners/{reader}/show", {"text": text})

    def make_phone(self, medium_id: str, secret: bytes, command_id: str) -> dict[str, Any]:
        """Return a new phone's public key and its proof, both hex, for registering it under this idempotency key."""
        return self._post("/phones", {"phone": medium_id, "secret": secret.hex(), "command_id": command_id})

    def show_pass(self, reader: str, medium_id: str, credential: str, at: datetime) -> str:
        """Let a phone sign a code at this moment and show it; return its text. Raises Refused as `show` does."""
        shown = {"phone": medium_id, "credential": credential, "at": at.isoformat()}
        return str(self._post(f"/scanners/{reader}/show-pass", shown)["text"])

    def cut(self, edge: str, mode: str = "cut") -> None:
        """Cut an edge off from the gateway."""
        self._post(f"/networks/{edge}/cut", {"mode": mode})

    def heal(self, edge: str) -> None:
        """Connect an edge again."""
        self._post(f"/networks/{edge}/heal", {})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._api.command(path, path, body)
