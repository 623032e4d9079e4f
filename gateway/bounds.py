"""How long a command may be under way, from its `at` to its commit: what the margin of `as_of` is the sum of.

All of it is work, measured on the machine's own seconds: a simulated day that leaps meanwhile makes nobody late.
"""

from datetime import timedelta

QUEUED_MAX_S = 4.0
"""A command that waited longer on the conveyor is answered Busy and not carried out."""

WRITTEN_WITHIN_S = 7.0
"""A transaction that has not written everything so long after a command of it was asked is rolled back: Busy."""

COMMIT_MAX_S = 2.0
"""What COMMIT itself is taken to need at most: the one part that no database can be told to give up."""

CLOCKS_APART_S = 1.0
"""How far the clocks of gateway processes may differ (NTP keeps them far closer)."""

AS_OF_MARGIN = timedelta(seconds=WRITTEN_WITHIN_S + COMMIT_MAX_S + CLOCKS_APART_S)
"""What `as_of` stays behind the sweep: 7 + 2 + 1 = 10 s.

A command's instant `at`, which a credential carries as `issued_at`, is the one at which it was asked, and it shows in
the feed only once it is committed. From `at` to the last row written at most WRITTEN_WITHIN_S pass, to the commit's end
COMMIT_MAX_S more, and another process may have stamped it by a clock CLOCKS_APART_S off. So a sweep that began at T
finds everything with an `at` before T - 10 s. What this process itself has under way is known exactly and not left to
this sum (`Feed.asked`): there a wait, a commit, and a resort's load, which has no bound, may take as long as they like,
and a day may leap.
In another process a resort's load may show later than `as_of` says; it issues no credential and takes no right away.
"""

LOCK_WAIT_S = 1.5
"""How long a statement waits for a lock on PostgreSQL: a batch, and then its command alone, so that others get on."""

LOCK_GLANCE_S = 0.1
"""How long one waits for a lock instead, once a batch met a held one: whoever finds its own free does not wait."""

ROOM_TO_GROW_S = (WRITTEN_WITHIN_S - QUEUED_MAX_S) / 2
"""A full batch that took no longer may be twice as large: even what waited in the queue as long as it may fits in."""

WRITER_WAIT_S = 3.0
"""How long a writer waits for the one before it on SQLite."""

STATEMENT_MAX_S = 3.0
"""How long one statement of a writer may take on PostgreSQL; a resort's load is exempt."""

WRITER_IDLE_MAX_S = 10.0
"""PostgreSQL ends a writer that holds its locks and says nothing: a process that was frozen in the middle."""

READER_IDLE_MAX_S = 600.0
"""The same for readers, which hold nobody up but keep the database from tidying; `passband verify` ponders long."""

POOL_WAIT_S = 5.0
"""How long one waits for a free connection of this process."""
