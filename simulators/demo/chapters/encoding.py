"""Bands written at the front desk."""

import time

from simulators.demo.faults import StoryFailed
from simulators.demo.hands import Band
from simulators.demo.stage import Guest, Stage

ENCODER = "encoder-desk"
_READER = f"{ENCODER}-nfc"
_TRIES_MAX, _WAIT_S, _TRY_S = 6, 1.0, 5.0


def encode_band(stage: Stage, guest: Guest, kind: str = "ntag216") -> Band:
    """Hold a blank band to the encoder until it carries the guest's token.

    Raises:
        StoryFailed: it never does.
    """
    desk = stage.staff["desk"]
    for attempt in range(_TRIES_MAX):
        name = guest.name if attempt == 0 else f"{guest.name} {attempt}"
        band = Band(stage.make_band(name, kind).chip, guest.name)
        body = {"encoder": ENCODER, "kind": "band"}
        path = f"/api/v1/tokens/{guest.token_id}/encodings"
        encoding = stage.gateway.command(f"encode {guest.token_id} {attempt}", path, body, desk)
        told = _write(stage, str(encoding["encoding_id"]), band)
        if told["state"] == "done":
            stage.narrator.say(f"A band for {guest.name}: the encoder writes it and reads it back.")
            return band
        if told["state"] != "failed":
            break
    raise StoryFailed(f"The band for {guest.name} was not written: {told}")


def _write(stage: Stage, encoding_id: str, band: Band) -> dict[str, object]:
    """Hold the band there, and again if the encoder was started anew meanwhile."""
    told: dict[str, object] = {}
    for _ in range(_TRIES_MAX):
        stage.field.present(_READER, band.chip)
        try:
            told = _told(stage, encoding_id)
        finally:
            stage.field.remove(_READER)
        if told["state"] in ("done", "failed"):
            break
    return told


def _told(stage: Stage, encoding_id: str) -> dict[str, object]:
    deadline = time.monotonic() + _TRY_S
    while True:
        path = f"/api/v1/encodings/{encoding_id}"
        told = stage.gateway.get(path, stage.staff["desk"], wait_s=_WAIT_S)
        if told["state"] in ("done", "failed") or time.monotonic() >= deadline:
            return told
