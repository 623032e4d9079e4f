"""Which token a chip carries, by the documents; and the keys of single chips, sealed one by one."""

import sqlite3
from collections.abc import Iterable

from readers.sealing import Seal
from wallet.chips.keys import KEY_NO, ChipKey, KeySlot
from wallet.medium import MediumState
from wallet.token import TokenDocument


def put_media(db: sqlite3.Connection, token_id: str, document: TokenDocument | None) -> None:
    """Write which chips a token's document names, and drop the keys of chips that nobody's names any more."""
    before = {
        uid for (uid,) in db.execute("SELECT chip_uid FROM chip_medium WHERE token_id = ?", (token_id,))
    }
    media = [each for each in document.media if each.chip_uid] if document else []
    # A chip that was the guest's twice, turned off in between, is theirs now.
    live = {each.chip_uid: False for each in media}
    live |= {
        each.chip_uid: True
        for each in media
        if each.revoked_at is None and each.state is not MediumState.REVOKED
    }
    db.execute("DELETE FROM chip_medium WHERE token_id = ?", (token_id,))
    db.executemany(
        "INSERT INTO chip_medium VALUES (?, ?, ?)", [(uid, token_id, now) for uid, now in live.items()]
    )
    _drop_unnamed(db, before - set(live))


def token_of(db: sqlite3.Connection, chip_uid: str) -> str:
    """Return the token that a chip carries now, else one that it carried, empty when no document names it."""
    row = db.execute(
        "SELECT token_id FROM chip_medium WHERE chip_uid = ? ORDER BY live DESC LIMIT 1", (chip_uid,)
    ).fetchone()
    return str(row[0]) if row else ""


def put_keys(db: sqlite3.Connection, keys: Iterable[ChipKey], seal: Seal) -> None:
    """Write keys of single chips in place of older ones of the same epoch.

    Raises:
        ValueError: a key is not 16 bytes in hex.
    """
    run = db.execute("SELECT run FROM cursor").fetchone()[0]
    rows = []
    for each in keys:
        key = bytes.fromhex(each.key)
        if len(key) != 16:
            raise ValueError(f"the key of chip {each.chip_uid} is no key")
        rows.append((each.chip_uid, KEY_NO[each.slot], each.epoch, run, seal.close(key, _place(each))))
    db.executemany("INSERT OR REPLACE INTO chip_key VALUES (?, ?, ?, ?, ?)", rows)


def keys(db: sqlite3.Connection, chip_uid: str, slot: KeySlot, seal: Seal) -> tuple[tuple[int, bytes], ...]:
    """Return epoch and key of a chip's slot, the newest epoch first.

    Raises:
        SealBroken: a row was not sealed by this edge for this chip, slot and epoch.
    """
    rows = db.execute(
        "SELECT epoch, sealed FROM chip_key WHERE chip_uid = ? AND key_no = ? ORDER BY epoch DESC",
        (chip_uid, KEY_NO[slot]),
    )
    return tuple(
        (epoch, seal.open(sealed, _place(ChipKey(chip_uid, slot, epoch, "")))) for epoch, sealed in rows
    )


def end_snapshot(db: sqlite3.Connection, run: int) -> None:
    """Drop what no page of the snapshot's run brought."""
    db.execute(
        "DELETE FROM chip_medium WHERE token_id NOT IN (SELECT token_id FROM document WHERE body IS NOT NULL)"
    )
    db.execute("DELETE FROM chip_key WHERE run < ?", (run,))


def forget_keys(db: sqlite3.Connection) -> None:
    """Drop all keys. Without a whole snapshot they would never come again, so that one is asked for."""
    db.execute("DELETE FROM chip_key")
    db.execute("UPDATE cursor SET as_of = NULL")


def _drop_unnamed(db: sqlite3.Connection, chip_uids: set[str]) -> None:
    db.executemany(
        "DELETE FROM chip_key WHERE chip_uid = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM chip_medium WHERE chip_uid = ?1)",
        [(uid,) for uid in chip_uids],
    )


def _place(key: ChipKey) -> bytes:
    return f"chip key {key.chip_uid} {key.slot.value} {key.epoch}".encode()
