"""A store that an earlier version of this program left behind is brought up to date where it stands."""

import pytest

from readers.store import Store, StoreDamaged, chips
from readers.store import documents as docs
from tests.support.edge_world import (
    NOON,
    RESORT,
    UID,
    a_document,
    a_snapshot,
    an_id,
    spoil,
)
from wallet.snapshot import FeedBatch, Snapshot


def document_of(store, number):
    with store._database.reading() as db:
        return docs.document(db, an_id(number, 1))


_CHIP_TABLES = ("chip_medium", "chip_key", "sun_read", "code_shown")
"""What the fifth version added."""


def test_a_file_of_the_second_version_is_brought_up_to_date(tmp_path):
    path = tmp_path / "edge.sqlite"
    store = Store(path, "edge-1", an_id(1, 99), NOON)
    store.put_page(a_snapshot(a_document(1)), first=True)
    store.close()
    # As the second version made it, short of tables and a column.
    for table in ("confirmation", *_CHIP_TABLES):
        spoil(path, f"DROP TABLE {table}")
    spoil(path, "ALTER TABLE cursor DROP COLUMN snapshot_open")
    spoil(path, "PRAGMA user_version = 2")
    upgraded = Store(path, "edge-1", an_id(1, 99), NOON)
    assert document_of(upgraded, 1).version == 1
    upgraded.owe_confirmation("job-2", "medium-2")
    upgraded.close()
    again = Store(path, "edge-1", an_id(1, 99), NOON)
    assert again.owed_confirmations() == {"job-2": "medium-2"}
    again.close()


def test_what_the_fifth_version_owed_is_still_confirmed(tmp_path):
    path = tmp_path / "edge.sqlite"
    Store(path, "edge-1", an_id(1, 99), NOON).close()
    spoil(path, "ALTER TABLE confirmation DROP COLUMN medium_id")
    spoil(path, "INSERT INTO confirmation VALUES ('job-1')")
    spoil(path, "PRAGMA user_version = 5")
    upgraded = Store(path, "edge-1", an_id(1, 99), NOON)
    assert upgraded.owed_confirmations() == {"job-1": ""}
    upgraded.close()


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path):
    path = tmp_path / "edge.sqlite"
    store = Store(path, "edge-1", an_id(1, 99), NOON)
    store.put_page(a_snapshot(a_document(1)), first=True)
    store.close()
    # As the first version made it, short of columns and a table.
    spoil(path, "DROP TABLE confirmation")
    spoil(path, "CREATE TABLE short AS SELECT one, position, as_of, run FROM cursor")
    spoil(path, "DROP TABLE cursor")
    spoil(path, "ALTER TABLE short RENAME TO cursor")
    spoil(path, "ALTER TABLE local_pin DROP COLUMN covered")
    for table in _CHIP_TABLES:
        spoil(path, f"DROP TABLE {table}")
    spoil(path, "PRAGMA user_version = 1")
    upgraded = Store(path, "edge-1", an_id(1, 99), NOON)
    assert (upgraded.known().position, upgraded.known().mark) == (10, "")
    assert document_of(upgraded, 1).version == 1
    with upgraded._database.reading() as db:
        assert chips.token_of(db, UID.hex()) == an_id(1, 1)
    upgraded.put_batch(FeedBatch(1, 10, 11, NOON, mark="m"))
    assert upgraded.known().mark == "m"
    upgraded.close()
    spoil(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreDamaged):
        Store(path, "edge-1", an_id(1, 99), NOON)


@pytest.mark.parametrize("torn", [True, False])
def test_a_snapshot_that_the_last_version_left_torn_is_taken_anew(tmp_path, torn):
    path = tmp_path / "edge.sqlite"
    store = Store(path, "edge-1", an_id(1, 99), NOON)
    store.put_page(a_snapshot(a_document(1), a_document(2)), first=True)
    if torn:
        store.put_page(Snapshot(1, 20, NOON, RESORT, (a_document(1),), an_id(1, 1)), first=True)
    store.close()
    for table in _CHIP_TABLES:
        spoil(path, f"DROP TABLE {table}")
    spoil(path, "ALTER TABLE cursor DROP COLUMN snapshot_open")
    spoil(path, "ALTER TABLE confirmation DROP COLUMN medium_id")
    spoil(path, "PRAGMA user_version = 3")
    upgraded = Store(path, "edge-1", an_id(1, 99), NOON)
    assert upgraded.known().whole is not torn
    upgraded.close()
