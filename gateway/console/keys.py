"""The words about keys: which there are, new epochs, and the end of old ones."""

from typing import Any

from gateway.bootstrap import Gateway, running
from gateway.command import Channel
from gateway.console.saying import ACTOR, say, settings_for_console
from gateway.db import chips
from gateway.db.rows import ChipEpochRow, IssuerKeyRow, KeyState
from gateway.issuer import new_key
from gateway.services.keys import KeyFamily, RetireKeys, RotateChips, RotateIssuer

_OF = {KeyFamily.ISSUER: "the issuer's keys", KeyFamily.CHIPS: "the chips' keys"}


def list_keys(*, as_json: bool) -> int:
    """List the keys that sign credentials."""
    with running(settings_for_console()) as gateway:
        rows = gateway.issuer.rows()
    told = [
        {"key_id": r.key_id, "epoch": r.epoch, "state": r.state, "public": r.public, "made_at": r.made_at}
        for r in rows
    ]
    lines = "\n".join(f"{r.key_id}  epoch {r.epoch}  {r.state}  {r.made_at:%Y-%m-%d}" for r in rows)
    say({"keys": told}, lines, as_json=as_json)
    return 0


def rotate(family: KeyFamily, *, as_json: bool) -> int:
    """Begin a new epoch. Raises Rejection when all have been used."""
    with running(settings_for_console()) as gateway:
        wish = RotateIssuer(*new_key(gateway.vault, gateway.entropy)) if family is KeyFamily.ISSUER else None
        name = "keys.rotate_issuer" if wish else "keys.rotate_chips"
        answer = gateway.do(name, wish or RotateChips(), actor=ACTOR, channel=Channel.OPERATIONS)
    sentence = (
        f"Epoch {answer['epoch']} of {_OF[family]} began. The older ones stay good; media are brought forward as they "
        "touch an encoder: passband gateway keys status."
    )
    say(answer, sentence, as_json=as_json)
    return 0


def retire(family: KeyFamily, epoch: int, *, force: bool, as_json: bool) -> int:
    """Take an epoch out of use. Raises Rejection while live media need it, unless `force`."""
    with running(settings_for_console()) as gateway:
        live = _live_media(gateway, family).get(epoch, 0)
        wish = RetireKeys(family, epoch, live, force)
        answer = gateway.do("keys.retire", wish, actor=ACTOR, channel=Channel.OPERATIONS)
    stopped = answer["stopped_media"]
    sentence = f"Epoch {epoch} of {_OF[family]} is retired; {stopped} media stop with it."
    say(answer, sentence, as_json=as_json)
    return 0


def status(*, as_json: bool) -> int:
    """Tell of each epoch how many live media are in it."""
    with running(settings_for_console()) as gateway:
        families: dict[KeyFamily, list[IssuerKeyRow] | list[ChipEpochRow]] = {
            KeyFamily.ISSUER: gateway.issuer.rows(),
            KeyFamily.CHIPS: gateway.chip_keys.rows(),
        }
        told = {family.value: _told(rows, _live_media(gateway, family)) for family, rows in families.items()}
    lines = [
        f"{name}: epoch {each['epoch']}  {each['state']}  begun {each['made_at']:%Y-%m-%d}  "
        f"{each['live_media']} live media ({each['share_percent']} %)"
        for name, epochs in told.items()
        for each in epochs
    ]
    say(told, "\n".join(lines), as_json=as_json)
    return 0


def _told(rows: list[IssuerKeyRow] | list[ChipEpochRow], live: dict[int, int]) -> list[dict[str, Any]]:
    total = sum(live.values())
    newest = max((row.epoch for row in rows if row.state is KeyState.ACTIVE), default=0)
    return [
        {
            "epoch": row.epoch,
            "state": row.state.value,
            "in_use": row.epoch == newest,
            "made_at": row.made_at,
            "live_media": live.get(row.epoch, 0),
            "share_percent": round(100 * live.get(row.epoch, 0) / total) if total else 0,
        }
        for row in rows
    ]


def _live_media(gateway: Gateway, family: KeyFamily) -> dict[int, int]:
    now = gateway.clock.now()
    with gateway.database.read() as connection:
        if family is KeyFamily.ISSUER:
            return chips.media_by_issuer_epoch(connection, now)
        return chips.media_by_chip_epoch(connection, now)
