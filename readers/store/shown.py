"""What was shown here and is good only once: read counters of chips (SUN) and codes of phones.

Written in the tap's own commit, so that no restart sets them back.
"""

import sqlite3
from datetime import datetime

from wallet.resort import Policies
from wallet.tap import Presented, Tap


def record(db: sqlite3.Connection, tap: Tap, policies: Policies) -> None:
    """Write what the tap showed, whatever its verdict: a message that was seen is no new one any more."""
    shown = tap.presented
    if shown.sun is not None:
        uid = shown.sun.chip_uid
        db.execute("INSERT OR IGNORE INTO sun_read VALUES (?, ?, ?)", (uid, shown.sun.counter, tap.tap_id))
        # The second highest stays: the highest may be the one of a tap that is still asked for something.
        db.execute(
            "DELETE FROM sun_read WHERE chip_uid = ?1 AND counter < (SELECT counter FROM sun_read "
            "WHERE chip_uid = ?1 ORDER BY counter DESC LIMIT 1 OFFSET 1)",
            (uid,),
        )
    if shown.code_id and shown.shown_at is not None:
        db.execute(
            "INSERT OR IGNORE INTO code_shown VALUES (?, ?, ?)",
            (shown.code_id, _seconds(shown.shown_at), tap.tap_id),
        )
        kept_s = policies.code_valid_s + 2 * policies.code_skew_s
        db.execute("DELETE FROM code_shown WHERE shown_at < ?", (_seconds(tap.at) - kept_s,))


def sun_counter(db: sqlite3.Connection, chip_uid: str, tap_id: str) -> int:
    """Return the highest counter that the chip showed at other taps, -1 for none."""
    row = db.execute(
        "SELECT max(counter) FROM sun_read WHERE chip_uid = ? AND tap_id <> ?", (chip_uid, tap_id)
    ).fetchone()
    return -1 if row[0] is None else int(row[0])


def is_code_seen(db: sqlite3.Connection, presented: Presented, tap_id: str) -> bool:
    """Return whether another tap has shown the same code of a phone."""
    if not presented.code_id:
        return False
    found = db.execute(
        "SELECT 1 FROM code_shown WHERE code_id = ? AND tap_id <> ?", (presented.code_id, tap_id)
    ).fetchone()
    return found is not None


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
