"""What an edge knows and what it did, in one SQLite file: the only place of the edge where SQL stands."""

from readers.store.database import StoreDamaged, StoreUnwritable
from readers.store.documents import Known, OutOfStep
from readers.store.journal import Line, Mark
from readers.store.store import DATABASE_FILE, Store, Writing, drop_chip_keys

__all__ = [
    "DATABASE_FILE",
    "Known",
    "Line",
    "Mark",
    "OutOfStep",
    "Store",
    "StoreDamaged",
    "StoreUnwritable",
    "Writing",
    "drop_chip_keys",
]
