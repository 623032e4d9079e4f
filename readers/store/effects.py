"""What taps did here and the gateway's documents may not tell yet: uses, PIN tries and offline sales."""

import sqlite3

import msgspec

from readers.store import documents
from wallet.journal import EntryKind, JournalEntry
from wallet.tap import Approved, HoldAnswer, PinCheck, Tap
from wallet.token import Use

_USE = msgspec.json.Decoder(Use)


def record(db: sqlite3.Connection, entry: JournalEntry, pin_tries: int) -> None:
    """Write what the entry did. `pin_tries` are the tries that stood before it."""
    if entry.tap is None:
        return
    if entry.kind is EntryKind.PIN_TRY:
        _put_pin(db, entry, 1)
    elif isinstance(entry.decision, Approved):
        for use in entry.decision.uses:
            db.execute(
                "INSERT OR REPLACE INTO local_use VALUES (?, ?, ?, ?, ?, ?)",
                (
                    use.tap_id,
                    use.entitlement_id,
                    entry.token_id,
                    entry.epoch,
                    entry.number,
                    msgspec.json.encode(use),
                ),
            )
        if entry.tap.pin is PinCheck.RIGHT and pin_tries:
            _put_pin(db, entry, -pin_tries)
        if entry.tap.sale is not None and not _is_held(entry.tap):
            db.execute(
                "INSERT OR REPLACE INTO offline_sale VALUES (?, ?, ?, ?)",
                (entry.epoch, entry.number, entry.token_id, entry.tap.sale.total_minor),
            )


def uses(db: sqlite3.Connection, token_id: str) -> tuple[Use, ...]:
    """Return the uses made here by the token, as long as they are kept."""
    rows = db.execute("SELECT body FROM local_use WHERE token_id = ?", (token_id,))
    return tuple(_USE.decode(body) for (body,) in rows)


def pin_tries(db: sqlite3.Connection, token_id: str) -> int:
    """Return what the tries made here add to the document's count; negative after a right PIN."""
    row = db.execute("SELECT coalesce(sum(tries), 0) FROM local_pin WHERE token_id = ?", (token_id,))
    return int(row.fetchone()[0])


def offline_minor(db: sqlite3.Connection, token_id: str) -> tuple[int, int]:
    """Return what was approved without a hold and not yet acknowledged: by this edge, and by the token."""
    row = db.execute(
        "SELECT coalesce(sum(amount_minor), 0), "
        "coalesce(sum(amount_minor) FILTER (WHERE token_id = ?), 0) FROM offline_sale",
        (token_id,),
    ).fetchone()
    return int(row[0]), int(row[1])


def settle_acknowledged(db: sqlite3.Connection, epoch: str, number: int, position: int) -> None:
    """Let go of what the entries up to `number` did: offline sales, and what documents tell by now.

    Args:
        position: the feed position up to which the gateway tells what they did, 0 when it did not say.
    """
    if position:
        db.execute(
            "UPDATE local_pin SET covered = ? WHERE epoch = ? AND number <= ? AND covered IS NULL",
            (position, epoch, number),
        )
        settle_covered(db)
    db.execute("DELETE FROM offline_sale WHERE epoch = ? AND number <= ?", (epoch, number))
    tokens = db.execute(
        "SELECT token_id FROM local_use WHERE epoch = ? AND number <= ? "
        "UNION SELECT token_id FROM local_pin WHERE epoch = ? AND number <= ?",
        (epoch, number, epoch, number),
    ).fetchall()
    for (token_id,) in tokens:
        settle_token(db, token_id)


def settle_covered(db: sqlite3.Connection) -> None:
    """Let go of the PIN tries that the feed, as far as it is known here, has told.

    A newer document alone does not say so: it may have been made before the tries came home.
    """
    db.execute("DELETE FROM local_pin WHERE covered <= (SELECT position FROM cursor)")


def begin_snapshot(db: sqlite3.Connection, position: int) -> None:
    """Take what was acknowledged before a snapshot at `position` for told by it, whatever feed told so before."""
    db.execute("UPDATE local_pin SET covered = ? WHERE covered > ?", (position, position))


def settle_token(db: sqlite3.Connection, token_id: str) -> None:
    """Let go of the token's uses and tries that are both acknowledged and told by its document.

    A use that no document ever tells (its entry was set aside) is kept: it did happen here.
    """
    held = db.execute(
        "SELECT tap_id FROM local_use JOIN epoch USING (epoch) "
        "WHERE token_id = ? AND local_use.number <= acknowledged",
        (token_id,),
    ).fetchall()
    try:
        document = documents.document(db, token_id)
    except msgspec.MsgspecError:
        return
    if document is None:
        return
    # By tap: what a grant let through here, the gateway records under the right it knows.
    told = {use.tap_id for use in document.uses}
    db.executemany("DELETE FROM local_use WHERE tap_id = ?", [row for row in held if row[0] in told])
    db.execute(
        "DELETE FROM local_pin WHERE token_id = ? AND document_version < ? AND covered IS NULL AND number <= "
        "(SELECT acknowledged FROM epoch WHERE epoch.epoch = local_pin.epoch)",
        (token_id, document.version),
    )


def tokens_with_effects(db: sqlite3.Connection) -> frozenset[str]:
    """Return the tokens of which something is kept here."""
    rows = db.execute("SELECT token_id FROM local_use UNION SELECT token_id FROM local_pin")
    return frozenset(token_id for (token_id,) in rows)


def _is_held(tap: Tap) -> bool:
    return tap.hold is not None and tap.hold.answer is HoldAnswer.HELD


def _put_pin(db: sqlite3.Connection, entry: JournalEntry, tries: int) -> None:
    db.execute(
        "INSERT OR REPLACE INTO local_pin VALUES (?, ?, ?, ?, ?, NULL)",
        (entry.epoch, entry.number, entry.token_id, tries, entry.document_version),
    )
