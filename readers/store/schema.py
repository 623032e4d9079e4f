"""The tables of edge.sqlite."""

CHIPS = """
CREATE TABLE chip_medium (       -- which tokens' documents name a chip
    chip_uid TEXT NOT NULL,
    token_id TEXT NOT NULL,
    live INTEGER NOT NULL,       -- 0 for a medium that was turned off
    PRIMARY KEY (chip_uid, token_id)
) WITHOUT ROWID;
CREATE INDEX chip_medium_token ON chip_medium (token_id);
CREATE TABLE chip_key (          -- keys of single chips, each sealed under the edge's own
    chip_uid TEXT NOT NULL,
    key_no INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    run INTEGER NOT NULL,        -- the snapshot's count that brought it, as for documents
    sealed BLOB NOT NULL,
    PRIMARY KEY (chip_uid, key_no, epoch)
) WITHOUT ROWID;
CREATE TABLE sun_read (          -- the two highest read counters that a chip has shown here
    chip_uid TEXT NOT NULL,
    counter INTEGER NOT NULL,
    tap_id TEXT NOT NULL,
    PRIMARY KEY (chip_uid, counter)
) WITHOUT ROWID;
CREATE TABLE code_shown (        -- codes of phones that could still be shown again
    code_id TEXT PRIMARY KEY,
    shown_at INTEGER NOT NULL,   -- seconds, on the phone's clock
    tap_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX code_shown_at ON code_shown (shown_at);
"""

SCHEMA_VERSION = 6

UPGRADES = {
    1: "ALTER TABLE cursor ADD COLUMN mark TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE local_pin ADD COLUMN covered INTEGER;",
    2: "CREATE TABLE confirmation (encoding_id TEXT PRIMARY KEY);",
    # A snapshot that the version before left half taken shows by documents whose versions no page has set again.
    3: "ALTER TABLE cursor ADD COLUMN snapshot_open INTEGER NOT NULL DEFAULT 0;"
    "UPDATE cursor SET snapshot_open = EXISTS (SELECT 1 FROM document WHERE version = 0);",
    4: CHIPS + "INSERT OR REPLACE INTO chip_medium "
    "SELECT json_extract(medium.value, '$.chip_uid'), token_id, "
    "json_extract(medium.value, '$.revoked_at') IS NULL AND json_extract(medium.value, '$.state') <> 'revoked' "
    "FROM document, json_each(CAST(body AS TEXT), '$.media') AS medium "
    "WHERE body IS NOT NULL AND json_extract(medium.value, '$.chip_uid') IS NOT NULL "
    "ORDER BY 3;",
    5: "ALTER TABLE confirmation ADD COLUMN medium_id TEXT NOT NULL DEFAULT '';",
}
"""What brings a file of that version to the next."""

SCHEMA = """
CREATE TABLE cursor (            -- one row: how far this edge knows the gateway's feed
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    as_of TEXT,                  -- NULL until the first snapshot is complete
    run INTEGER NOT NULL,        -- counts snapshots, to tell their documents from leftovers
    mark TEXT NOT NULL DEFAULT '',  -- which entry stands at the position; empty when nobody said
    snapshot_open INTEGER NOT NULL DEFAULT 0  -- 1 from a snapshot's wish to its last page: no feed goes on from here
);
CREATE TABLE resort (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE document (
    token_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    run INTEGER NOT NULL,
    body BLOB                    -- NULL is a tombstone: it keeps the version, so that nothing older returns
) WITHOUT ROWID;
CREATE TABLE epoch (             -- one run of numbers; a new file begins a new one
    ordinal INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL UNIQUE,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    acknowledged INTEGER NOT NULL,
    acknowledged_head TEXT NOT NULL
);
CREATE TABLE journal (
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    tap_id TEXT,
    sale_id TEXT,
    body BLOB NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (epoch, number)
);
CREATE UNIQUE INDEX journal_tap ON journal (tap_id) WHERE kind = 'tap';
CREATE INDEX journal_sale ON journal (sale_id) WHERE sale_id IS NOT NULL;
CREATE TABLE local_use (         -- uses made here, until the document tells them
    tap_id TEXT NOT NULL,
    entitlement_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tap_id, entitlement_id)
) WITHOUT ROWID;
CREATE INDEX local_use_token ON local_use (token_id);
CREATE INDEX local_use_number ON local_use (epoch, number);
CREATE TABLE local_pin (         -- PIN tries made here (a right one takes back those before it)
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    token_id TEXT NOT NULL,
    tries INTEGER NOT NULL,
    document_version INTEGER NOT NULL,
    covered INTEGER,             -- the feed position that tells it, once the gateway said so
    PRIMARY KEY (epoch, number)
) WITHOUT ROWID;
CREATE INDEX local_pin_token ON local_pin (token_id);
CREATE TABLE offline_sale (      -- approved without the gateway's hold and not yet acknowledged
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    token_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    PRIMARY KEY (epoch, number)
) WITHOUT ROWID;
CREATE INDEX offline_sale_token ON offline_sale (token_id);
CREATE TABLE confirmation (      -- bands written and read back here, until the gateway has heard of it
    encoding_id TEXT PRIMARY KEY,
    medium_id TEXT NOT NULL DEFAULT ''  -- empty when an earlier version of this program kept it
);
INSERT INTO cursor (one, position, as_of, run) VALUES (1, 0, NULL, 0);
"""
