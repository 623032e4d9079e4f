"""The promises of a demo, checked from its directory: database, journals and lamp logs."""

from pathlib import Path

from gateway.db.engine import Database
from gateway.verify.promises import verify
from gateway.verify.report import Report as Verification
from readers.audit import evidence
from readers.settings import load_settings
from wallet.evidence import EdgeEvidence


def verify_promises(database_url: str, edge_settings: list[Path]) -> Verification:
    """Return what holds and what does not.

    Args:
        edge_settings: the settings file of each edge whose journal and lamps are to be looked at.
    Raises:
        SettingsFault: a settings file can't be used.
        FileNotFoundError: an edge has no journal yet.
    """
    seen = tuple(_evidence(path) for path in edge_settings)
    database = Database(database_url)
    try:
        return verify(database, seen)
    finally:
        database.close()


def _evidence(settings_file: Path) -> EdgeEvidence:
    edge = load_settings(settings_file).edge
    return evidence(edge.id, edge.venue, edge.directory, edge.lamp_log)
